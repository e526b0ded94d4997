"""Two ways in: pictures that S3 reports through a queue, or directly."""

import json

from thumbnail import make_thumbnail


def handler(event, context):
    """Messages of a queue: the body of each is what S3 has sent, as text."""
    for message in event["Records"]:
        work(message)


def work(message):
    tries = message["attributes"]["ApproximateReceiveCount"]
    event = json.loads(message["body"])
    for record in event.get("Records", []):  # a test event of S3 has none
        print("try", tries, record["s3"]["object"]["key"])
        make_thumbnail(record)


def direct(event, context):
    """An event of S3 itself."""
    for record in event["Records"]:
        print("try", record["s3"]["object"]["key"])
        make_thumbnail(record)
