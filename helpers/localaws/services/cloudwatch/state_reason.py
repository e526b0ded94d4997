"""Why an alarm with a static threshold is in its state, in CloudWatch's words.

CloudWatch counts out of the last periods, and says how many datapoints change the state, where an alarm has
DatapointsToAlarm. Of five datapoints and more it tells in other words; here all of them are listed.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from datetime import UTC, datetime
from typing import NamedTuple

from ..shapes import Record

WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


class Datapoint(NamedTuple):
    """The statistic of one period, and when that began, in seconds since 1970."""

    began: int
    value: float

    def __str__(self) -> str:
        return f"{float(self.value)} ({datetime.fromtimestamp(self.began, UTC):%d/%m/%y %H:%M:%S})"


def state_reason(alarm: Record, state: str, telling: list[Datapoint], known: int) -> str:
    """The StateReason. `telling` are the datapoints that speak for the state, newest first, of `known` in all."""
    periods = alarm["EvaluationPeriods"]
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_counted(periods, 'datapoint')} {_was(periods)} unknown."
    treated = _treated(alarm, periods - known)
    if not telling:
        received = f"{_counted(known, 'datapoint')} {_was(known)} received"
        return f"Threshold Crossed: {received} for {_counted(periods, 'period')}{treated}."
    number, least = _counted(len(telling), "datapoint"), ""
    if alarm.get("DatapointsToAlarm"):
        number, least = f"{len(telling)} out of the last {periods} datapoints", _least(alarm, state)
    crossed = f"{_was(len(telling))}{'' if state == 'ALARM' else ' not'} {WORDS[alarm['ComparisonOperator']]}"
    points = ", ".join(map(str, telling))
    return f"Threshold Crossed: {number} [{points}] {crossed} the threshold ({alarm['Threshold']}){treated}{least}."


def _treated(alarm: Record, missing: int) -> str:
    """What became of missing datapoints, if they counted at all."""
    treated = TREATED.get(alarm["TreatMissingData"])
    if not missing or not treated:
        return ""
    return f" and {_counted(missing, 'missing datapoint')} {_was(missing)} treated as [{treated}]"


def _least(alarm: Record, state: str) -> str:
    """How many datapoints bring the alarm into this state."""
    to_alarm = alarm["DatapointsToAlarm"]
    to_ok = alarm["EvaluationPeriods"] - to_alarm + 1
    least, change = (to_alarm, "OK -> ALARM") if state == "ALARM" else (to_ok, "ALARM -> OK")
    return f" (minimum {_counted(least, 'datapoint')} for {change} transition)"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
