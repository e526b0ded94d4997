"""Powertools for AWS Lambda (Python): its logger, metrics, batches and idempotency."""

import json
import time

import pytest
from localaws_client import eventually

PACKAGES = ("aws_lambda_powertools", "jmespath", "typing_extensions.py")
CODE = """
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent

logger, metrics = Logger(service="pay"), Metrics(namespace="Powertools", service="pay")
processor = BatchProcessor(event_type=EventType.SQS)
layer = DynamoDBPersistenceLayer(table_name="tested-idempotency")
runs = 0

@logger.inject_lambda_context
@metrics.log_metrics
def counted(event, context):
    logger.info("sold", extra={"number": event["number"]})
    metrics.add_metric(name="Sold", unit=MetricUnit.Count, value=event["number"])

def deal_with(record):
    if record.body == "bad":
        raise ValueError("bad")

def batch(event, context):
    return process_partial_response(event=event, record_handler=deal_with, processor=processor, context=context)

@idempotent(persistence_store=layer, config=IdempotencyConfig(event_key_jmespath="order"))
def once(event, context):
    global runs
    runs += 1
    return {"runs": runs}
"""


@pytest.fixture
def powertools(tools, make_function):
    """Deploy CODE with Powertools in its package; the handler is one of its functions."""
    site = next(tools.glob("lib/python*/site-packages"))
    files = {"app.py": CODE}
    for name in PACKAGES:
        for path in [site / name] if name.endswith(".py") else (site / name).rglob("*.py"):
            files[str(path.relative_to(site))] = path.read_bytes()
    return lambda handler: make_function(files, Handler=f"app.{handler}", Timeout=20, MemorySize=512)


def test_metrics_reach_cloudwatch_and_the_logger_writes_json(powertools, clients):
    function = powertools("counted")
    for number in (2, 5):
        assert function.invoke({"number": number}).error is None

    def sold():
        now = time.time()
        what = {"Namespace": "Powertools", "MetricName": "Sold", "Dimensions": [{"Name": "service", "Value": "pay"}]}
        when = {"StartTime": now - 300, "EndTime": now + 300, "Period": 600, "Statistics": ["Sum"]}
        points = clients("cloudwatch").get_metric_statistics(**what, **when)["Datapoints"]
        return [point["Sum"] for point in points]

    assert eventually(sold) == [7.0]
    logged = [json.loads(line) for line in function.messages() if '"level":"INFO"' in line]
    assert [(line["number"], line["function_name"]) for line in logged] == [(2, function.name), (5, function.name)]


def test_a_batch_reports_what_failed(powertools):
    function = powertools("batch")
    usual = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:a", "attributes": {}}
    records = [{"messageId": str(n), "body": body, **usual} for n, body in enumerate(("good", "bad"))]
    assert function.invoke({"Records": records}).payload == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_an_order_is_dealt_with_once(powertools, clients):
    dynamodb = clients("dynamodb")
    dynamodb.create_table(
        TableName="tested-idempotency",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        function = powertools("once")
        answers = [function.invoke({"order": order}).payload for order in (1, 1, 2)]
        assert answers == [{"runs": 1}, {"runs": 1}, {"runs": 2}]
    finally:
        dynamodb.delete_table(TableName="tested-idempotency")
