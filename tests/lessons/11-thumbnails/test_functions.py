"""The function of notebook 11 on its own: called here, with a dict in place of S3."""

import importlib
import io
import json
import sys
from types import ModuleType, SimpleNamespace

import boto3
import pytest
from PIL import Image

from helpers import load_event
from helpers.lessons import function_folder


class Buckets:
    """S3 as far as the function uses it: objects by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> dict:
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        assert ContentType == "image/jpeg"
        self.objects[Bucket, Key] = Body

    def size(self, key: str) -> tuple[int, int]:
        image = Image.open(io.BytesIO(self.objects["thumbnails", key]))
        assert image.format == "JPEG"
        return image.size


@pytest.fixture
def buckets(monkeypatch) -> Buckets:
    made = Buckets()
    monkeypatch.setattr(boto3, "client", lambda service: made)
    return made


@pytest.fixture
def app(buckets, monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(function_folder("thumbnail") / "python"))
    monkeypatch.setenv("THUMBNAILS", "thumbnails")
    for name in ("app", "thumbnail"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("app")
    for name in ("app", "thumbnail"):
        sys.modules.pop(name, None)


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PHOTO = Image.new("RGB", (1200, 800), "#0072B2")


def s3_event(*keys: str) -> dict:
    event = load_event("s3-put")
    [record] = event["Records"]
    s3 = {"bucket": {"name": "uploads"}}
    event["Records"] = [record | {"s3": s3 | {"object": {"key": key}}} for key in keys]
    return event


def sqs_event(*bodies: dict) -> dict:
    event = load_event("sqs")
    event["Records"] = [event["Records"][0] | {"body": json.dumps(body)} for body in bodies]
    return event


def test_every_message_and_every_record_in_it_becomes_a_thumbnail(app, buckets, capsys):
    buckets.objects |= {("uploads", key): encoded(PHOTO) for key in ("one.jpg", "two.jpg", "three.jpg")}
    assert app.handler(sqs_event(s3_event("one.jpg"), s3_event("two.jpg", "three.jpg")), None) is None
    assert [buckets.size(key) for key in ("one.jpg", "two.jpg", "three.jpg")] == [(240, 160)] * 3
    assert capsys.readouterr().out.splitlines() == ["try 1 one.jpg", "try 1 two.jpg", "try 1 three.jpg"]


def test_an_event_of_s3_itself(app, buckets):
    buckets.objects["uploads", "one.jpg"] = encoded(PHOTO)
    app.direct(s3_event("one.jpg"), None)
    assert buckets.size("one.jpg") == (240, 160)


def test_a_key_is_decoded_and_the_thumbnail_has_the_same(app, buckets):
    buckets.objects["uploads", "日本 +.jpg"] = encoded(PHOTO)
    app.direct(s3_event("%E6%97%A5%E6%9C%AC+%2B.jpg"), None)
    assert buckets.size("日本 +.jpg") == (240, 160)


def test_s3s_test_event_is_no_work(app, buckets):
    app.handler(sqs_event({"Service": "Amazon S3", "Event": "s3:TestEvent"}), None)
    assert buckets.objects == {}


@pytest.mark.parametrize(
    ("size", "becomes"), [((800, 1200), (160, 240)), ((100, 50), (100, 50)), ((240, 240), (240, 240))]
)
def test_the_shape_stays_and_small_pictures_are_not_made_larger(app, buckets, size, becomes):
    buckets.objects["uploads", "one.jpg"] = encoded(Image.new("RGB", size))
    app.direct(s3_event("one.jpg"), None)
    assert buckets.size("one.jpg") == becomes


def test_a_picture_that_was_taken_upright_stands_upright(app, buckets):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    buckets.objects["uploads", "one.jpg"] = encoded(PHOTO, exif=exif)
    app.direct(s3_event("one.jpg"), None)
    assert buckets.size("one.jpg") == (160, 240)


def test_the_same_picture_again_gives_the_same_bytes(app, buckets):
    buckets.objects["uploads", "one.jpg"] = encoded(PHOTO)
    app.direct(s3_event("one.jpg"), None)
    first = dict(buckets.objects)
    app.direct(s3_event("one.jpg"), None)
    assert buckets.objects == first


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (encoded(Image.new("RGBA", (60, 40)), "PNG"), "cannot write mode RGBA as JPEG"),
        (encoded(Image.radial_gradient("L"), quality=95)[:400], "truncated|broken"),
        (b"no picture at all", "cannot identify image file"),
    ],
    ids=["transparent", "damaged", "no picture"],
)
def test_a_picture_that_cannot_be_made_ends_the_batch(app, buckets, content, says):
    buckets.objects |= {("uploads", "bad"): content, ("uploads", "good.jpg"): encoded(PHOTO)}
    with pytest.raises(OSError, match=says):
        app.handler(sqs_event(s3_event("bad"), s3_event("good.jpg")), SimpleNamespace())
    assert {bucket for bucket, _ in buckets.objects} == {"uploads"}  # the good one was never tried
