"""Environments: what the events of an AWS say of its execution environments, folded into their state, and counted.

It draws nothing and asks nobody: source.py brings the events, still.py draws. The page folds them in the same way.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from .strings import say, visible

STATES = ("waiting", "init", "idle", "busy")  # of those that are there
REMEMBERED = 40  # invocations of an environment, for its strip
ENDED = 500  # environments that have ended, which the picture remembers
NAMED = 3  # functions that a sentence names
LONGEST = 64  # characters of a function's name in a sentence; Lambda's own limit

Event = dict[str, Any]


@dataclass
class Environment:
    """One execution environment; times in ms since 1970. Its fields are those of the messages to the page."""

    environment: str  # "<log group>:<log stream>"
    function: str
    version: str
    memory_size: int | None = None  # MB
    initialization_type: str = "on-demand"
    state: str = "waiting"  # one of STATES, or "ended"
    since: float = 0
    created: float = 0
    init_ms: float | None = None
    memory_mb: float | None = None  # the most that it has used
    invocations: int = 0
    failed: int = 0
    request_id: str | None = None  # that it holds
    idle_s: float | None = None  # how long it is kept idle; None where nothing says so
    in_invocation: bool = False  # its init is part of an invocation, as the first one has failed
    reason: str = ""  # why it ended
    invocation_times: list[dict[str, Any]] = field(default_factory=list)  # the last ones: start, duration_ms, status

    @property
    def is_there(self) -> bool:
        return self.state != "ended"


@dataclass
class Counts:
    """What happened since somebody watches."""

    cold_starts: int = 0
    invocations: int = 0
    failed: int = 0
    throttled: int = 0
    ended: int = 0


class Environments:
    """The environments of some functions, or of all; not thread-safe."""

    def __init__(self, functions: Iterable[str] = ()) -> None:
        self.functions = list(functions)
        self.all: dict[str, Environment] = {}
        self.counts = Counts()
        self._has_begun = False

    def restart(self, environments: Iterable[dict[str, Any]], at: float) -> None:
        """Take a snapshot, which replaces all that is there. After the first one, what it has more is counted."""
        there = {each["environment"]: _read(each) for each in environments if self._wants(each.get("function", ""))}
        for gone in self.all.values():
            if gone.environment not in there and gone.is_there:
                self._end(gone, at, "unseen")
        for id, new in there.items():
            old = self.all.get(id)
            if self._has_begun:
                self._count_missed(old, new)
            if old:  # a snapshot has the last few invocations alone
                first = min((each["start"] for each in new.invocation_times), default=new.since)
                earlier = [each for each in old.invocation_times if each["start"] < first]
                new.invocation_times = [*earlier, *new.invocation_times][-REMEMBERED:]
                new.failed = old.failed
        self._has_begun = True
        self.all = {id: old for id, old in self.all.items() if not old.is_there} | there

    def _count_missed(self, old: Environment | None, new: Environment) -> None:
        self.counts.invocations += max(0, new.invocations - (old.invocations if old else 0))
        if old is None and new.state != "waiting":
            self.counts.cold_starts += _is_cold_start(new)

    def told(self, events: Iterable[Event]) -> list[Event]:
        """Take events, in their order; return those that are about these functions."""
        kept = [event for event in events if self._take(event)]
        self._forget()
        return kept

    def there(self) -> list[Environment]:
        return [each for each in self.all.values() if each.is_there]

    def groups(self) -> dict[tuple[str, str], list[Environment]]:
        """By function and version, in the order of their names; in each, in the order in which they were made."""
        found: dict[tuple[str, str], list[Environment]] = {}
        for each in sorted(self.all.values(), key=lambda each: (each.function, each.version, each.created)):
            found.setdefault((each.function, each.version), []).append(each)
        return found

    @property
    def is_settled(self) -> bool:
        """Whether every environment has nothing to do."""
        return all(each.state == "idle" for each in self.there())

    def sentence(self) -> str:
        """E.g. "3 environments of hello: 2 idle, 1 busy; 3 cold starts, 9 invocations, none failed."."""
        counts = self.counts
        states = [each.state for each in self.there()]
        told = [say(f"environments.state.{state}", n=states.count(state)) for state in reversed(STATES)]
        told = [text for text, state in zip(told, reversed(STATES), strict=True) if state in states]
        if counts.ended:
            told.append(say("environments.state.ended", n=counts.ended))
        head = say("environments.count" if states else "environments.none", n=len(states), functions=self._named())
        parts = [
            say("environments.cold_starts", n=counts.cold_starts),
            say("environments.invocations", n=counts.invocations),
        ]
        if counts.invocations:
            parts.append(
                say("environments.failed", n=counts.failed) if counts.failed else say("environments.none_failed")
            )
        if counts.throttled:
            parts.append(say("environments.throttled", n=counts.throttled))
        return f"{head}{': ' if told else ''}{', '.join(told)}; {', '.join(parts)}."

    def messages(self) -> list[dict[str, Any]]:
        """All of them, for a page."""
        return [asdict(each) for each in self.all.values()]

    def _named(self) -> str:
        names = self.functions or sorted({each.function for each in self.all.values()})
        if not names:
            return say("environments.any_function")
        if len(names) > NAMED:
            return say("environments.many_functions", n=len(names))
        return ", ".join(visible(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…") for name in names)

    def _wants(self, function: str) -> bool:
        return not self.functions or function in self.functions

    def _take(self, event: Event) -> bool:
        kind = event.get("kind", "")
        if kind == "invocation.throttled" and self._wants(event.get("function", "")):
            self.counts.throttled += event.get("count", 1)
            return True
        if not kind.startswith("environment."):
            return False
        environment = self.all.get(event.get("environment", ""))
        if environment is None or (kind == "environment.created" and not environment.is_there):
            if kind == "environment.ended" or not event.get("function") or not self._wants(event["function"]):
                return False
            environment = self.all[event["environment"]] = _read(event | {"created": event["at"], "state": "waiting"})
        change = _CHANGES.get(kind.removeprefix("environment."))
        if change is None or not environment.is_there:
            return False
        change(self, environment, event)
        return True

    def _created(self, environment: Environment, event: Event) -> None:
        _set(environment, event, "waiting")

    def _init(self, environment: Environment, event: Event) -> None:
        self.counts.cold_starts += _is_cold_start(environment, event.get("phase", "init"))
        environment.in_invocation = event.get("phase") == "invoke"
        _set(environment, event, "init")

    def _ready(self, environment: Environment, event: Event) -> None:
        environment.init_ms = event.get("init_ms", event.get("restore_ms"))
        environment.in_invocation = False
        _set(environment, event, "idle")

    def _busy(self, environment: Environment, event: Event) -> None:
        _set(environment, event, "busy")
        environment.request_id = event.get("request_id")

    def _idle(self, environment: Environment, event: Event) -> None:
        self._over(environment, event["at"], event.get("status", "success"), event.get("duration_ms"))
        _set(environment, event, "idle")

    def _frozen(self, environment: Environment, event: Event) -> None:
        """Idle is what the picture says; whether its process is frozen, too, changes nothing."""

    def _ended(self, environment: Environment, event: Event) -> None:
        reason = event.get("reason", "")
        if environment.state == "busy" or environment.in_invocation:
            self._over(environment, event["at"], reason or "error", None)
        self._end(environment, event["at"], reason)

    def _over(self, environment: Environment, at: float, status: str, duration_ms: float | None) -> None:
        """An invocation of it has ended."""
        start = environment.since if environment.state in ("busy", "init") else at - (duration_ms or 0)
        took = at - start if duration_ms is None else duration_ms
        environment.invocation_times.append({"start": start, "duration_ms": took, "status": status})
        del environment.invocation_times[:-REMEMBERED]
        environment.invocations += 1
        environment.request_id = None
        self.counts.invocations += 1
        if status != "success":
            environment.failed += 1
            self.counts.failed += 1

    def _end(self, environment: Environment, at: float, reason: str) -> None:
        environment.state, environment.since, environment.reason = "ended", at, reason
        environment.request_id = None
        self.counts.ended += 1

    def _forget(self) -> None:
        ended = [each for each in self.all.values() if not each.is_there]
        for each in sorted(ended, key=lambda each: each.since)[: max(0, len(ended) - ENDED)]:
            del self.all[each.environment]


def _is_cold_start(environment: Environment, phase: str = "") -> bool:
    """Whether an invocation waits for this init, as its REPORT line says: for provisioned concurrency and a snapshot
    nobody waits, and what is initialised anew within an invocation has no Init Duration.
    """
    kind = environment.initialization_type
    return kind == "on-demand" and phase != "invoke" or kind == "snap-start" and phase in ("restore", "")


def _read(message: dict[str, Any]) -> Environment:
    known = {name: message[name] for name in Environment.__dataclass_fields__ if name in message}
    environment = Environment(**known)
    environment.invocation_times = list(environment.invocation_times)[-REMEMBERED:]
    environment.since = environment.since or message.get("at", environment.created)
    return environment


def _set(environment: Environment, event: Event, state: str) -> None:
    environment.state, environment.since = state, event["at"]
    for name in ("memory_mb", "memory_size", "initialization_type", "idle_s"):
        if event.get(name) is not None:
            setattr(environment, name, event[name])


_CHANGES = {
    "created": Environments._created,
    "init": Environments._init,
    "ready": Environments._ready,
    "busy": Environments._busy,
    "idle": Environments._idle,
    "frozen": Environments._frozen,
    "thawed": Environments._frozen,
    "ended": Environments._ended,
}
