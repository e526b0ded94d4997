"""Auto Scaling: a group has no fewer instances than its minimum, and no more than its maximum.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html. MiniStack takes any sizes.
"""

from collections.abc import Callable
from typing import NamedTuple

from ministack.services import autoscaling

from .contract import Contract
from .refusals import unless
from .shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (autoscaling, "_ACTION_MAP"): None,
    (autoscaling, "_asgs"): None,
    (autoscaling, "_error"): ("code", "message", "status"),
    (autoscaling, "_p"): ("params", "key"),
}


class Sizes(NamedTuple):
    """Of a group; None of what a request does not say."""

    least: int | None
    most: int | None
    desired: int | None


def install() -> None:
    """Let MiniStack refuse sizes that AWS refuses. Call once, before it serves."""
    handlers = autoscaling._ACTION_MAP
    handlers["CreateAutoScalingGroup"] = unless(_wrong_group, handlers["CreateAutoScalingGroup"])
    handlers["SetDesiredCapacity"] = unless(_wrong_capacity, handlers["SetDesiredCapacity"])
    handlers["UpdateAutoScalingGroup"] = _updated(handlers["UpdateAutoScalingGroup"])


def _wrong_group(p: Record) -> Answer | None:
    wrong = out_of_bounds(_sizes(p))
    return _refused(wrong) if wrong else None


def _updated(handle: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    """With new bounds, a group that does not say how many it wants gets as many as they let it have."""

    def update(p: Record) -> Answer:
        group, asked = autoscaling._asgs.get(autoscaling._p(p, "AutoScalingGroupName")), _sizes(p)
        if group is None:
            return handle(p)
        least = group["MinSize"] if asked.least is None else asked.least
        most = group["MaxSize"] if asked.most is None else asked.most
        desired = min(max(group["DesiredCapacity"], least), most) if asked.desired is None else asked.desired
        wrong = out_of_bounds(Sizes(least, most, desired))
        return _refused(wrong) if wrong else handle({**p, "DesiredCapacity": [str(desired)]})

    return update


def _wrong_capacity(p: Record) -> Answer | None:
    group, desired = autoscaling._asgs.get(autoscaling._p(p, "AutoScalingGroupName")), _sizes(p).desired
    if group is None or desired is None:
        return None
    for bound, word, is_beyond in (
        (group["MaxSize"], "above max", desired > group["MaxSize"]),
        (group["MinSize"], "below min", desired < group["MinSize"]),
    ):
        if is_beyond:
            return _refused(
                f"New SetDesiredCapacity value {desired} is {word} value {bound} for the AutoScaling group."
            )
    return None


def out_of_bounds(sizes: Sizes) -> str | None:
    """AWS's sentence on the sizes of a group that cannot be, or None."""
    least, most, desired = sizes
    if least is not None and most is not None and most < least:
        return f"Max bound, {most}, must be greater than or equal to min bound, {least}"
    if desired is not None and not (least or 0) <= desired <= (desired if most is None else most):
        return f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}"
    return None


def _sizes(p: Record) -> Sizes:
    said = (autoscaling._p(p, member) for member in ("MinSize", "MaxSize", "DesiredCapacity"))
    return Sizes(*(int(value) if value else None for value in said))


def _refused(message: str) -> Answer:
    answer: Answer = autoscaling._error("ValidationError", message)
    return answer
