"""What the entries of a class come to: who is where, what is solved, who is stuck, and what was predicted."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .store import ClassStore, Member

STUCK_S = 5 * 60  # of failing one check
# What check() adds to its sentence, which differs from learner to learner.
COUNTED = re.compile(r" \(\d+ of \d+ exercises? of this notebook solved; hint\(\"[\d.]+\"\) helps\.\)$")
AWAY_S = 5 * 60  # without a word of a notebook: closed, or without a network


class Place(NamedTuple):
    """A section of a notebook."""

    notebook: str
    section: str


class Tried(NamedTuple):
    """How many learners have solved an exercise, have tried it, have had a hint, have looked at the answer."""

    exercise: str
    solved: int
    unsolved: int
    hints: int
    solutions: int


class Stuck(NamedTuple):
    """A check that a learner has failed for some time, and what it said last."""

    member: Member
    exercise: str
    sentence: str
    since: float


@dataclass
class Attempts:
    """What a learner's check of one exercise has come to."""

    count: int = 0
    failing_since: float | None = None  # None once it is solved
    sentence: str = ""


@dataclass
class Learner:
    """One learner, and what they have done so far."""

    member: Member
    place: Place | None = None
    solved: dict[str, float] = field(default_factory=dict)  # an exercise, and when
    attempts: dict[str, Attempts] = field(default_factory=dict)
    last_attempt: str = ""
    hints: Counter[str] = field(default_factory=Counter)
    solutions: set[str] = field(default_factory=set)
    predictions: dict[str, str] = field(default_factory=dict)
    measured: dict[str, str] = field(default_factory=dict)

    def follow(self, moment: float, entry: dict[str, Any]) -> None:
        """Take in one entry; they come in the order of time."""
        match entry["kind"]:
            case "section":
                self.place = Place(entry["notebook"], entry["section"])
            case "prediction":
                self.predictions[entry["key"]] = entry["text"]
            case "measured":
                self.measured[entry["key"]] = entry["text"]
            case "hint":
                self.hints[entry["exercise"]] = max(self.hints[entry["exercise"]], entry["number"])
            case "solution":
                self.solutions.add(entry["exercise"])
            case "attempt":
                self._attempted(moment, entry)

    def _attempted(self, moment: float, entry: dict[str, Any]) -> None:
        exercise = self.last_attempt = entry["exercise"]
        attempts = self.attempts.setdefault(exercise, Attempts())
        attempts.count += 1
        if entry["solved"]:
            self.solved.setdefault(exercise, moment)
            attempts.failing_since = None
        else:
            attempts.failing_since = moment if attempts.failing_since is None else attempts.failing_since
            attempts.sentence = COUNTED.sub("", entry["sentence"])

    @property
    def exercises(self) -> list[str]:
        """The exercises that they have come to, in their order."""
        return sorted({*self.attempts, *self.hints, *self.solutions})

    def stuck(self, now: float) -> Stuck | None:
        """The check that they fail, unless they have gone on to another notebook."""
        attempts = self.attempts.get(self.last_attempt)
        if attempts is None or attempts.failing_since is None or now - attempts.failing_since <= STUCK_S:
            return None
        if self.place and self.place.notebook and self.place.notebook != self.last_attempt[:2]:
            return None
        return Stuck(self.member, self.last_attempt, attempts.sentence, attempts.failing_since)

    def is_away(self, now: float) -> bool:
        return now - self.member.seen > AWAY_S


@dataclass(frozen=True)
class Room:
    """The class at a moment."""

    learners: list[Learner]
    now: float

    @property
    def present(self) -> list[Learner]:
        """Those whose notebooks have asked lately."""
        return [each for each in self.learners if not each.is_away(self.now)]

    @property
    def stuck(self) -> list[Stuck]:
        """Who fails a check, those first who have for longest."""
        found = [stuck for each in self.present if (stuck := each.stuck(self.now))]
        return sorted(found, key=lambda each: each.since)

    @property
    def exercises(self) -> list[Tried]:
        """The exercises that anybody has come to, in their order."""
        return [
            Tried(
                number,
                sum(number in each.solved for each in self.learners),
                sum(number in each.attempts and number not in each.solved for each in self.learners),
                sum(each.hints[number] > 0 for each in self.learners),
                sum(number in each.solutions for each in self.learners),
            )
            for number in sorted({number for each in self.learners for number in each.exercises})
        ]

    @property
    def stuck_together(self) -> dict[tuple[str, str], list[Stuck]]:
        """The same by the exercise and the sentence: those first that most are stuck at."""
        together: dict[tuple[str, str], list[Stuck]] = {}
        for each in self.stuck:
            together.setdefault((each.exercise, each.sentence), []).append(each)
        return dict(sorted(together.items(), key=lambda found: -len(found[1])))

    @property
    def hands(self) -> list[Member]:
        """Whose hands are up, the first of them first."""
        up = [each.member for each in self.learners if each.member.hand is not None]
        return sorted(up, key=lambda each: each.hand or 0)

    @property
    def places(self) -> dict[Place, int]:
        """At which section how many are, in the order of the notebooks."""
        count = Counter(each.place for each in self.present if each.place)
        return dict(sorted(count.items()))


def room_of(store: ClassStore) -> Room:
    """The class as its file has it now."""
    learners = {member.id: Learner(member) for member in store.members()}
    for id, moment, entry in store.entries():
        if id in learners:
            learners[id].follow(moment, entry)
    return Room(list(learners.values()), store.now())


def predictions_of(learners: Iterable[Learner]) -> dict[str, int]:
    """Each question that somebody has answered, such as "04.a", and how many have."""
    count = Counter(key for each in learners for key, text in each.predictions.items() if text)
    return dict(sorted(count.items()))
