"""A copy of a function that stops half-way: what it has changed stays, what comes after is not done, and it is gone."""

import pytest

from helpers import deploy
from helpers.exercises import deployed
from helpers.exercises.half_way import half_way
from helpers.exercises.probe import Probe
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry

PUTS_THREE = """
import os

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    for key in event:
        s3.list_objects_v2(Bucket=os.environ["BUCKET"])
        try:
            s3.put_object(Bucket=os.environ["BUCKET"], Key=key)
        except Exception:
            print("an exception of AWS, which this is not")
"""
KEYS = ["a", "b", "c"]


@pytest.fixture
def puts(aws):
    bucket, name = aws.name("half-way"), aws.name("puts-three")
    aws.client("s3").create_bucket(Bucket=bucket)
    code, variables = {"app.py": PUTS_THREE}, {"BUCKET": bucket}
    deploy(aws, name, code, Role=aws.role("AmazonS3FullAccess"), MemorySize=1769, Environment={"Variables": variables})
    yield Probe(aws, deployed.find(aws, name, "deploy it"))
    for entry in (Entry("function", name), Entry("bucket", bucket)):
        remove(aws, entry)


@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_as_many_changes_are_made_as_the_check_says(aws, puts, changes):
    with half_way(puts) as copy:
        outcome = copy.invoke(KEYS, changes)
        assert (outcome.failed, outcome.payload) == (False, changes < len(KEYS)), outcome
    objects = aws.client("s3").list_objects_v2(Bucket=aws.name("half-way")).get("Contents", [])
    assert [each["Key"] for each in objects] == KEYS[:changes]


def test_the_copy_is_gone_afterwards(aws, puts):
    with half_way(puts):
        pass
    functions = aws.client("lambda").list_functions()["Functions"]
    assert [each["FunctionName"] for each in functions if each["FunctionName"].endswith("-half-way")] == []
