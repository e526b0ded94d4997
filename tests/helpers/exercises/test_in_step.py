"""Runs that take their AWS calls in step: whoever reads first and writes then is seen, and a copy leaves nothing."""

import pytest

from helpers import deploy
from helpers.exercises import deployed
from helpers.exercises.in_step import in_step
from helpers.exercises.probe import Probe, unique
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry

READS_AND_WRITES = """
import os
import time

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    time.sleep(event["begins_after_s"])
    number = table.get_item(Key={"id": event["id"]}, ConsistentRead=True).get("Item", {"number": 0})["number"]
    table.put_item(Item={"id": event["id"], "number": number + 1})
    return int(number)
"""
ADDS = READS_AND_WRITES[: READS_AND_WRITES.index("    number")] + (
    """    item = table.update_item(
        Key={"id": event["id"]}, UpdateExpression="ADD #n :one", ExpressionAttributeNames={"#n": "number"},
        ExpressionAttributeValues={":one": 1}, ReturnValues="ALL_OLD",
    ).get("Attributes", {"number": 0})
    return int(item["number"])
"""
)


@pytest.fixture
def table(aws):
    name = aws.name("in-step")
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    yield name
    remove(aws, Entry("table", name))


def results(aws, table: str, code: str, skews_s: list[float]) -> list[int]:
    name = aws.name("counts")
    deploy(
        aws,
        name,
        {"app.py": code},
        Role=aws.role("AmazonDynamoDBFullAccess"),
        MemorySize=10_240,
        Environment={"Variables": {"TABLE": table}},
    )
    document = unique()
    with in_step(Probe(aws, deployed.find(aws, name, "deploy it")), table, "id") as at_once:
        outcomes = at_once.invoke([{"id": document, "begins_after_s": skew} for skew in skews_s])
    assert not any(outcome.failed for outcome in outcomes), outcomes
    return [outcome.payload for outcome in outcomes]


@pytest.mark.parametrize("skews_s", [[0, 0], [1, 0], [0, 1, 0]], ids=str)
def test_runs_that_read_and_then_write_all_read_before_one_has_written(aws, table, skews_s):
    assert results(aws, table, READS_AND_WRITES, skews_s) == [0] * len(skews_s)


def test_runs_whose_one_call_does_both_count_right(aws, table):
    assert sorted(results(aws, table, ADDS, [0, 0, 0])) == [0, 1, 2]


def test_the_copy_and_what_the_runs_met_through_are_gone_afterwards(aws, table):
    results(aws, table, ADDS, [0, 0])
    copy = aws.name("counts-in-step")
    functions = aws.client("lambda").list_functions()["Functions"]
    assert copy not in [each["FunctionName"] for each in functions]
    assert aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{copy}")["logGroups"] == []
    keys = [item["id"]["S"] for item in aws.client("dynamodb").scan(TableName=table)["Items"]]
    assert len(keys) == 1 and not keys[0].startswith("in-step")
    assert not [entry for entry in aws.ledger.entries() if "in-step" in entry.id and entry.id != table]
