"""load_event() gives fresh copies, the events say what AWS would, and compare_events() marks what differs."""

import base64
import hashlib
import json
import re
from datetime import datetime
from urllib.parse import parse_qs, unquote_plus

import pytest

import helpers
from helpers import settings
from helpers.arguments import ArgumentError
from helpers.events import COLORS, MARKS, WIDTH, compare_events, load_event

NAMES = sorted(path.stem for path in settings.EVENTS.glob("*.json"))


# load_event


def test_an_event_is_the_content_of_its_file():
    assert load_event("hello") == json.loads((settings.EVENTS / "hello.json").read_text())


def test_each_copy_is_fresh():
    load_event("s3-put")["Records"][0]["s3"]["bucket"]["name"] = "changed"
    assert load_event("s3-put")["Records"][0]["s3"]["bucket"]["name"] != "changed"


def test_changes_replace_top_level_keys():
    assert load_event("hello", name="Ada") == {"name": "Ada"}


@pytest.mark.parametrize("key", ["nosuch", "event", "name"])
def test_a_key_that_the_event_lacks_is_said(key):
    with pytest.raises(ArgumentError) as caught:
        load_event("sqs", **{key: 1})
    assert str(caught.value) == (
        f"The event 'sqs' has no '{key}' to replace; it has: Records. "
        f"To add it, write load_event('sqs') | {{'{key}': …}}."
    )


def test_an_unknown_event_names_those_that_exist():
    with pytest.raises(ValueError, match=r"There is no event 'helo'; choose one of: .*hello.*s3-put.*\."):
        load_event("helo")


def test_no_event_is_read_from_elsewhere():
    with pytest.raises(ValueError, match="There is no event"):
        load_event("../events/hello")


# The events. Their shape is that of test_events_delivered.py


def test_there_is_an_event_for_every_source():
    assert NAMES == [
        "dynamodb-stream",
        "eventbridge",
        "function-url",
        "function-url-post",
        "hello",
        "http-api",
        "http-api-post",
        "s3-put",
        "s3-put-several",
        "scheduled",
        "sns",
        "sqs",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_event_is_an_object_in_readable_json(name):
    event = load_event(name)
    assert isinstance(event, dict)
    text = (settings.EVENTS / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(event, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_accounts_regions_and_days_are_those_of_an_example(name):
    text = (settings.EVENTS / f"{name}.json").read_text(encoding="utf-8")
    assert set(re.findall(r"\b\d{12}\b", text)) <= {"123456789012"}
    assert set(re.findall(r"\b[a-z]{2}-[a-z]+-\d\b", text)) <= {"us-east-1"}
    assert set(re.findall(r"\b(20\d\d)-\d\d-\d\dT", text)) <= {"2026"}
    assert set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) <= {"192.0.2.17", "203.0.113.24"}  # RFC 5737


def test_the_s3_event_is_a_put_with_an_encoded_key():
    (record,) = load_event("s3-put")["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    key = record["s3"]["object"]["key"]
    assert unquote_plus(key) != key
    assert unquote_plus(key) == "uploads/summer trip/富士山.jpg"


def test_the_several_records_of_s3_have_keys_of_every_kind():
    records = load_event("s3-put-several")["Records"]
    assert [unquote_plus(record["s3"]["object"]["key"]) for record in records] == [
        "uploads/summer trip/海と空.jpg",
        "uploads/summer trip/day 1 + day 2.txt",
        "uploads/map.png",
    ]
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert sequencers == sorted(sequencers)


def test_one_of_the_two_sqs_messages_has_attributes():
    plain, with_attributes = load_event("sqs")["Records"]
    assert plain["messageAttributes"] == {} and "md5OfMessageAttributes" not in plain
    assert with_attributes["messageAttributes"]["priority"]["stringValue"] == "1"
    for record in (plain, with_attributes):
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
        assert json.loads(record["body"])["order"]


def test_the_scheduled_event_is_one_of_eventbridge():
    event = load_event("scheduled")
    assert (event["version"], event["source"], event["detail-type"]) == ("0", "aws.events", "Scheduled Event")
    assert event["detail"] == {}
    assert datetime.fromisoformat(event["time"]).utcoffset() is not None


def test_the_custom_event_has_a_detail_of_its_own():
    event = load_event("eventbridge")
    assert event["version"] == "0" and not event["source"].startswith("aws")
    assert event["detail"]["customer"] == {"name": "花子", "member": True}


@pytest.mark.parametrize("name", ["http-api", "http-api-post", "function-url", "function-url-post"])
def test_the_parts_of_an_http_event_agree(name):
    event = load_event(name)
    context, headers = event["requestContext"], event["headers"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] and event["rawPath"] == context["http"]["path"]
    assert headers["host"] == context["domainName"]
    assert context["domainName"].startswith(context["domainPrefix"] + ".")
    assert headers["user-agent"] == context["http"]["userAgent"]
    assert headers["x-forwarded-for"] == context["http"]["sourceIp"]
    second = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    assert second == context["timeEpoch"] // 1000 == int(headers["x-amzn-trace-id"].split("-")[1], 16)
    query = {key: ",".join(values) for key, values in parse_qs(event["rawQueryString"]).items()}
    assert event.get("queryStringParameters", {}) == query
    body = event.get("body", "").encode()
    length = len(base64.b64decode(body) if event["isBase64Encoded"] else body)
    assert int(headers.get("content-length", 0)) == length


def test_the_bodies_of_the_posts():
    assert json.loads(load_event("http-api-post")["body"]) == {"title": "夏の旅", "photos": 3}
    form = base64.b64decode(load_event("function-url-post")["body"]).decode()
    assert parse_qs(form) == {"name": ["花子"], "message": ["Hello from a form"]}


def test_the_stream_tells_the_life_of_one_item():
    insert, modify, remove = (record["dynamodb"] for record in load_event("dynamodb-stream")["Records"])
    assert "OldImage" not in insert and "NewImage" not in remove
    assert modify["OldImage"] == insert["NewImage"] and remove["OldImage"] == modify["NewImage"]
    assert modify["OldImage"] != modify["NewImage"]
    for change in (insert, modify, remove):
        image = change.get("NewImage") or change["OldImage"]
        assert change["Keys"].items() <= image.items()


def test_the_notification_has_a_subject_a_message_and_attributes():
    (record,) = load_event("sns")["Records"]
    assert record["EventSubscriptionArn"].startswith(record["Sns"]["TopicArn"] + ":")
    assert record["Sns"]["Subject"] and record["Sns"]["Message"]
    assert record["Sns"]["MessageAttributes"]["severity"] == {"Type": "String", "Value": "warning"}


# compare_events


def rows(sample, delivered):
    table = compare_events(sample, delivered)
    return list(zip(table["path"], table["sample"], table["delivered"], table["mark"], strict=True))


def test_it_is_a_public_name():
    assert helpers.compare_events is compare_events


def test_every_value_has_a_row_with_its_path_and_its_mark():
    sample = {"Records": [{"id": 1, "name": "日"}], "time": "12:00", "old": None}
    delivered = {"Records": [{"id": 1, "name": "月"}], "time": "12:00", "new": True}
    table = compare_events(sample, delivered)
    assert list(table.columns) == ["mark", "path", "sample", "delivered"]
    assert rows(sample, delivered) == [
        ("Records[0].id", "1", "1", "same"),
        ("Records[0].name", '"日"', '"月"', "value differs"),
        ("time", '"12:00"', '"12:00"', "same"),
        ("old", "null", "", "only in the sample"),
        ("new", "", "true", "only delivered"),
    ]


def test_rows_stand_in_the_order_of_the_sample_and_new_ones_where_they_belong():
    sample = {"b": {"y": 1, "x": 1}, "a": [1]}
    delivered = {"a": [1, 2], "c": 3, "b": {"x": 1, "z": 1, "y": 1}}
    assert [path for path, *_ in rows(sample, delivered)] == ["b.y", "b.x", "b.z", "a[0]", "a[1]", "c"]


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, True), (0, False), (0, None), ([], {}), ("", None), ([1], {"a": 1})]
)
def test_values_of_two_types_differ(one, other):
    assert rows({"a": one}, {"a": other}) == [("a", json.dumps(one), json.dumps(other), "value differs")]


def test_a_number_is_the_same_with_and_without_a_point():
    assert rows({"a": 1}, {"a": 1.0})[0][-1] == "same"


def test_what_is_empty_on_both_sides_or_stands_on_one_has_a_row():
    assert rows({"a": {}, "b": [], "c": {}}, {"a": {}, "b": [], "d": []}) == [
        ("a", "{}", "{}", "same"),
        ("b", "[]", "[]", "same"),
        ("c", "{}", "", "only in the sample"),
        ("d", "", "[]", "only delivered"),
    ]


def test_what_is_empty_on_one_side_is_told_by_what_the_other_has():
    assert rows({"a": {}, "b": [1]}, {"a": {"x": 1}, "b": []}) == [
        ("a.x", "", "1", "only delivered"),
        ("b[0]", "1", "", "only in the sample"),
    ]


def test_everything_below_a_missing_key_has_a_row():
    assert rows({}, {"a": {"b": [1, {"c": 2}]}}) == [
        ("a.b[0]", "", "1", "only delivered"),
        ("a.b[1].c", "", "2", "only delivered"),
    ]


def test_keys_that_are_no_names_are_quoted_in_the_path():
    event = {"detail-type": 1, "a.b": 2, "x y": {"1": 3}}
    assert [path for path, *_ in rows(event, event)] == ["detail-type", '["a.b"]', '["x y"]["1"]']


def test_the_summary_counts_each_mark():
    table = compare_events({"a": 1, "b": 1, "c": 1, "d": 1}, {"a": 1, "b": 1, "c": 2, "e": 1, "f": 1, "g": 1})
    assert table.summary == "7 values: 2 the same, 1 different, 1 only in the sample, 3 only delivered."
    assert compare_events({"a": 1}, {"a": 1}).summary.startswith("1 value: 1 the same, 0 different, ")


def test_an_event_is_the_same_as_itself():
    for name in NAMES:
        assert set(compare_events(load_event(name), load_event(name))["mark"]) == {"same"}


@pytest.mark.parametrize(
    ("sample", "delivered", "which", "kind"),
    [("{}", {}, "sample", "str"), ({}, b"{}", "delivered", "bytes"), ({}, [], "delivered", "list")],
)
def test_what_is_no_dict_is_refused(sample, delivered, which, kind):
    with pytest.raises(TypeError, match=rf"^The {which} event is a {kind}, not a dict; .*json\.loads\(\)"):
        compare_events(sample, delivered)


def test_the_text_shows_the_summary_and_every_row():
    sample = {f"key{n}": n for n in range(80)}
    table = compare_events(sample, sample)
    summary, header, *lines = repr(table).splitlines()
    assert summary == table.summary and header.split() == ["mark", "path", "sample", "delivered"]
    assert [line.split() for line in lines] == [["same", f"key{n}", str(n), str(n)] for n in range(80)]


def test_long_values_are_shown_short_and_kept_whole():
    long = "arn:" + "x" * 200 + ":end"
    table = compare_events({"a": long}, {"a": long})
    assert table.loc[0, "sample"] == f'"{long}"'
    assert long not in repr(table)
    (shown,) = set(re.findall(r'"arn:\S+', repr(table)))
    assert len(shown) == WIDTH and "…" in shown and shown.endswith(':end"')
    assert f'title="&quot;{long}&quot;"' in table._repr_html_()
    assert table._repr_html_().count("word-break:break-all") == 3, "path and values wrap"


def test_the_notebook_shows_each_mark_in_a_colour_of_its_own():
    table = compare_events({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "d": 1})
    html = table._repr_html_()
    assert table.summary in html
    shown = re.findall(r"<tr>(<td.*?)</tr>", html)
    backgrounds = [set(re.findall(r"background-color:(#\w+)", row)) for row in shown]
    assert backgrounds == [set(), *({COLORS[mark]} for mark in MARKS[1:])]
    assert len(set(COLORS.values())) == 3


@pytest.mark.parametrize("color", COLORS.values())
def test_black_text_reads_on_every_colour(color):
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert (luminance + 0.05) / 0.05 >= 7  # WCAG 2.2, contrast enhanced (AAA)


def test_what_an_event_holds_is_no_html():
    html = compare_events({"<b>": "<script>"}, {"<b>": '"><i>'})._repr_html_()
    assert "<script>" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;script&gt;" in html


def test_a_part_of_the_table_is_an_ordinary_dataframe():
    table = compare_events({"a": 1, "b": 1}, {"a": 1, "b": 2})
    part = table[table["mark"] != "same"][["path"]]
    assert part["path"].tolist() == ["b"]
    assert "b" in repr(part) and "b" in part._repr_html_()
