"""Environments: what events are folded into, counted and said."""

from itertools import count

import pytest

from helpers.watch.environments import ENDED, REMEMBERED, Environments

AT = 1_790_000_000_000.0  # ms since 1970
_clock = count()


def event(kind: str, environment: str = "one", function: str = "hello", **members) -> dict:
    """An event of an environment, each one a tenth of a second after the one before."""
    return {
        "at": AT + 100 * next(_clock),
        "kind": f"environment.{kind}",
        "environment": f"/aws/lambda/{function}:{environment}",
        "function": function,
        "version": "$LATEST",
        **members,
    }


def cold_start(environment: str = "one", **members) -> list[dict]:
    made = {"memory_size": 128, "initialization_type": "on-demand", **members}
    return [
        event("created", environment, **made),
        event("init", environment, phase="init"),
        event("ready", environment, init_ms=412.5, memory_mb=33.0),
        event("frozen", environment),
    ]


def invocation(environment: str = "one", status: str = "success", duration_ms: float = 20.0) -> list[dict]:
    return [
        event("thawed", environment),
        event("busy", environment, request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95"),
        event("idle", environment, duration_ms=duration_ms, billed_ms=21, memory_mb=34.0, status=status),
    ]


@pytest.fixture
def environments() -> Environments:
    begun = Environments(["hello"])
    begun.restart([], AT)
    return begun


def test_an_environment_goes_through_its_states(environments):
    states = []
    for each in [*cold_start(), *invocation()]:
        environments.told([each])
        [environment] = environments.there()
        states.append((each["kind"].removeprefix("environment."), environment.state, environment.request_id))
    request = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    assert states == [
        ("created", "waiting", None),
        ("init", "init", None),
        ("ready", "idle", None),
        ("frozen", "idle", None),
        ("thawed", "idle", None),
        ("busy", "busy", request),
        ("idle", "idle", None),
    ]
    assert (environment.init_ms, environment.memory_mb, environment.memory_size) == (412.5, 34.0, 128)
    assert [each["duration_ms"] for each in environment.invocation_times] == [20.0]


def test_it_is_said_how_many_there_are_and_what_they_did(environments):
    for name in ("one", "two", "three"):
        environments.told([*cold_start(name), *invocation(name), *invocation(name), *invocation(name)])
    environments.told([event("busy", "three", request_id="r")])
    wanted = "3 environments of hello: 1 busy, 2 idle; 3 cold starts, 9 invocations, none failed."
    assert environments.sentence() == wanted


def test_one_is_one_and_none_is_none(environments):
    assert environments.sentence() == "No environment of hello; 0 cold starts, 0 invocations."
    environments.told([*cold_start(), *invocation(status="timeout")])
    assert environments.sentence() == "1 environment of hello: 1 idle; 1 cold start, 1 invocation, 1 failed."


def test_what_has_ended_and_what_was_throttled_is_said(environments):
    throttled = {"at": AT, "kind": "invocation.throttled", "function": "hello", "version": "$LATEST", "request_id": "r"}
    environments.told([*cold_start(), event("ended", reason="idle"), throttled, throttled])
    assert environments.sentence() == "No environment of hello: 1 ended; 1 cold start, 0 invocations, 2 throttled."
    assert [each.reason for each in environments.all.values()] == ["idle"]


def test_one_that_ends_in_mid_call_has_a_failed_invocation(environments):
    environments.told([*cold_start(), event("busy", request_id="r"), event("ended", reason="killed")])
    assert (environments.counts.invocations, environments.counts.failed) == (1, 1)


def test_an_invocation_that_never_gets_beyond_init_has_failed(environments):
    """Lambda tries a failed init once more, as part of the invocation that waits for it."""
    first = [*cold_start()[:2], event("ended", reason="failed")]
    anew = [event("created", initialization_type="on-demand"), event("init", phase="invoke")]
    environments.told([*first, *anew, event("ended", reason="failed")])
    assert environments.sentence() == "No environment of hello: 2 ended; 1 cold start, 1 invocation, 1 failed."
    [environment] = environments.all.values()
    [failed] = environment.invocation_times
    assert (failed["status"], failed["duration_ms"] > 0, environment.failed) == ("failed", True, 1)
    environments.told([*anew, event("ready", init_ms=3.0), *invocation(), event("ended", reason="idle")])
    assert (environments.counts.invocations, environments.counts.failed) == (2, 1)


def test_after_a_crash_the_same_one_begins_anew(environments):
    environments.told([*cold_start(), *invocation(status="error"), event("ended", reason="exited"), *cold_start()])
    [environment] = environments.there()
    assert (environment.state, environment.invocations, environments.counts.cold_starts) == ("idle", 0, 2)


@pytest.mark.parametrize(
    "kind, phase, counted",
    [
        ("on-demand", "init", 1),
        ("on-demand", "invoke", 0),  # as in REPORT lines, which then have no Init Duration
        ("provisioned-concurrency", "init", 0),  # nobody waits for it
        ("snap-start", "init", 0),  # for a snapshot
        ("snap-start", "restore", 1),
    ],
)
def test_a_cold_start_is_what_an_invocation_waits_for(environments, kind, phase, counted):
    environments.told([event("created", initialization_type=kind), event("init", phase=phase)])
    assert environments.counts.cold_starts == counted


def test_only_these_functions_are_watched(environments):
    other = event("created", function="other")
    assert environments.told([other, *cold_start()]) != []
    assert [each.function for each in environments.there()] == ["hello"]
    everything = Environments()
    everything.told([other, *cold_start()])
    assert everything.sentence().startswith("2 environments of hello, other: ")


def test_many_functions_are_counted():
    everything = Environments()
    everything.told([event("created", function=f"f{number}") for number in range(5)])
    assert everything.sentence().startswith("5 environments of 5 functions: 5 waiting; ")


def test_who_joins_late_places_what_it_hears_of(environments):
    environments.told([event("busy", "unheard-of", request_id="r")])
    assert [each.state for each in environments.there()] == ["busy"]
    assert environments.told([event("ended", "another", reason="idle")]) == []


def test_events_that_it_does_not_know_change_nothing(environments):
    environments.told(cold_start())
    before = environments.messages()
    odd = [event("odd"), {"at": AT, "kind": "message.sent", "queue": "q"}, {"at": AT, "kind": "environment.busy"}]
    assert environments.told(odd) == []
    assert environments.messages() == before


def test_a_snapshot_replaces_all_and_what_was_missed_is_counted(environments):
    environments.told([*cold_start("one"), *cold_start("two"), *invocation("one")])
    one, two = environments.messages()
    again = {**one, "invocations": 4, "invocation_times": one["invocation_times"][-1:], "failed": 0}
    third = {**two, "environment": "/aws/lambda/hello:three", "invocations": 1}
    environments.restart([again, third], AT + 5000)
    assert {each.environment.rpartition(":")[2]: each.state for each in environments.all.values()} == {
        "one": "idle",
        "two": "ended",  # nobody has told why
        "three": "idle",
    }
    counts = environments.counts
    assert (counts.invocations, counts.cold_starts, counts.ended) == (5, 3, 1)


def test_what_was_there_at_first_is_not_what_happened():
    begun = Environments(["hello"])
    begun.restart([{"environment": "g:s", "function": "hello", "version": "1", "state": "idle", "invocations": 7}], AT)
    assert begun.sentence() == "1 environment of hello: 1 idle; 0 cold starts, 0 invocations."


def test_memory_is_bounded(environments):
    environments.told(cold_start())
    for _ in range(REMEMBERED + 10):
        environments.told(invocation())
    [environment] = environments.there()
    assert (len(environment.invocation_times), environment.invocations) == (REMEMBERED, REMEMBERED + 10)
    for number in range(ENDED + 20):
        environments.told([event("created", f"e{number}"), event("ended", f"e{number}", reason="idle")])
    assert len(environments.all) == ENDED + 1
    assert environments.counts.ended == ENDED + 20


def test_names_are_text_and_short():
    everything = Environments()
    everything.told([event("created", function="a\u202eb" + 100 * "x")])
    sentence = everything.sentence()
    assert "a\\u202eb" in sentence
    assert "\u202e" not in sentence
    assert len(sentence) < 160


def test_groups_are_by_function_and_version_and_in_the_order_of_time():
    everything = Environments()
    everything.told([event("created", "b", version="2"), event("created", "c"), event("created", "a")])
    groups = {key: [each.environment[-1] for each in group] for key, group in everything.groups().items()}
    assert groups == {("hello", "$LATEST"): ["c", "a"], ("hello", "2"): ["b"]}
