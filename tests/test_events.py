"""load_event() gives fresh copies, and the events have the shape that AWS sends."""

import json
from datetime import datetime
from urllib.parse import unquote_plus

import pytest

from helpers import settings
from helpers.events import load_event


def test_an_event_is_the_content_of_its_file():
    assert load_event("hello") == json.loads((settings.EVENTS / "hello.json").read_text())


def test_each_copy_is_fresh():
    load_event("s3-put")["Records"][0]["s3"]["bucket"]["name"] = "changed"
    assert load_event("s3-put")["Records"][0]["s3"]["bucket"]["name"] != "changed"


def test_changes_replace_and_add_top_level_keys():
    assert load_event("hello", name="Ada", event=1) == {"name": "Ada", "event": 1}


def test_an_unknown_event_names_those_that_exist():
    with pytest.raises(ValueError, match=r"There is no event 'helo'; choose one of: .*hello.*s3-put.*\."):
        load_event("helo")


def test_no_event_is_read_from_elsewhere():
    with pytest.raises(ValueError, match="There is no event"):
        load_event("../events/hello")


def test_every_event_is_an_object():
    names = [path.stem for path in settings.EVENTS.glob("*.json")]
    assert names
    assert all(isinstance(load_event(name), dict) for name in names)


def test_the_s3_event_is_a_put_with_an_encoded_key():
    (record,) = load_event("s3-put")["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["eventVersion"] == "2.1"
    key = record["s3"]["object"]["key"]
    assert unquote_plus(key) != key
    assert unquote_plus(key) == "uploads/summer trip/富士山.jpg"


def test_the_scheduled_event_is_one_of_eventbridge():
    event = load_event("scheduled")
    assert (event["version"], event["source"], event["detail-type"]) == ("0", "aws.events", "Scheduled Event")
    assert event["detail"] == {}
    assert datetime.fromisoformat(event["time"]).utcoffset() is not None
