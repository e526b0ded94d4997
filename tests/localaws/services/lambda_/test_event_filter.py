"""Filters: the language as the developer guide documents it, and messages that are JSON or plain text.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html,
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
"""

import json

import pytest

from helpers.localaws.services.lambda_.event_filter import passes, refusal


def criteria(*patterns):
    return {"Filters": [{"Pattern": each if isinstance(each, str) else json.dumps(each)} for each in patterns]}


@pytest.mark.parametrize(
    ("pattern", "passing", "dropped"),
    [
        ({"a": [None]}, {"a": None}, {"a": "null"}),
        ({"a": [""]}, {"a": ""}, {"a": "x"}),
        ({"a": ["x", "y"]}, {"a": "y"}, {"a": "z"}),
        ({"a": ["x"], "b": [1]}, {"a": "x", "b": 1}, {"a": "x", "b": 2}),
        ({"a": [{"equals-ignore-case": "Seattle"}]}, {"a": "sEATTLE"}, {"a": "Seat"}),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, {"a": "x"}),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "yx"}, {"a": "xy"}),
        ({"a": [{"numeric": ["=", 100]}]}, {"a": 100.0}, {"a": "100"}),
        ({"a": [{"numeric": [">", 10, "<=", 20]}]}, {"a": 20}, {"a": 10}),
        ({"a": [{"exists": True}]}, {"a": 1}, {"b": 1}),
        ({"a": [{"exists": False}]}, {"b": 1}, {"a": 1}),
        ({"a": [{"prefix": "us-"}]}, {"a": "us-1"}, {"a": "eu-1"}),
        ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, {"a": "png.x"}),
        ({"a": {"b": [True]}}, {"a": {"b": True}}, {"a": {"b": 1}}),
        ({"a": ["x"]}, {"a": ["w", "x"]}, {"a": ["w"]}),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, {"a": "y"}),
    ],
    ids=str,
)
def test_the_language(pattern, passing, dropped):
    assert refusal(criteria(pattern)) is None
    assert passes({"body": json.dumps(passing)}, criteria({"body": pattern}))
    assert not passes({"body": json.dumps(dropped)}, criteria({"body": pattern}))


def test_any_of_several_filters_is_enough_and_none_lets_all_pass():
    either = criteria({"body": {"a": [1]}}, {"body": {"a": [2]}})
    assert [passes({"body": json.dumps({"a": n})}, either) for n in (1, 2, 3)] == [True, True, False]
    assert passes({"body": "x"}, None)
    assert passes({"body": "x"}, {"Filters": []})


@pytest.mark.parametrize(
    ("body", "pattern", "is_passed"),
    [
        ("plain", {"body": ["plain"]}, True),
        ("plain", {"body": ["other"]}, False),
        ("plain", {"body": {"a": [{"exists": False}]}}, False),  # JSON is asked for
        ('{"a": 1}', {"body": ["plain"]}, False),
        ('{"a": 1}', {"body": [{"prefix": "{"}]}, False),
        ("plain", {"messageAttributes": {"x": {"stringValue": ["y"]}}}, True),
        ('{"a": 1}', {"messageAttributes": {"x": {"stringValue": ["y"]}}}, True),
    ],
)
def test_a_body_that_is_plain_text_and_one_that_is_json(body, pattern, is_passed):
    assert passes({"body": body, "messageAttributes": {"x": {"stringValue": "y"}}}, criteria(pattern)) is is_passed


def test_an_attribute_of_dynamodb_exists_below_its_type():
    """Recorded on AWS: test_dynamodb_event_filter[exists_false_filter], 2025-11-25."""
    record = {"dynamodb": {"NewImage": {"name": {"S": "x"}, "age": {"N": "30"}}}}

    def image(**pattern):
        return passes(record, criteria({"dynamodb": {"NewImage": pattern}}))

    assert image(name=[{"exists": False}])
    assert not image(name={"S": [{"exists": False}]})
    assert image(age={"N": ["30"]})
    assert not image(age={"N": [{"numeric": [">", 20]}]})  # a number of DynamoDB is text


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "null",
        "simple string",
        '"text"',
        "[]",
        "{}",
        '[{"eventName": ["INSERT"=123}]',
        {"eventSource": "aws:sqs"},
        {"eventSource": []},
        {"body": {"a": [{"bigger": 1}]}},
        {"body": {"a": [{"numeric": ["<", "x"]}]}},
        {"body": {"a": [{"numeric": [">", 5, "<", 1]}]}},
        {"body": {"a": [{"exists": "yes"}]}},
        {"body": {"a": [{"prefix": 1}]}},
        {"body": {"a": [["nested"]]}},
        {"body": {"a": [{"cidr": "10.0.0.0/24"}]}},  # EventBridge's, and not among those that Lambda documents
        {"body": {"a": [{"wildcard": "*.png"}]}},
    ],
    ids=str,
)
def test_what_is_no_pattern(pattern):
    assert refusal(criteria(pattern)) == "Invalid filter pattern definition."


def test_a_mapping_has_five_filters_at_most():
    pattern = {"body": {"a": [1]}}
    assert refusal(criteria(*[pattern] * 5)) is None
    assert "limit of 5" in refusal(criteria(*[pattern] * 6))
