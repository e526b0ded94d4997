"""When an asynchronous event is tried again, and when it is given up: the developer guide's rules, without a clock.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (November 2026)
"""

import pytest

from helpers.localaws.data_plane.retry_policy import Attempts, End, Result, Settings, TryAgain, decide

E, T, S = Result.ERROR, Result.THROTTLE, Result.SUCCESS


def course(results, settings, lasting_s=0.0):
    """What an event goes through whose attempts end so: the pauses, how it ends, and its age and attempts then."""
    attempts, age_s, pauses = Attempts(), 0.0, []
    for result in results:
        age_s += lasting_s
        attempts = attempts.after(result)
        decision = decide(attempts, result, age_s, settings)
        if isinstance(decision, End):
            return pauses, decision.condition, age_s, attempts.total
        pauses.append(decision.after_s)
        age_s += decision.after_s + decision.shortened_s
    return pauses, None, age_s, attempts.total


def forever(result):
    while True:
        yield result


def test_a_success_is_the_end():
    assert decide(Attempts(1), S, 0, Settings()) == End("Success")
    assert decide(Attempts(1, 2, 3), S, 10**6, Settings(0, 60)) == End("Success")  # however old and often tried


@pytest.mark.parametrize(("retries", "pauses"), [(0, []), (1, [1]), (2, [1, 2])])
def test_an_error_is_tried_again_as_often_as_is_set_and_each_pause_is_longer(retries, pauses):
    assert course(forever(E), Settings(retries))[:2] == (pauses, "RetriesExhausted")


def test_the_minute_is_a_setting():
    assert course(forever(E), Settings(minute_s=60))[0] == [60, 120]
    assert course([T, T, T, T, T, S], Settings(minute_s=0.1))[0] == pytest.approx([0.1, 0.2, 0.4, 0.5, 0.5])
    assert course([T, E, S], Settings(minute_s=0))[0] == [0, 0]


def test_the_pauses_of_a_throttled_event_double_up_to_five_minutes():
    assert course([T] * 6 + [S], Settings())[:2] == ([1, 2, 4, 5, 5, 5], "Success")


def test_throttles_do_not_count_as_retries():
    pauses, condition, _, attempts = course([T, E, T, E, T, T, E], Settings())
    assert (pauses, condition, attempts) == ([1, 1, 2, 2, 4, 5], "RetriesExhausted", 7)


@pytest.mark.parametrize(("settings", "limit_s"), [(Settings(max_age_s=600), 600), (Settings(), 21_600)])
def test_a_throttled_event_is_given_up_at_its_age(settings, limit_s):
    pauses, condition, age_s, attempts = course(forever(T), settings)
    assert condition == "EventAgeExceeded"
    assert limit_s - 300 <= age_s <= limit_s
    assert attempts == len(pauses) + 1


def test_an_event_that_fails_is_not_kept_beyond_its_age_either():
    assert course([E, E], Settings(max_age_s=200), lasting_s=50)[1:] == ("EventAgeExceeded", 160, 2)


@pytest.mark.parametrize("minute_s", [60, 1, 0.1, 0])
@pytest.mark.parametrize(("max_age_s", "tries"), [(60, 1), (120, 2), (190, 3), (3600, 3)])
def test_an_age_allows_as_many_tries_as_on_aws_however_short_a_minute_is(max_age_s, tries, minute_s):
    """60 s allow one: test_maxeventage of localstack's test_lambda_destinations, recorded in November 2025."""
    settings = Settings(max_age_s=max_age_s, minute_s=minute_s)
    assert course(forever(E), settings, lasting_s=1)[3] == tries


def test_retries_that_are_exhausted_are_said_before_the_age():
    assert decide(Attempts(errors=3), E, 10**6, Settings()) == End("RetriesExhausted")


def test_the_age_at_the_next_attempt_counts():
    assert decide(Attempts(errors=1), E, 60, Settings(max_age_s=120)) == TryAgain(1, 59)
    assert decide(Attempts(errors=1), E, 60.1, Settings(max_age_s=120)) == End("EventAgeExceeded")


def test_ten_thousand_throttles_are_no_problem_for_the_arithmetic():
    assert decide(Attempts(throttles=10_000), T, 0, Settings()) == TryAgain(5, 295)
