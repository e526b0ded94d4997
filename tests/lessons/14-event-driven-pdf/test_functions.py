"""The functions of notebook 14, each on its own: called here, with S3, SQS and DynamoDB of the embedded AWS."""

import importlib.util
import io
import json
from functools import cache
from types import ModuleType

import boto3
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import pytest  # noqa: E402
from matplotlib.backends.backend_pdf import PdfPages  # noqa: E402
from PIL import Image  # noqa: E402

from helpers import load_event  # noqa: E402
from helpers.lessons import function_folder  # noqa: E402

PAGES = 12  # more than the ten messages that SQS takes at once


@cache
def make_pdf(pages: int) -> bytes:
    figure, ax = plt.subplots(figsize=(4, 6))
    file = io.BytesIO()
    with PdfPages(file) as pdf:
        for page in range(1, pages + 1):
            ax.set_title(page)
            pdf.savefig(figure)
    plt.close(figure)
    return file.getvalue()


class System:
    """The buckets, queues and the table around the functions."""

    def __init__(self, clients, name: str) -> None:
        self.s3, self.sqs, self.dynamodb = clients("s3"), clients("sqs"), clients("dynamodb")
        self.uploads, self.pictures, self.table = f"{name}-uploads", f"{name}-pictures", f"{name}-documents"
        for bucket in (self.uploads, self.pictures):
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.dynamodb.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "document", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "document", "KeyType": "HASH"}],
        )
        self.pages, self.complete = (
            self.sqs.create_queue(QueueName=f"{name}-{queue}")["QueueUrl"] for queue in ("pages", "complete")
        )

    def variables(self) -> dict[str, str]:
        return {
            "PICTURES_BUCKET": self.pictures,
            "DOCUMENTS_TABLE": self.table,
            "PAGES_QUEUE": self.pages,
            "COMPLETE_QUEUE": self.complete,
        }

    def put(self, key: str, body: bytes) -> str:
        return self.s3.put_object(Bucket=self.uploads, Key=key, Body=body)["VersionId"]

    def notification(self, key: str, version: str) -> dict:
        """What the splitter gets: a message of SQS with S3's event in it."""
        event = load_event("s3-put")
        event["Records"][0]["s3"]["bucket"]["name"] = self.uploads
        event["Records"][0]["s3"]["object"] |= {"key": key, "versionId": version}
        return message(event)

    def received(self, url: str) -> list[dict]:
        """Take everything out of a queue."""
        bodies = []
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(each["Body"]) for each in found]
        return bodies

    def item(self, document: str) -> dict:
        return self.dynamodb.get_item(TableName=self.table, Key={"document": {"S": document}})["Item"]

    def picture(self, key: str) -> Image.Image:
        return Image.open(io.BytesIO(self.s3.get_object(Bucket=self.pictures, Key=key)["Body"].read()))

    def writes(self) -> int:
        return len(self.s3.list_object_versions(Bucket=self.pictures).get("Versions", []))


def message(body: dict, number: int = 1) -> dict:
    record = load_event("sqs")["Records"][0] | {"messageId": f"message-{number}", "body": json.dumps(body)}
    return {"Records": [record]}


@pytest.fixture
def system(clients, tmp_path, embedded_aws, monkeypatch) -> System:
    made = System(clients, tmp_path.name.strip("_").replace("_", "-")[-30:].strip("-"))
    for name, value in {**embedded_aws.variables(), **made.variables(), "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the next client reads the variables
    return made


def load(name: str) -> ModuleType:
    """The module of a function, imported as a new environment does."""
    path = function_folder(f"pdf-{name}") / "python" / "app.py"
    spec = importlib.util.spec_from_file_location(f"pdf_{name}_app", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def document(system) -> str:
    """A document of two pages, entered in the table."""
    version = system.put("two.pdf", make_pdf(2))
    pages = {"document": {"S": version}, "pages": {"N": "2"}}
    system.dynamodb.put_item(TableName=system.table, Item=pages)
    return version


def page_event(system, document: str, page: int) -> dict:
    return message({"bucket": system.uploads, "key": "two.pdf", "document": document, "page": page}, page)


# the splitter


def test_the_splitter_enters_the_document_and_sends_one_message_for_each_page(system):
    version = system.put("my report.pdf", make_pdf(PAGES))
    load("splitter").handler(system.notification("my+report.pdf", version), None)
    assert system.item(version)["pages"] == {"N": str(PAGES)}
    bodies = system.received(system.pages)
    assert sorted(body["page"] for body in bodies) == list(range(1, PAGES + 1))
    assert {(body["bucket"], body["key"], body["document"]) for body in bodies} == {
        (system.uploads, "my report.pdf", version)
    }


def test_the_splitter_leaves_alone_what_is_rendered_when_the_event_comes_again(system, document):
    system.dynamodb.update_item(
        TableName=system.table,
        Key={"document": {"S": document}},
        UpdateExpression="ADD rendered :one",
        ExpressionAttributeValues={":one": {"NS": ["1"]}},
    )
    load("splitter").handler(system.notification("two.pdf", document), None)
    assert system.item(document)["rendered"] == {"NS": ["1"]}


def test_the_splitter_reads_the_version_of_its_event_and_not_the_newest(system):
    first = system.put("two.pdf", make_pdf(3))
    system.put("two.pdf", make_pdf(1))
    load("splitter").handler(system.notification("two.pdf", first), None)
    assert len(system.received(system.pages)) == 3


def test_the_splitter_passes_over_the_test_event_of_s3(system):
    load("splitter").handler(message({"Service": "Amazon S3", "Event": "s3:TestEvent"}), None)
    assert system.received(system.pages) == []


def test_the_splitter_fails_with_what_is_no_pdf_and_with_messages_that_were_refused(system, document, monkeypatch):
    splitter = load("splitter")
    with pytest.raises(Exception, match="[Ff]ailed to load"):
        splitter.handler(system.notification("no.pdf", system.put("no.pdf", b"no PDF")), None)
    monkeypatch.setattr(splitter.sqs, "send_message_batch", lambda **_: {"Failed": [{"Id": "1"}]})
    with pytest.raises(RuntimeError, match="1 messages were not sent"):
        splitter.handler(system.notification("two.pdf", document), None)


# the renderer


def test_the_renderer_makes_thumbnails_and_announces_the_document_once_all_are_there(system, document):
    renderer = load("renderer")
    assert renderer.handler(page_event(system, document, 2), None) == {"batchItemFailures": []}
    assert system.received(system.complete) == []
    renderer.handler(page_event(system, document, 1), None)
    assert system.received(system.complete) == [{"document": document}]
    picture = system.picture(f"{document}/page-002.png")
    assert (picture.format, picture.width) == ("PNG", renderer.WIDTH)
    assert sorted(system.item(document)["rendered"]["NS"]) == ["1", "2"]


def test_a_page_that_comes_again_changes_nothing(system, document):
    renderer = load("renderer")
    for page in (1, 1, 2, 2, 1):
        renderer.handler(page_event(system, document, page), None)
    assert system.received(system.complete) == [{"document": document}]
    assert system.writes() == 2


def test_a_bad_page_is_reported_and_the_others_of_its_batch_are_rendered(system, document):
    records = [page_event(system, document, page)["Records"][0] for page in (1, 9, 2)]
    answer = load("renderer").handler({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-9"}]}
    assert system.received(system.complete) == [{"document": document}]


def test_who_dies_between_sending_and_noting_causes_a_second_message_and_not_none(system, document, monkeypatch):
    renderer = load("renderer")
    renderer.handler(page_event(system, document, 1), None)
    update = renderer.documents.update_item

    def dies(**parameters):
        if "announced" in parameters["UpdateExpression"]:
            raise ConnectionError("gone")
        return update(**parameters)

    with monkeypatch.context() as patched:
        patched.setattr(renderer.documents, "update_item", dies)
        assert renderer.handler(page_event(system, document, 2), None)["batchItemFailures"]
    load("renderer").handler(page_event(system, document, 2), None)
    assert system.received(system.complete) == [{"document": document}] * 2


# the indexer


def test_the_indexer_writes_one_sheet_and_does_not_write_it_again(system, document):
    renderer, indexer = load("renderer"), load("indexer")
    for page in (1, 2):
        renderer.handler(page_event(system, document, page), None)
    for _ in range(2):
        indexer.handler(message({"document": document}), None)
    assert system.picture(f"{document}/index.png").size == (2 * indexer.WIDTH, indexer.HEIGHT)
    assert system.writes() == 3
