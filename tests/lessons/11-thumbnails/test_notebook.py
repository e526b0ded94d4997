"""What notebook 11 claims, by its own cells: no picture is lost or doubled, whatever dies, repeats or is broken."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib
import pytest
from localaws_client import eventually
from notebook_cells import Notebook
from PIL import Image

matplotlib.use("Agg")

from helpers import load_event, reports  # noqa: E402
from helpers.authoring.source import solved  # noqa: E402

PATIENCE = 90  # seconds, on a machine that has other things to do
PARTIAL_HANDLER = solved(Notebook("11").text("partial-handler"))


class System(Notebook):
    """The notebook's system, with pictures that are quickly made, and a queue that does not wait for long."""

    def __init__(self) -> None:
        super().__init__("11")
        self.run("imports", "connect", "source-files", "role", "function")
        self.options |= {"MemorySize": 10_240, "Timeout": 4}
        self.options["Environment"] = {"Variables": {"THUMBNAILS": self.thumbnails}}  # no service to wait for
        self.run("archive", "layer", "published-layer", "layered-function")
        self.run("buckets", "queues", "dead-letter-queue", "jobs-queue", "queue-role")
        self.run("change-mapping", "mapping")
        self.run("mapping-settings", "condition", "queue-policy", "notify", "notification")
        self.run("paint", "depth", "made", "emptied", "begin-anew", "put", "datapoints", "alarm", "alarm-state", "logo")
        self.run("renew", "dead-letters", "outcome", "upload", "is-settled")
        self.hasty = self.options  # a function that is as quick as it is
        self.run("fixed")

    def settle(self, files: dict[str, str | bytes], partial: bool = False, tries: int = 3) -> None:
        """The function with these files, and a queue without patience."""
        self.renew(files, **self.options | ({"Handler": "app.handle_each"} if partial else {}))
        self.sqs.set_queue_attributes(QueueUrl=self.jobs_url, Attributes=self.patience(4, tries))
        self.change_mapping(FunctionResponseTypes=["ReportBatchItemFailures"] if partial else [])

    def picture(self, number: int) -> bytes:
        file = io.BytesIO()
        self.paint(number, size=(300, 200)).save(file, "JPEG")
        return file.getvalue()

    def upload_some(self, prefix: str, number: int) -> tuple[list[str], datetime]:
        names = [f"{each:02}.jpg" for each in range(number)]
        return names, self.upload({name: self.picture(i) for i, name in enumerate(names)}, prefix)

    def wait_for(self, keys: list[str]) -> None:
        """Until these thumbnails are there, and the queue has nothing left to do."""
        eventually(lambda: set(keys) <= set(self.made("")) and self.depth(self.jobs_url) == [0, 0], PATIENCE)

    def thumbnail(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.thumbnails, Key=key)["Body"].read()

    def with_handler(self, text: str) -> dict[str, str]:
        return self.fixed | {"app.py": self.fixed["app.py"] + "\n\n" + text}


@pytest.fixture(scope="module")
def system(aws_of_module) -> System:
    return System()


def now() -> datetime:
    return datetime.now(UTC) - timedelta(milliseconds=1)


def test_the_function_needs_its_layer(system):
    bare = system.workshop.name("thumbnail-bare")
    options = {name: value for name, value in system.options.items() if name != "Layers"}
    system.deploy(system.workshop, bare, "thumbnail/python", **options)

    def invoke() -> Any:
        answer = system.lambda_client.invoke(FunctionName=bare, Payload='{"Records": []}')
        return json.loads(answer["Payload"].read())

    assert invoke()["errorMessage"] == "Unable to import module 'app': No module named 'PIL'"
    system.deploy(system.workshop, bare, "thumbnail/python", **system.options)
    assert invoke() is None


def test_the_same_content_is_published_once(system):
    name = system.workshop.name("pillow")
    assert system.publish(name, system.archive) == system.options["Layers"][0]
    other = system.publish(name, system.package_layer(["six"]))
    assert other != system.options["Layers"][0]
    assert system.publish(name, system.archive) not in (other, system.options["Layers"][0])


def test_every_picture_gets_one_thumbnail_and_starts_nothing_else(system):
    system.settle(system.original)
    names, began = system.upload_some("pictures/all/", 20)
    keys = ["pictures/all/" + name for name in names]
    system.wait_for(keys)
    assert system.made("pictures/all/") == keys
    sizes = {Image.open(io.BytesIO(system.thumbnail(key))).size for key in keys}
    assert sizes == {(240, 160)}
    assert list(system.outcome(names, "pictures/all/", began)["tries"]) == [1] * 20
    batches = reports(system.logs, system.function, at_least=4, since=began)
    assert 4 <= len(batches) <= 20
    assert "QueueConfigurations" not in system.s3.get_bucket_notification_configuration(Bucket=system.thumbnails)
    assert system.depth(system.failed_url) == [0, 0]


def test_no_more_batches_at_once_than_maximum_concurrency(system):
    slow = system.original["app.py"] + "\n\nimport time\nwork = lambda message: time.sleep(0.3)\n"
    system.settle(system.original | {"app.py": slow})
    began = now()
    system.upload_some("pictures/busy/", 20)
    ran = reports(system.logs, system.function, at_least=4, since=began)
    eventually(lambda: system.depth(system.jobs_url) == [0, 0], PATIENCE)
    ran = reports(system.logs, system.function, at_least=4, since=began)
    ends = ran["start"] + ran["duration_ms"].astype(int).astype("timedelta64[ms]")
    at_once = [((ran["start"] <= start) & (start < ends)).sum() for start in ran["start"]]
    assert max(at_once) == 2


def test_a_picture_that_fails_takes_its_batch_along_and_a_redrive_brings_all_back(system):
    system.settle(system.original)
    names = ["beach.jpg", "city.jpg", "logo.png", "lake.jpg", "wood.jpg"]
    batch = dict(zip(names, map(system.picture, range(5)), strict=True)) | {
        "logo.png": system.as_file(system.logo, "PNG")
    }
    began = system.upload(batch, "pictures/mixed/")
    eventually(lambda: len(system.dead_letters()) == 5 and system.depth(system.jobs_url) == [0, 0], PATIENCE)
    outcome = system.outcome(batch, "pictures/mixed/", began)
    assert list(outcome["tries"]) == [3, 3, 3, 0, 0]
    assert list(outcome["thumbnail"]) == ["yes", "yes", "no", "no", "no"]
    assert list(outcome["dead letter"]) == ["yes"] * 5
    eventually(lambda: system.alarm_state() == "ALARM", PATIENCE)

    system.settle(system.fixed)
    began = now()
    system.sqs.start_message_move_task(SourceArn=system.failed_arn)
    system.wait_for(["pictures/mixed/" + name for name in names])
    outcome = system.outcome(batch, "pictures/mixed/", began)
    assert list(outcome["tries"]) == [1] * 5
    assert list(outcome["dead letter"]) == ["no"] * 5


def test_with_a_partial_answer_only_the_damaged_picture_comes_again(system):
    system.settle(system.with_handler(PARTIAL_HANDLER), partial=True)
    names = ["beach.jpg", "city.jpg", "damaged.jpg", "lake.jpg", "wood.jpg"]
    batch = dict(zip(names, map(system.picture, range(5)), strict=True))
    batch["damaged.jpg"] = batch["damaged.jpg"][: len(batch["damaged.jpg"]) // 2]
    began = system.upload(batch, "pictures/damaged/")
    eventually(lambda: system.dead_letters() and system.depth(system.jobs_url) == [0, 0], PATIENCE)
    outcome = system.outcome(batch, "pictures/damaged/", began)
    assert list(outcome["tries"]) == [1, 1, 3, 1, 1]
    assert list(outcome["thumbnail"]) == ["yes", "yes", "no", "yes", "yes"]
    assert list(outcome["dead letter"]) == ["no", "no", "yes", "no", "no"]
    invocations = system.datapoints("Errors", system.function, "Sum", began)
    assert invocations  # the metric is there, and counts no error of these invocations
    assert (reports(system.logs, system.function, since=began)["status"] == "success").all()


DIES = """
import os

make = work


def work(message):
    key = json.loads(message["body"])["Records"][0]["s3"]["object"]["key"]
    if int(key[-6:-4]) % 4 == 2 and message["attributes"]["ApproximateReceiveCount"] == "1":
        os._exit(1)  # no exception, no answer: gone
    make(message)
"""


@pytest.mark.parametrize("partial", [False, True])
def test_nothing_is_lost_when_the_function_dies_in_the_middle_of_a_batch(system, partial):
    text = PARTIAL_HANDLER if partial else ""
    system.settle(system.with_handler(text + DIES), partial, tries=30)
    prefix = f"pictures/killed-{partial}/".lower()
    names, began = system.upload_some(prefix, 12)
    keys = [prefix + name for name in names]
    system.wait_for(keys)
    assert system.made(prefix) == keys  # each once
    assert system.depth(system.failed_url) == [0, 0]
    ran = reports(system.logs, system.function, since=began)
    assert "Runtime.ExitError" in set(ran["error_type"])
    whole = {key: system.thumbnail(key) for key in keys}

    system.settle(system.fixed)
    system.upload_some(prefix, 12)
    system.wait_for(keys)
    assert {key: system.thumbnail(key) for key in keys} == whole  # the same as without dying


def test_what_an_interrupted_run_left_is_gone_before_the_next_one(system):
    system.settle(system.original)
    names = ["beach.jpg", "logo.png", "wood.jpg"]
    batch = {name: system.picture(1) for name in names} | {"logo.png": system.as_file(system.logo, "PNG")}
    system.upload(batch, "pictures/again/")
    eventually(lambda: system.made("pictures/again/"), PATIENCE)  # its messages wait, are in flight, or failed already
    system.upload({}, "pictures/again/")
    assert system.made("pictures/again/") == []
    assert system.depth(system.jobs_url) == system.depth(system.failed_url) == [0, 0]


def test_a_message_that_is_delivered_twice_changes_nothing(system):
    system.settle(system.fixed)
    (name,), _ = system.upload_some("pictures/twice/", 1)
    key = "pictures/twice/" + name
    system.wait_for([key])
    before, began = system.thumbnail(key), now()
    event = load_event("s3-put")
    event["Records"][0]["s3"]["bucket"]["name"] = system.uploads
    event["Records"][0]["s3"]["object"]["key"] = key
    for _ in range(2):
        system.sqs.send_message(QueueUrl=system.jobs_url, MessageBody=json.dumps(event))
    eventually(lambda: system.outcome([name], "pictures/twice/", began)["tries"][name] == 2, PATIENCE)
    system.wait_for([key])
    assert system.made("pictures/twice/") == [key]
    assert system.thumbnail(key) == before
    assert system.depth(system.failed_url) == [0, 0]


def test_s3s_test_event_is_no_work(system):
    system.settle(system.fixed)
    began = now()
    system.sqs.send_message(QueueUrl=system.jobs_url, MessageBody='{"Service": "Amazon S3", "Event": "s3:TestEvent"}')
    ran = reports(system.logs, system.function, at_least=1, since=began)
    assert set(ran["status"]) == {"success"}
    eventually(lambda: system.depth(system.jobs_url) == [0, 0], PATIENCE)
    assert system.depth(system.failed_url) == [0, 0]


def test_without_the_queue_an_event_is_gone_after_three_tries(system):
    system.run("direct", "direct-notification")
    began = now()
    system.put("direct/logo.png", system.as_file(system.logo, "PNG"))
    tries = reports(system.logs, system.direct, at_least=3, since=began)
    assert tries["request_id"].nunique() == 1

    def dropped() -> float:
        return sum(system.datapoints("AsyncEventsDropped", system.direct, "Sum", began))

    eventually(lambda: dropped() == 1)
    assert len(reports(system.logs, system.direct, since=began)) == 3
    assert system.made("direct/") == []
    assert system.depth(system.failed_url) == [0, 0]
