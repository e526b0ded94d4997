"""The function of notebook 12 on its own: the group, the tagged instances, and no others."""

import pytest

from helpers.events import load_event

EVENING = load_event("scheduled") | {"action": "in"}  # with the time that EventBridge names
MORNING = EVENING | {"action": "out", "time": "2026-11-02T23:00:00Z"}


@pytest.fixture(params=["draft", "corrected"])
def app(request, apps):
    return apps[request.param]


def test_an_evening_empties_the_group_and_stops_the_instance(app, night):
    app.handler(EVENING, None)
    assert night.sizes() == (0, 0)
    assert night.now()["Instances"] == []
    assert night.state() == "stopped"
    assert night.tags()["night:size"] == "1 3"


def test_the_morning_brings_back_what_there_was(app, night):
    night.set(2, 4)
    app.handler(EVENING, None)
    app.handler(MORNING, None)
    assert night.sizes() == (2, 4)
    assert len(night.now()["Instances"]) == 4
    assert night.state() == "running"


def test_instances_without_the_tag_or_with_another_learners_stay_as_they_are(app, night):
    others = [night.instance({}), night.instance({"night": "somebody-off"})]
    app.handler(EVENING, None)
    assert [night.state(each) for each in others] == ["running", "running"]


def test_an_instance_that_was_stopped_by_hand_is_not_started(app, night):
    asleep = night.instance({"night": night.tag})
    night.ec2.stop_instances(InstanceIds=[asleep])
    app.handler(EVENING, None)
    app.handler(MORNING, None)
    assert night.state(asleep) == "stopped"
    assert night.state() == "running"


def test_the_tags_of_the_group_are_not_for_its_machines(app, night):
    app.handler(EVENING, None)
    assert not any(tag["PropagateAtLaunch"] for tag in night.now()["Tags"] if tag["Key"].startswith("night"))


def test_the_next_night_begins_with_the_size_of_that_day(app, night):
    for day, size in (("03", (1, 2)), ("04", (2, 4))):
        night.set(*size)
        app.handler(EVENING | {"time": f"2026-11-{day}T13:00:00Z"}, None)
        app.handler(MORNING | {"time": f"2026-11-{day}T23:00:00Z"}, None)
        assert night.sizes() == size
