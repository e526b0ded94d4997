"""Rules of EventBridge: a cron expression fires at its minute, in UTC, and a new one counts anew; what is refused.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from localaws_client import refused
from ministack.services import eventbridge

from helpers.localaws.services.eventbridge import rules as ours

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)  # a Tuesday


class Clock:
    def __init__(self, now):
        self.moment = now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(NOON)
    monkeypatch.setattr(ours.time, "time", lambda: clock.moment.timestamp())
    return clock


@pytest.fixture
def fired(monkeypatch):
    """The names of the rules that fire, in order."""
    names = []
    monkeypatch.setattr(eventbridge, "_invoke_target", lambda target, event, of, view=None: names.append(of["Name"]))
    return names


@pytest.fixture
def rules(monkeypatch, clock, fired):
    """Rules in this process, with a target each."""
    for module, name in {(eventbridge, "_SCHEDULER_TICK_INTERVAL"), *ours.CONTRACT}:
        monkeypatch.setattr(module, name, getattr(module, name))  # so that it is put back
    for name in ("_rules", "_targets", "_rule_last_fired"):
        empty = {} if name == "_rule_last_fired" else type(getattr(eventbridge, name))()
        monkeypatch.setattr(eventbridge, name, empty)
    monkeypatch.setattr(eventbridge, "_now_ts", lambda: clock.moment.timestamp())
    ours.install()

    def put(name, expression, state="ENABLED"):
        key = ("000000000000", "us-east-1", f"default|{name}")
        eventbridge._rules._data[key] = {
            "Name": name,
            "ScheduleExpression": expression,
            "State": state,
            "CreationTime": clock.moment.timestamp(),
            "Arn": f"arn:aws:events:us-east-1:000000000000:rule/{name}",
            "EventBusName": "default",
        }
        eventbridge._targets._data[key] = [{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}]
        return eventbridge._rules._data[key]

    return put


def run_until(clock, minute, second):
    """Tick once a second until then, as the server does."""
    end = NOON.replace(minute=minute, second=second)
    while clock.moment <= end:
        eventbridge._tick_scheduled_rules()
        clock.moment += timedelta(seconds=1)


def test_a_cron_rule_fires_at_the_minute_not_a_minute_after_it_was_made(rules, clock, fired):
    rules("r", "cron(* * * * ? *)")
    run_until(clock, 0, 59)
    assert fired == []
    run_until(clock, 1, 0)
    assert fired == ["r"]
    run_until(clock, 1, 59)
    assert fired == ["r"]
    run_until(clock, 3, 0)
    assert fired == ["r"] * 3


def test_a_rate_rule_counts_from_its_creation(rules, clock, fired):
    rules("r", "rate(1 minute)")
    run_until(clock, 1, 29)
    assert fired == []
    run_until(clock, 1, 31)
    assert fired == ["r"]


def test_a_rule_that_is_enabled_does_not_make_up_for_what_it_missed(rules, clock, fired):
    rule = rules("r", "cron(* * * * ? *)", state="DISABLED")
    run_until(clock, 5, 20)
    rule["State"] = "ENABLED"
    run_until(clock, 5, 59)
    assert fired == []
    run_until(clock, 6, 0)
    assert fired == ["r"]


def test_a_rule_that_is_made_again_counts_anew(rules, clock, fired):
    rules("r", "rate(1 minute)")
    run_until(clock, 1, 40)
    assert fired == ["r"]
    rules("r", "rate(1 minute)")
    run_until(clock, 2, 39)
    assert fired == ["r"]
    run_until(clock, 2, 43)
    assert fired == ["r", "r"]


@pytest.fixture
def events(clients):
    """The client of EventBridge; the rules that a test makes with it are deleted."""
    client = clients("events")
    there = {rule["Name"] for rule in client.list_rules()["Rules"]}  # other tests of this run have rules, too
    yield client
    for rule in client.list_rules()["Rules"]:
        if rule["Name"] in there:
            continue
        targets = [target["Id"] for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
        if targets:
            client.remove_targets(Rule=rule["Name"], Ids=targets)
        client.delete_rule(Name=rule["Name"])


INVALID = "ValidationException"


def test_what_is_no_rule(events):
    before = events.list_rules()["Rules"]

    def refusal(**rule):
        return refused(events.put_rule, **{"Name": "refused", **rule})

    for expression in ("rate(1 minutes)", "rate(0 minutes)", "cron(0 25 * * ? *)", "cron(0 8 * * *)"):
        assert refusal(ScheduleExpression=expression) == (INVALID, "Parameter ScheduleExpression is not valid.")
    neither = "Parameter(s) EventPattern or ScheduleExpression must be specified."
    assert refusal() == (INVALID, neither)
    code, words = refusal(Name="two words", ScheduleExpression="rate(1 minute)")
    assert code == INVALID
    assert words.startswith("1 validation error detected: Value 'two words' at 'name' failed to satisfy constraint")
    assert "64" in refusal(Name="n" * 65, ScheduleExpression="rate(1 minute)")[1]
    for pattern, reason in (
        ("no JSON", "Event pattern is not valid. Reason: "),
        ('{"source": "aws.s3"}', '"source" must be an object or an array'),
        ('{"source": []}', "Empty arrays are not allowed"),
        ('{"source": [{"bigger": 1}]}', "Unrecognized match type bigger"),
    ):
        code, words = refusal(EventPattern=pattern)
        assert code == "InvalidEventPatternException"
        assert reason in words
    assert events.list_rules()["Rules"] == before


def test_schedules_are_of_the_default_bus(events):
    events.create_event_bus(Name="own")
    assert refused(events.put_rule, Name="r", EventBusName="own", ScheduleExpression="rate(1 minute)") == (
        INVALID,
        "ScheduleExpression is supported only on the default event bus.",
    )
    events.delete_event_bus(Name="own")


def target(number, **more):
    return {"Id": f"t{number}", "Arn": "arn:aws:sqs:us-east-1:000000000000:anything", **more}


def test_a_rule_has_five_targets_at_most(events):
    events.put_rule(Name="many", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="many", Targets=[target(number) for number in range(5)])
    events.put_targets(Rule="many", Targets=[target(4)])  # which is there
    code, words = refused(events.put_targets, Rule="many", Targets=[target(5)])
    assert (code, words) == ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    assert len(events.list_targets_by_rule(Rule="many")["Targets"]) == 5


def test_what_is_no_target(events):
    events.put_rule(Name="odd", ScheduleExpression="rate(1 day)")

    def refusal(rule="odd", **more):
        return refused(events.put_targets, Rule=rule, Targets=[{**target(1), **more}])

    assert refusal("nobody") == ("ResourceNotFoundException", "Rule nobody does not exist on EventBus default.")
    assert "targets.1.member.id" in refusal(Id="two words")[1]
    assert "JSON syntax error" in refusal(Input="{")[1]
    assert "Only one of Input, InputPath, or InputTransformer" in refusal(Input="{}", InputPath="$.detail")[1]


def test_a_rule_with_targets_stays(events):
    events.put_rule(Name="kept", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="kept", Targets=[target(1)])
    assert refused(events.delete_rule, Name="kept") == (INVALID, "Rule can't be deleted since it has targets.")
    events.remove_targets(Rule="kept", Ids=["t1"])
    events.delete_rule(Name="kept")
    events.delete_rule(Name="kept")  # which is gone
    for call in (events.describe_rule, events.enable_rule, events.disable_rule):
        assert refused(call, Name="kept")[1] == "Rule kept does not exist on EventBus default."


def test_entries_that_are_no_events_fail_one_by_one(events):
    good = {"Source": "test", "DetailType": "t", "Detail": "{}"}
    entries = [
        good,
        *({name: value for name, value in good.items() if name != missing} for missing in good),
        {**good, "Detail": "{"},
        {**good, "Detail": "[]"},
        {**good, "Detail": '{"a": NaN}'},
        good,
    ]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 6
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        *["InvalidArgument"] * 3,
        *["MalformedDetail"] * 3,
        None,
    ]
    assert answer["Entries"][1]["ErrorMessage"] == (
        "Parameter Source is not valid. Reason: Source is a required argument."
    )
    assert answer["Entries"][0]["EventId"] != answer["Entries"][-1]["EventId"]


def test_entries_that_are_too_many_or_too_large(events):
    good = {"Source": "test", "DetailType": "t", "Detail": "{}"}
    code, words = refused(events.put_events, Entries=[good] * 11)
    assert (code, words.partition(":")[0]) == (INVALID, "1 validation error detected")
    large = {**good, "Detail": json.dumps({"x": "x" * 2**19})}
    assert events.put_events(Entries=[large])["FailedEntryCount"] == 0
    over = "Total size of the entries in the request is over the limit."
    assert refused(events.put_events, Entries=[large, large]) == (INVALID, over)
