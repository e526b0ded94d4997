"""Schedule expressions that AWS takes, and others.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import pytest

from helpers.localaws.services.eventbridge.schedule_expression import is_of_a_rule, is_of_a_schedule

GOOD = [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(7 days)",
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0/10 * ? * mon-fri *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
    "cron(0 8 1 * ? *)",
    "cron(0 9 L * ? *)",
    "cron(0 9 LW * ? *)",
    "cron(0 9 3W * ? *)",
    "cron(0 9 ? * 2#1 *)",
    "cron(0 9 ? * 6L *)",
    "cron(0 9 ? JAN,JUL SUN 2026-2030)",
    "cron(*/15 * * * ? *)",
]
BAD = [
    "",
    "rate()",
    "rate(10)",
    "rate(0 minutes)",
    "rate(-1 minutes)",
    "rate(1.5 hours)",
    "rate(10 seconds)",
    "rate(10 MINUTES)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "rate(10 minutess)",
    "rate(foo minutes)",
    "every minute",
    "cron()",
    "cron(INVALID)",
    "cron(0 25 * * ? *)",
    "cron(60 8 * * ? *)",
    "cron(0 8 32 * ? *)",
    "cron(0 8 * 13 ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(0 8 ? * 0 *)",
    "cron(0 8 * * ? 1969)",
    "cron(0 8 * * ?)",
    "cron(0 8 * * ? * *)",
    "cron(0 8 * * * *)",
    "cron(0 8 1 * MON *)",
    "cron(0 8 ? * ? *)",
    "cron(? 8 * * ? *)",
    "cron(*/60 * * * ? *)",
    "cron(0/5, 9-18, ?, *, MON-FRI, *)",
    "cron(7 20 ? * NOT *)",
    "cron(0 9 ? * 2#6 *)",
    "0 8 * * ? *",
]


@pytest.mark.parametrize("expression", GOOD)
def test_what_both_take(expression):
    assert is_of_a_rule(expression)
    assert is_of_a_schedule(expression)


@pytest.mark.parametrize("expression", [*BAD, "rate(5 minute)", "rate(2 hour)"])
def test_what_neither_takes(expression):
    assert not is_of_a_rule(expression)
    assert not is_of_a_schedule(expression)


def test_what_a_schedule_takes_and_a_rule_does_not():
    for expression in ("at(2026-11-24T21:00:31)", "rate(1 minutes)", "rate(1 hours)"):
        assert is_of_a_schedule(expression)
        assert not is_of_a_rule(expression)


@pytest.mark.parametrize(
    "expression",
    ["at(2021-12-31T23:59:59Z)", "at(2021-12-31)", "at(2021-13-31T23:59:59)", "at(2021-02-30T00:00:00)", "at()"],
)
def test_what_is_no_moment(expression):
    assert not is_of_a_schedule(expression)
