"""Judges exercise 12.2: evenings and mornings of the check's own, sent to the reader's function and group."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from helpers.connect import Workshop
from helpers.exercises import deployed, diagnosis
from helpers.exercises.exercise import NotSolved, WrongAnswer
from helpers.exercises.half_way import HalfWay, half_way
from helpers.exercises.probe import Probe

KEPT = {"night", "workshop", "learner"}  # tags of the group that are not the function's


class _Group:
    """The reader's group, and the function that scales it."""

    def __init__(self, workshop: Workshop, function: deployed.Deployed) -> None:
        self.probe = Probe(workshop, function)
        self.client, self.ec2 = workshop.client("autoscaling"), workshop.client("ec2")
        self.is_embedded = workshop.is_embedded
        self.night = function.variables.get("NIGHT", "")
        self.name = function.variables.get("GROUP", "")
        found = self.client.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.name or "-"]
        )
        if not found["AutoScalingGroups"]:
            raise NotSolved(
                f"The function's variable GROUP names no Auto Scaling group ({self.name or 'it is empty'}); run the "
                "cells that make the group and deploy the function."
            )

    def now(self) -> dict[str, Any]:
        group: dict[str, Any]
        [group] = self.client.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.name]
        )["AutoScalingGroups"]
        return group

    def sizes(self) -> tuple[int, int]:
        group = self.now()
        return group["MinSize"], group["DesiredCapacity"]

    def tags(self) -> list[dict[str, Any]]:
        """The tags that the function has put on the group."""
        return [tag for tag in self.now()["Tags"] if tag["Key"] not in KEPT]

    def set(self, least: int, desired: int) -> None:
        self.client.update_auto_scaling_group(
            AutoScalingGroupName=self.name, MinSize=least, DesiredCapacity=desired
        )

    def begin(
        self, least: int, desired: int, tags: Sequence[dict[str, Any]] = ()
    ) -> None:
        """These sizes, and no tags of the function's but `tags`."""
        place = {"ResourceId": self.name, "ResourceType": "auto-scaling-group"}
        if present := self.tags():
            self.client.delete_tags(
                Tags=[{"Key": tag["Key"]} | place for tag in present]
            )
        if tags:
            put = [
                {"Key": tag["Key"], "Value": tag["Value"], "PropagateAtLaunch": False}
                | place
                for tag in tags
            ]
            self.client.create_or_update_tags(Tags=put)
        self.set(least, desired)

    def send(self, action: str, time: str, when: str) -> None:
        self._succeeded(self.probe.invoke({"action": action, "time": time}), when)

    def stops(
        self, copy: HalfWay, action: str, time: str, changes: int, when: str
    ) -> bool:
        """Send an event to a copy of the function that stops after so many changes; False when it made no more."""
        outcome = copy.invoke({"action": action, "time": time}, changes)
        self._succeeded(outcome, when)
        return bool(outcome.payload)

    def _succeeded(self, outcome: diagnosis.Outcome, when: str) -> None:
        if outcome.failed:
            raise NotSolved(
                diagnosis.of_refusal(outcome.error_message, self.probe.function)
                or _failure(outcome.payload or {}, when)
            )

    def expect(
        self, wanted: tuple[int, int], otherwise: str | Callable[[tuple[int, int]], str]
    ) -> None:
        """NotSolved with this sentence, or with what is made of the sizes that were found, for other sizes."""
        found = self.sizes()
        if found != wanted:
            sentence = otherwise if isinstance(otherwise, str) else otherwise(found)
            raise NotSolved(
                f"{sentence} (MinSize and DesiredCapacity are {found[0]} and {found[1]}, and should be "
                f"{wanted[0]} and {wanted[1]}.)"
            )

    def start_instances(self) -> None:
        """Whatever the reader or a check has left stopped."""
        if stopped := self.instances("stopped"):
            self.ec2.start_instances(InstanceIds=stopped)

    def instances(self, state: str) -> list[str]:
        """The instances in this state that the function may stop."""
        filters = [
            {"Name": "tag:night", "Values": [self.night]},
            {"Name": "instance-state-name", "Values": [state]},
        ]
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [
            instance["InstanceId"] for each in found for instance in each["Instances"]
        ]


def _failure(payload: dict[str, Any], when: str) -> str:
    kind, message = (
        payload.get("errorType", ""),
        str(payload.get("errorMessage", ""))[:200],
    )
    if kind == "NotImplementedError":
        return f"change is not written yet ({message})."
    if kind == "KeyError" and "night:" in message:
        return f"{when} the function failed with KeyError: {message}: the tag is not there; use .get, or ask with `in`."
    return f"{when} the function failed with {kind}: {message}"


def judge_change(workshop: Workshop) -> list[str]:
    function = deployed.find(
        workshop, workshop.name("night-scale-in"), "run the cell that deploys it"
    )
    group = _Group(workshop, function)
    before, tags = group.sizes(), group.tags()
    began = datetime.now(UTC).replace(microsecond=0)
    times = [
        (began + timedelta(hours=10 * step)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for step in range(6)
    ]
    try:
        for scenario in SCENARIOS:
            scenario(group, times)
    finally:
        group.begin(*before, tags)
    return []


def _one_night(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.start_instances()
    running = len(group.instances("running"))
    group.send("in", times[0], "In the evening")
    group.expect(
        (0, 0),
        lambda found: (
            "After the evening's event the group is not empty; set both sizes to 0."
        ),
    )
    if group.instances("running"):
        raise NotSolved(
            "After the evening's event the tagged instances still run; call stop_instances() too."
        )
    group.send("out", times[1], "In the morning")
    group.expect(
        (1, 2),
        lambda found: (
            "The morning restored the capacity, but not MinSize; remember and restore both."
            if found == (0, 2)
            else "The morning did not restore the sizes of the evening before."
        ),
    )
    if (
        group.is_embedded and len(group.instances("running")) < running
    ):  # on AWS it still stops
        raise NotSolved(
            "After the morning's event the tagged instances are still stopped; call start_instances() too."
        )


def _evening_twice(group: _Group, times: list[str]) -> None:
    group.begin(1, 3)
    for count in ("first", "second"):
        group.send("in", times[0], f"At the {count} delivery of one evening's event")
    group.send(
        "out", times[1], "In the morning after an evening whose event came twice"
    )
    group.expect(
        (1, 3),
        lambda found: (
            "The evening's event came twice, and the second time the function remembered the group that was empty "
            "already; write SIZE only when the group has no such tag."
            if found == (0, 0)
            else "The evening's event came twice, and the morning did not restore the size."
        ),
    )


def _died_in_the_evening(group: _Group, times: list[str]) -> None:
    group.begin(0, 0, [{"Key": "night:size", "Value": "1 2"}])
    group.send("in", times[0], "At the second try of an evening that died half-way")
    group.send("out", times[1], "In the morning after an evening that died half-way")
    group.expect(
        (1, 2),
        "A function that had written SIZE and emptied the group died before it could note LAST; then the same event "
        "came again, and the size was lost. Do not overwrite a SIZE that is there.",
    )


def _morning_twice(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the evening")
    group.send("out", times[1], "In the morning")
    group.set(1, 3)
    group.send("out", times[1], "When the morning's event came a second time,")
    group.expect(
        (1, 3),
        "Somebody enlarged the group after the morning; then the morning's event came a second time and undid it. "
        "Forget SIZE once it is restored.",
    )


def _late(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the evening")
    group.send("out", times[1], "In the morning")
    group.send(
        "in", times[0], "When an evening's event came once more, after the morning's,"
    )
    group.expect(
        (1, 2),
        "An evening's event came once more, after the morning's, and emptied the group by day; compare its time "
        "with LAST, the time of the last event that was handled.",
    )
    group.begin(1, 3)
    group.send("out", times[1], "When a morning came without an evening,")
    group.send("in", times[0], "When an evening's event came only after the morning's,")
    group.expect(
        (1, 3),
        "A morning's event came first, and found nothing to restore; then the evening's event before it came, "
        "late, and emptied the group by day. Note LAST in every case.",
    )


def _nothing(group: _Group, times: list[str]) -> None:
    group.begin(2, 3)
    group.send("out", times[1], "In a morning without anything remembered")
    group.expect(
        (2, 3),
        "A morning without anything remembered changed the group; leave it as it is.",
    )


def _two_nights(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the first evening")
    group.send("out", times[1], "In the first morning")
    group.set(2, 3)
    group.send("in", times[2], "In the second evening")
    group.expect(
        (0, 0),
        "The second evening did not empty the group; only older or equal times are ignored.",
    )
    group.send("out", times[3], "In the second morning")
    group.expect(
        (2, 3),
        lambda found: (
            "The second morning restored the size of the first night; forget SIZE once it is restored."
            if found == (1, 2)
            else "The second morning did not restore the sizes of the evening before."
        ),
    )


def _by_hand_at_night(group: _Group, times: list[str]) -> None:
    group.begin(1, 3)
    group.send("in", times[0], "In the evening")
    group.set(1, 2)
    group.send("in", times[0], "When the evening's event came a second time,")
    group.expect(
        (1, 2),
        "Somebody started machines at night; then the evening's event came a second time and stopped them. An "
        "event with the same time as LAST is not newer: ignore it, too.",
    )


MOST_CHANGES = 20  # of one event; the notebook's function makes five


def _stopped_half_way(group: _Group, times: list[str]) -> None:
    """Evening and morning stop after one change, after two, and so on, and their events come again."""
    with half_way(group.probe) as copy:
        for changes in range(1, MOST_CHANGES):
            group.begin(1, 2)
            group.start_instances()
            after = f"the function stopped after {_number(changes)}, and the same event came again"
            evening = f"In an evening {after}"
            evening_stopped = group.stops(copy, "in", times[0], changes, evening)
            group.send("in", times[0], evening)
            ignored = f"{evening}; it was ignored: note LAST when all is done."
            group.expect((0, 0), ignored)
            if group.instances("running"):
                raise NotSolved(ignored)
            morning = f"In a morning {after}"
            morning_stopped = group.stops(copy, "out", times[1], changes, morning)
            group.send("out", times[1], morning)
            group.expect(
                (1, 2),
                f"{evening}. In the morning it was so, too, and in the end the size was not restored: remember SIZE "
                "before you empty the group, forget it after the group has it again, and note LAST when all is done.",
            )
            if not evening_stopped and not morning_stopped:
                return


def _number(changes: int) -> str:
    return "one change" if changes == 1 else f"{changes} changes"


SCENARIOS = (
    _one_night,
    _evening_twice,
    _died_in_the_evening,
    _morning_twice,
    _late,
    _nothing,
    _two_nights,
    _by_hand_at_night,
    _stopped_half_way,
)


def _but(name: str, old: str, new: str, says: str) -> WrongAnswer:
    """The notebook's own `change`, but with something put in place of something else."""
    return WrongAnswer(name, ((old, new),), says)


RESIZE = "resize(group, int(least), int(desired))"
LAST = "    remember(group, LAST, time)"
TAGS = "    tags = tags_of(group)"
WRONG_CHANGES = (
    _but(
        "size overwritten",
        "        if SIZE not in tags:\n            remember(",
        "        if True:\n            remember(",
        "died before it could note LAST; .* Do not overwrite a SIZE that is there",
    ),
    _but(
        "no time",
        '    if time <= tags.get(LAST, ""):\n',
        "    if False:\n",
        "came once more, after the morning's, and emptied",
    ),
    _but(
        "only older",
        "    if time <= tags",
        "    if time < tags",
        "with the same time as LAST is not newer",
    ),
    _but(
        "not forgotten",
        "            forget(group, SIZE)\n",
        "",
        "restored the size of the first night; forget SIZE",
    ),
    _but(
        "no memory",
        "        if SIZE in tags:\n            least",
        "        if True:\n            least",
        "failed with KeyError: 'night:size'.* the tag is not there",
    ),
    _but("no last", LAST, "", "after the morning's, and emptied"),
    _but(
        "last only with a size",
        LAST,
        f"    if SIZE in tags or action == 'in':\n    {LAST}",
        "found nothing to restore; .* Note LAST in every case",
    ),
    _but(
        "last first",
        '    if action == "in":\n',
        '    remember(group, LAST, time)\n    if action == "in":\n',
        "evening the function stopped after one change, .*; it was ignored: note LAST when all is done",
    ),
    _but(
        "last before the instances",
        "        stop_instances()\n",
        "        remember(group, LAST, time)\n        stop_instances()\n",
        "evening the function stopped after 3 changes, .*; it was ignored: note LAST when all is done",
    ),
    _but(
        "emptied before it is remembered",
        "        if SIZE not in tags:\n            remember(",
        "        resize(group, 0, 0)\n        if SIZE not in tags:\n            remember(",
        "stopped after one change, .* size was not restored: remember SIZE before you empty",
    ),
    _but(
        "forgotten before it is restored",
        f"            {RESIZE}\n            forget(group, SIZE)\n",
        f"            forget(group, SIZE)\n            {RESIZE}\n",
        "stopped after one change, .* size was not restored: .* forget it after the group has it",
    ),
    _but(
        "no minimum",
        RESIZE,
        "resize(group, 0, int(desired))",
        "the capacity, but not MinSize",
    ),
    _but("constant", RESIZE, "resize(group, 1, 3)", "did not restore the sizes"),
    _but(
        "minimum left",
        "resize(group, 0, 0)",
        "resize(group, group['MinSize'], 0)",
        "Desired capacity:0 must be between the specified min size:1",  # AWS's own words
    ),
    _but("no scale-in", "resize(group, 0, 0)", "pass", "the group is not empty"),
    _but(
        "no stop",
        "        stop_instances()\n",
        "",
        r"still run; call stop_instances\(\)",
    ),
    _but(
        "no start",
        "        start_instances()\n",
        "",
        r"still stopped; call start_instances\(\)",
    ),
    _but(
        "no tags",
        TAGS,
        "    tags = {}",
        "remembered the group that was empty already|did not restore",
    ),
    _but(
        "raises",
        TAGS,
        "    raise ValueError('no')",
        "In the evening the function failed with ValueErr",
    ),
    _but(
        "unsolved",
        TAGS,
        "    raise NotImplementedError('Ignore.')",
        r"not written yet \(Ignore\.\)",
    ),
)
