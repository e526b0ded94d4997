"""Whether an asynchronous event is tried again, and when: a pure function of its attempts, the last result and its age.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (November 2026): one minute after the
first error and two after the second; a throttled event waits from 1 second up to 5 minutes.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from ...facts import fact

MINUTE_S = 1.0  # so many seconds a pause takes for each of AWS's minutes
AWS_MINUTE_S = 60
MAX_PAUSE_MINUTES = 5


class Result(Enum):
    """How an attempt ended."""

    SUCCESS = auto()
    ERROR = auto()  # of the function
    THROTTLE = auto()  # there was no room for it


@dataclass(frozen=True)
class Settings:
    """MaximumRetryAttempts and MaximumEventAgeInSeconds, as AWS has them unless they are set, and our minute."""

    max_retries: int = fact("asynchronous_retries")
    max_age_s: float = fact("event_age")
    minute_s: float = MINUTE_S


@dataclass(frozen=True)
class Attempts:
    """How often an event was tried, by how that ended."""

    successes: int = 0
    errors: int = 0
    throttles: int = 0

    @property
    def total(self) -> int:
        return self.successes + self.errors + self.throttles

    def after(self, result: Result) -> "Attempts":
        """These, and one more that ended so."""
        match result:
            case Result.SUCCESS:
                return replace(self, successes=self.successes + 1)
            case Result.ERROR:
                return replace(self, errors=self.errors + 1)
            case Result.THROTTLE:
                return replace(self, throttles=self.throttles + 1)


@dataclass(frozen=True)
class TryAgain:
    """After so many seconds, which are shorter by others than AWS's pause; these count for the age all the same."""

    after_s: float
    shortened_s: float


@dataclass(frozen=True)
class End:
    """Done, or discarded: `condition` is the one of the invocation record that a destination gets."""

    condition: str


SUCCESS = "Success"


def decide(attempts: Attempts, result: Result, age_s: float, settings: Settings) -> TryAgain | End:
    """What becomes of an event of this age after these attempts, the last of which ended with `result`.

    The age is what it would be on AWS: with all by which its pauses were shortened.
    """
    if result is Result.SUCCESS:
        return End(SUCCESS)
    if result is Result.ERROR and attempts.errors > settings.max_retries:
        return End("RetriesExhausted")
    minutes = _pause_minutes(attempts, result)
    after_s, pause_s = settings.minute_s * minutes, AWS_MINUTE_S * minutes
    if age_s + pause_s > settings.max_age_s:
        return End("EventAgeExceeded")
    return TryAgain(after_s, pause_s - after_s)


def _pause_minutes(attempts: Attempts, result: Result) -> int:
    """Errors make it longer by a minute each; throttles double it. One kind does not count for the other."""
    if result is Result.ERROR:
        return attempts.errors
    return min(1 << min(attempts.throttles - 1, MAX_PAUSE_MINUTES), MAX_PAUSE_MINUTES)
