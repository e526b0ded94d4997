"""The checks of notebook 11: an answer that names what failed, the time a queue needs, and the way for a case."""

import io
import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from helpers.connect import Workshop
from helpers.exercises import deployed, diagnosis
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    NotSolved,
    WrongAnswer,
    as_word,
    call,
    require_number,
)
from helpers.exercises.probe import Probe, unique
from PIL import Image

from .wrong_answers import WRONG_DRAINS, WRONG_HANDLERS

# Without the learner's prefix.
PARTIAL, UPLOADS, THUMBNAILS = "thumbnail-partial", "thumbnail-uploads", "thumbnails"

# Batches by what is in the pictures, and what the sentences call them.
BATCHES = {
    "of four messages whose second has a damaged picture": (
        "good",
        "damaged",
        "good",
        "good",
    ),
    "of three good pictures": ("good", "good", "good"),
    "of two damaged pictures and a good one": ("damaged", "damaged", "good"),
}
# A line of a log that neither Lambda nor work() has written.
SAID = re.compile(r"^(?!START |END |REPORT |INIT_START |try )\s*\S", re.MULTILINE)
SHAPE = 'return {"batchItemFailures": [{"itemIdentifier": message["messageId"]}, …]}'


def judge_partial(workshop: Workshop) -> list[str]:
    function = deployed.find(
        workshop, workshop.name(PARTIAL), "run the cell that deploys it"
    )
    probe = Probe(workshop, function)
    for when, kinds in BATCHES.items():
        _Batch(probe, when, kinds).judge()
    return []


class _Batch:
    """Pictures of the check's own, sent to the reader's function as one batch of messages."""

    def __init__(self, probe: Probe, when: str, kinds: Iterable[str]) -> None:
        self.probe, self.when = probe, when
        self.s3 = probe.workshop.client("s3")
        self.uploads, self.thumbnails = (
            probe.workshop.bucket(name) for name in (UPLOADS, THUMBNAILS)
        )
        prefix = f"check/{unique()}"  # none that the bucket notifies of
        self.kinds = {
            f"{prefix}/{place}.jpg": kind for place, kind in enumerate(kinds, start=1)
        }
        self.ids = {key: unique() for key in self.kinds}

    def judge(self) -> None:
        for key, kind in self.kinds.items():
            self.s3.put_object(
                Bucket=self.uploads, Key=key, Body=_picture(kind == "damaged")
            )
        try:
            outcome = self.probe.invoke(
                {"Records": [self._message(key) for key in self.kinds]}
            )
            told = f"{json.dumps(outcome.payload)}\n{outcome.log}"
            if refusal := diagnosis.of_refusal(told, self.probe.function):
                raise NotSolved(refusal)
            if outcome.failed:
                raise NotSolved(_failure(outcome.payload, self.when))
            reported = _reported(outcome.payload, self.when)
            self._compare(reported)
            if "damaged" in self.kinds.values() and not SAID.search(outcome.log):
                raise NotSolved(
                    f"After a batch {self.when} the log does not say what was wrong; print the exception, or "
                    "nobody will ever know of it."
                )
        finally:
            for key in self.kinds:
                self.s3.delete_object(Bucket=self.uploads, Key=key)
                self.s3.delete_object(Bucket=self.thumbnails, Key=key)

    def _message(self, key: str) -> dict[str, Any]:
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.uploads}, "object": {"key": key}},
        }
        return {
            "messageId": self.ids[key],
            "receiptHandle": f"handle of {self.ids[key]}",
            "body": json.dumps({"Records": [record]}),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }

    def _compare(self, reported: list[Any]) -> None:
        failed = {
            self.ids[key] for key, kind in self.kinds.items() if kind == "damaged"
        }
        good = [key for key, kind in self.kinds.items() if kind == "good"]
        if unknown := [each for each in reported if each not in self.ids.values()]:
            what = (
                "the receiptHandle"
                if str(unknown[0]).startswith("handle of")
                else "something else"
            )
            raise NotSolved(
                f"In the answer to a batch {self.when} itemIdentifier is {what}, and not the messageId of a message "
                "of this batch; Lambda takes the whole batch as failed then."
            )
        if missing := failed - set(reported):
            which = (
                "the damaged picture"
                if len(failed) == 1
                else f"{len(missing)} of {len(failed)} damaged pictures"
            )
            raise NotSolved(
                f"The answer to a batch {self.when} lacks {which}; Lambda deletes what is not reported, and so it is lost."
            )
        if wrong := set(reported) - failed:
            made = all(self._is_made(key) for key in good if self.ids[key] in wrong)
            why = (
                "it was made, so it need not come again"
                if made
                else "it was not even tried: the loop must go on after a failure"
            )
            raise NotSolved(
                f"The answer to a batch {self.when} names a good picture as failed; {why}."
            )
        if not all(self._is_made(key) for key in good):
            raise NotSolved(
                f"After a batch {self.when} a good picture has no thumbnail and is not reported, so Lambda deletes its "
                "message; call work(message) for every message, also after one that failed."
            )

    def _is_made(self, key: str) -> bool:
        found: int = self.s3.list_objects_v2(Bucket=self.thumbnails, Prefix=key).get(
            "KeyCount", 0
        )
        return found == 1


def _picture(damaged: bool) -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").save(file, "JPEG", quality=95)
    return file.getvalue()[:400] if damaged else file.getvalue()


def _failure(payload: Any, when: str) -> str:
    kind, message = payload.get("errorType", ""), payload.get("errorMessage", "")
    if kind == "NotImplementedError":
        return f"handle_each is not written yet ({message})."
    if kind in ("OSError", "UnidentifiedImageError"):
        return (
            f"In a batch {when} the exception of the damaged picture ended the handler ({kind}), and so the whole "
            "batch failed; catch it for each message, inside the loop."
        )
    return f"In a batch {when} the function failed with {kind}: {message[:200]}"


def _reported(answer: Any, when: str) -> list[Any]:
    """The identifiers in an answer of the right shape."""
    if answer is None:
        raise NotSolved(
            f"The function answered nothing to a batch {when}, so all went well for Lambda, and every "
            f"message is deleted; {SHAPE}."
        )
    if not isinstance(answer, dict) or "batchItemFailures" not in answer:
        raise NotSolved(
            f"The answer to a batch {when} was {json.dumps(answer)[:120]}, and there is no batchItemFailures in it; "
            f"Lambda ignores everything else: {SHAPE}."
        )
    failures = answer["batchItemFailures"]
    if not isinstance(failures, list) or not all(
        isinstance(each, dict) for each in failures
    ):
        raise NotSolved(
            f"batchItemFailures must be a list of dicts, one for each message that failed; {SHAPE}."
        )
    if any("itemIdentifier" not in each for each in failures):
        raise NotSolved(
            f"An entry of batchItemFailures has no itemIdentifier, the one key that Lambda reads; {SHAPE}."
        )
    identifiers = [each["itemIdentifier"] for each in failures]
    if len(identifiers) > len(set(map(str, identifiers))):
        raise NotSolved(
            f"The answer to a batch {when} names a message twice; once is enough."
        )
    return identifiers


# Batches as reports() has them: two cold, and warm ones whose mean is 620 ms and whose median is 500 ms.
FRAME = {
    "init_ms": [400.0, np.nan, np.nan, np.nan, 600.0, np.nan, np.nan],
    "duration_ms": [2_300.0, 300.0, 1_300.0, 500.0, 1_900.0, 450.0, 550.0],
    "billed_ms": [2_700, 300, 1_300, 500, 2_500, 450, 550],
}
IMAGES, SIZE, CONCURRENCY = 48_000, 8, 12  # 6,000 batches, 500 for each environment
SECONDS = 500 * 0.62
# Images, batch_size and max_concurrency, where rounding counts; the seconds, and why.
FEW = {
    (9, 8, 2): (
        0.62,
        "the ninth image makes a second batch, and both are worked on at once; round the number of batches up.",
    ),
    (32, 8, 2): (
        1.24,
        "there are four batches, and two times two are worked on at once; add nothing where nothing is left.",
    ),
}


def _mean_ms(frame: pd.DataFrame) -> float:
    return float(frame[frame["init_ms"].isna()]["duration_ms"].mean())


def _median_ms(frame: pd.DataFrame) -> float:
    return float(frame[frame["init_ms"].isna()]["duration_ms"].median())


# How somebody may calculate, and what to look at then: (frame, images, batch_size, max_concurrency) -> seconds.
DRAINS: dict[str, tuple[Callable[[pd.DataFrame, int, int, int], float], str]] = {
    "milliseconds": (
        lambda f, n, b, c: n / b / c * _mean_ms(f),
        "that is in milliseconds; duration_ms / 1000 is seconds.",
    ),
    "minutes": (
        lambda f, n, b, c: n / b / c * _mean_ms(f) / 60_000,
        "that is in minutes; return seconds.",
    ),
    "for each image": (
        lambda f, n, b, c: n / c * _mean_ms(f) / 1000,
        "each batch takes its duration once, however many images are in it: divide images by batch_size.",
    ),
    "batch_size twice": (
        lambda f, n, b, c: n / b / b / c * _mean_ms(f) / 1000,
        "batch_size was divided by twice; duration_ms is the time of a whole batch already.",
    ),
    "one at a time": (
        lambda f, n, b, c: n / b * _mean_ms(f) / 1000,
        "max_concurrency batches are worked on at the same time: divide by it.",
    ),
    "neither batches nor concurrency": (
        lambda f, n, b, c: n * _mean_ms(f) / 1000,
        "how many batches are there, and how many at a time?",
    ),
    "the median": (
        lambda f, n, b, c: n / b / c * _median_ms(f) / 1000,
        "that is with the median; a sum of many durations is their number times the mean.",
    ),
    "cold ones, too": (
        lambda f, n, b, c: n / b / c * f["duration_ms"].mean() / 1000,
        "the cold rows are counted as well; keep those whose init_ms is missing.",
    ),
    "cold ones alone": (
        lambda f, n, b, c: n / b / c * f.dropna()["duration_ms"].mean() / 1000,
        "that is with the cold rows; keep those whose init_ms is missing: .isna().",
    ),
    "billed": (
        lambda f, n, b, c: n / b / c * f["billed_ms"].mean() / 1000,
        "billed_ms of all rows was used; take duration_ms of the warm ones.",
    ),
    "the sum": (
        lambda f, n, b, c: (
            n / b / c * f[f["init_ms"].isna()]["duration_ms"].sum() / 1000
        ),
        "that is with the sum of the durations; take their mean.",
    ),
}


def judge_drain(drain_seconds: Callable[..., float]) -> list[str]:
    frame = pd.DataFrame(FRAME)
    found = _number(call(drain_seconds, frame.copy(), IMAGES, SIZE, CONCURRENCY))
    if not math.isclose(found, SECONDS, rel_tol=0.005):
        known = (
            why
            for wrong, why in DRAINS.values()
            if math.isclose(
                found, wrong(frame, IMAGES, SIZE, CONCURRENCY), rel_tol=0.005
            )
        )
        raise NotSolved(
            f"drain_seconds returned {found:,.6g} for {IMAGES:,} images in batches of {SIZE}, {CONCURRENCY} at a time, "
            f"and {SECONDS:g} is right: "
            + next(
                known,
                "how many batches does each environment work on, one after the other?",
            )
        )
    for (images, size, at_once), (right, why) in FEW.items():
        few = _number(call(drain_seconds, frame.copy(), images, size, at_once))
        if not math.isclose(few, right, rel_tol=0.005):
            raise NotSolved(
                f"For {images} images in batches of {size}, {at_once} at a time, drain_seconds returned {few:.3g}, and "
                f"{right:g} is right: {why}"
            )
    return []


def _number(found: Any) -> float:
    return require_number("drain_seconds", found, "one number of seconds")


WAYS = ("queue", "direct")
CASES = {
    "scans": (
        "queue",
        "S3 starts as many invocations as scans come, and the service takes 20 calls at a time; in a queue they "
        "wait, and MaximumConcurrency is 20.",
    ),
    "contracts": (
        "queue",
        "Lambda tries S3's direct event three times, and it is gone by Monday; dead letters are kept for days, and "
        "start_message_move_task is the one call.",
    ),
    "avatars": (
        "direct",
        "a queue, its dead-letter queue, a policy, a mapping and an alarm are many parts for ten a day, and nothing "
        "is lost, since the user uploads it again.",
    ),
    "readings": (
        "queue",
        "S3 invokes once for each file, for 2 ms of work every time; a batch of a hundred from a queue is one "
        "invocation.",
    ),
    "preview": (
        "direct",
        "one file, one user, no batch, no peak: the queue adds delay, and its tries bring previews that nobody "
        "waits for any more.",
    ),
}


def judge_ways(ways: dict[Any, Any]) -> list[str]:
    for case, (right, why) in CASES.items():
        chosen = as_word(ways.get(case, "choose"))
        if chosen == "choose":
            raise NotSolved(
                f'{case} has no choice yet: ways["{case}"] = "queue" or "direct".'
            )
        if chosen not in WAYS:
            raise NotSolved(
                f'{case}: {chosen!r} is no way; choose "queue" or "direct".'
            )
        if chosen != right:
            raise NotSolved(f"{case}: not {chosen!r}, for {why}")
    return []


RIGHT_WAYS = {case: right for case, (right, _why) in CASES.items()}
OTHER_WAY = {"queue": "direct", "direct": "queue"}


ONLY_THE_BAD = DeployedFunction(
    number="11.1",
    title="only the bad one comes again",
    judge=judge_partial,
    hints=(
        "Begin with the loop of the old handler. How does it go on when work(message) raises an exception?",
        'Put try and except inside the loop, around work(message), and append {"itemIdentifier": '
        'message["messageId"]} to failures in the except part.',
        'After the loop: return {"batchItemFailures": failures}. It is an empty list when all went well.',
    ),
    wrong_answers=WRONG_HANDLERS,
)
DRAIN = Answer(
    number="11.2",
    title="how long the queue needs",
    judge=judge_drain,
    hints=(
        "First without times: how many batches are there, and how many of them does each environment work on?",
        "np.ceil(images / batch_size) batches, and np.ceil of that divided by max_concurrency for each environment, "
        "one after the other.",
        'Times the mean of frame[frame["init_ms"].isna()]["duration_ms"], divided by 1000.',
    ),
    asks_for="drain_seconds",
    wrong_answers=(
        *(
            WrongAnswer(name, wrong, re.escape(why))
            for name, (wrong, why) in DRAINS.items()
        ),
        *WRONG_DRAINS,
    ),
)
WITH_OR_WITHOUT = Answer(
    number="11.3",
    title="with the queue, or without",
    judge=judge_ways,
    hints=(
        "Look at the table before exercise 1. What does each case need: time to fix, a limit, batches, few parts?",
        "A limit of 20 at a time, a redrive after days, a hundred files in one invocation: which way has these?",
        "Three of the five need the queue. The other two have little traffic, and a failure is soon seen by a user.",
    ),
    asks_for="ways",
    form="dict",
    wrong_answers=(
        *(
            WrongAnswer(
                f"{case}: the other way",
                RIGHT_WAYS | {case: OTHER_WAY[right]},
                re.escape(why),
            )
            for case, (right, why) in CASES.items()
        ),
        WrongAnswer(
            "nothing chosen", dict.fromkeys(CASES, "choose"), "scans has no choice yet"
        ),
        WrongAnswer(
            "another word", RIGHT_WAYS | {"avatars": "sqs"}, "avatars: 'sqs' is no way"
        ),
        WrongAnswer("one missing", {"scans": "queue"}, "contracts has no choice yet"),
    ),
)
EXERCISES = (ONLY_THE_BAD, DRAIN, WITH_OR_WITHOUT)
