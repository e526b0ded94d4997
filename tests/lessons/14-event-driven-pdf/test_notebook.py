"""What notebook 14 claims, by its own cells: work goes through the system whole, whatever dies, repeats or stops."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import matplotlib
import pytest
from localaws_client import eventually
from notebook_cells import Notebook

matplotlib.use("Agg")

from helpers import load_event, reports  # noqa: E402
from helpers.authoring.source import solved  # noqa: E402

PAGES = 12
PATIENCE = 90  # seconds, on a machine that has other things to do


class System(Notebook):
    """The notebook's system, with a short PDF for the long one, and queues that do not wait for half a minute."""

    def __init__(self) -> None:
        super().__init__("14")
        self.run("imports", "connect", "make-pdf", "source")
        self.track = lambda items, label: items  # which shows something in IPython alone
        self.pdfs = {"short.pdf": self.make_pdf(3), "long.pdf": self.make_pdf(PAGES)}
        self.run("create", "buckets", "make-table", "table", "make-queue", "dead-letter-queue", "queues", "alarm")
        more_tries = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": self.failed_arn, "maxReceiveCount": 30})}
        for url in (self.uploads_url, self.complete_url):
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=more_tries)
        self.sqs.set_queue_attributes(QueueUrl=self.pages_url, Attributes=more_tries | {"VisibilityTimeout": "6"})
        self.run("publish", "layer", "configuration", "allow", "statements", "roles")
        self.fast |= {"MemorySize": 10_240}
        self.slow |= {"MemorySize": 10_240}
        self.run("functions", "join", "is-enabled", "mappings")
        self.run("from-our-bucket", "queue-policy", "notification")
        self.run("all-queues", "depth", "is-quiet", "emptied", "begin-anew", "put-pdf", "index-of")
        self.run("item-of", "pictures-of", "look", "lines", "writes", "proof")

    def restore(self) -> None:
        """The renderer as the notebook has it, not stopped."""
        self.deploy(self.workshop, self.renderer, "pdf-renderer/python", Role=self.renderer_role, **self.fast)
        self.lambda_client.delete_function_concurrency(FunctionName=self.renderer)

    def indexed(self, document: str) -> dict:
        """What proof() says once the index is there and the queues are empty."""
        eventually(lambda: self.look(document)["index"] and self.is_quiet(), PATIENCE)
        return self.proof(document)

    def printed(self, function: str, text: str, since: datetime) -> int:
        return sum(text in line for line in self.lines(function, since))


@pytest.fixture(scope="module")
def built(aws_of_module) -> System:
    return System()


@pytest.fixture
def system(built) -> Iterator[System]:
    yield built
    built.restore()


def whole(pages: int, failed: int = 0) -> dict[str, int]:
    """What proof() says of a document of which nothing is lost and nothing done twice."""
    return {
        "pages of the PDF": pages,
        "pages counted": pages,
        "thumbnails": pages,
        "index written": 1,
        "objects written more than once": 0,
        "messages that failed": failed,
    }


def alarm_state(system: System) -> str:
    return system.cloudwatch.describe_alarms(AlarmNames=[system.alarm])["MetricAlarms"][0]["StateValue"]


def now() -> datetime:
    return datetime.now(UTC) - timedelta(milliseconds=1)


def test_every_page_gets_a_thumbnail_and_the_document_one_index(system):
    assert system.indexed(system.put_pdf("long.pdf")) == whole(PAGES)


def test_the_same_pdf_put_again_is_another_document_with_the_same_index(system):
    first, second = system.put_pdf("short.pdf"), system.put_pdf("short.pdf")
    assert first != second
    assert system.indexed(first) == system.indexed(second) == whole(3)
    assert system.index_of(first) == system.index_of(second)


def test_messages_that_are_delivered_twice_change_nothing(system):
    document = system.put_pdf("short.pdf")
    before = system.indexed(document)
    began = now()
    page = {"bucket": system.uploads_bucket, "key": "short.pdf", "document": document, "page": 2}
    for _ in range(2):
        system.sqs.send_message(QueueUrl=system.pages_url, MessageBody=json.dumps(page))
    event = load_event("s3-put")
    event["Records"][0]["s3"]["bucket"]["name"] = system.uploads_bucket
    event["Records"][0]["s3"]["object"] |= {"key": "short.pdf", "versionId": document}
    system.sqs.send_message(QueueUrl=system.uploads_url, MessageBody=json.dumps(event))
    system.sqs.send_message(QueueUrl=system.complete_url, MessageBody=json.dumps({"document": document}))
    eventually(lambda: system.printed(system.renderer, "was there already", began) >= 5, PATIENCE)
    eventually(lambda: system.printed(system.indexer, "index.png was there already", began) >= 1, PATIENCE)
    assert system.indexed(document) == before == whole(3)


def test_a_renderer_that_is_killed_in_mid_batch_loses_nothing_and_doubles_nothing(system):
    system.run("saboteur-source", "saboteur")
    began = now()
    document = system.put_pdf("long.pdf")
    assert system.indexed(document) == whole(PAGES)
    ran = reports(system.logs, system.renderer, since=began)
    assert (ran["error_type"] == "Runtime.ExitError").any()
    assert system.printed(system.renderer, "page", began) >= PAGES


def test_an_emergency_stop_keeps_the_pages_in_the_queue_and_nothing_is_lost(system):
    system.lambda_client.put_function_concurrency(FunctionName=system.renderer, ReservedConcurrentExecutions=0)
    document = system.put_pdf("long.pdf")
    eventually(lambda: sum(system.look(document)["queues"]["pdf-pages"]) == PAGES, PATIENCE)
    stopped = system.look(document)
    assert (stopped["counted"], stopped["thumbnails"], stopped["index"]) == (0, 0, 0)
    system.lambda_client.delete_function_concurrency(FunctionName=system.renderer)
    assert system.indexed(document) == whole(PAGES)


def test_a_run_that_was_interrupted_during_the_stop_does_not_disturb_the_next_one(system):
    system.lambda_client.put_function_concurrency(FunctionName=system.renderer, ReservedConcurrentExecutions=0)
    interrupted = system.put_pdf("long.pdf")
    eventually(lambda: sum(system.depth(system.pages_url)) == PAGES, PATIENCE)
    system.sqs.send_message(QueueUrl=system.failed_url, MessageBody="a dead letter of that run")
    system.begin_anew()
    assert system.is_quiet()
    assert system.proof(interrupted) == system.indexed(system.put_pdf("long.pdf")) == whole(PAGES)


def test_what_is_no_pdf_ends_in_the_dead_letter_queue_and_holds_nothing_up(system):
    redrive = json.dumps({"deadLetterTargetArn": system.failed_arn, "maxReceiveCount": 2})
    attributes = {"VisibilityTimeout": "1", "RedrivePolicy": redrive}
    system.sqs.set_queue_attributes(QueueUrl=system.uploads_url, Attributes=attributes)
    system.s3.put_object(Bucket=system.uploads_bucket, Key="broken.pdf", Body=b"no PDF")
    assert system.indexed(system.put_pdf("short.pdf"))["thumbnails"] == 3
    eventually(lambda: system.depth(system.failed_url) == [1, 0], PATIENCE)
    eventually(lambda: alarm_state(system) == "ALARM", PATIENCE)
    [message] = system.sqs.receive_message(QueueUrl=system.failed_url)["Messages"]
    assert "broken.pdf" in message["Body"]


def test_a_pdf_has_the_same_bytes_every_time_and_the_pages_that_it_should_have(built):
    import pypdfium2

    assert built.make_pdf(3) == built.pdfs["short.pdf"]
    assert len(pypdfium2.PdfDocument(built.pdfs["long.pdf"])) == PAGES


def test_the_naive_count_says_complete_too_early_and_the_other_one_when_it_is(built, capsys):
    built.run("counter-source", "send", "send-pages")
    built.check = lambda exercise: None
    said = {}
    for count, deploys, name in (
        ("naive-count", ("counts", "naive"), "naive"),
        ("count-once", ("counter",), "counter"),
    ):
        built.run(count)
        built.inspect = SimpleNamespace(getsource=lambda _, cell=count: solved(built.text(cell)))
        built.run(*deploys)
        capsys.readouterr()
        built.send_pages(getattr(built, name), [1, 1, 2, 3])
        said[name] = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said == {
        "naive": ["not yet", "not yet", "complete", "not yet"],
        "counter": ["not yet", "not yet", "not yet", "complete"],
    }


def test_the_layer_is_published_once_and_holds_both_libraries_within_the_limit(built):
    first = built.layer_arn
    built.run("layer")
    assert built.layer_arn == first
    assert len(built.archive) < 50 * 2**20


def test_a_second_run_of_the_cell_makes_no_second_mapping(built):
    built.run("mappings")
    for queue, function in ((built.uploads_arn, built.splitter), (built.pages_arn, built.renderer)):
        found = built.lambda_client.list_event_source_mappings(EventSourceArn=queue, FunctionName=function)
        assert len(found["EventSourceMappings"]) == 1
