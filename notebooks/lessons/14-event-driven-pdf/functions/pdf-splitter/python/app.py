"""Splits a PDF that came to S3: enters it in the table, and sends a message a page."""

import json
import os
from urllib.parse import unquote_plus

import boto3
import pypdfium2

s3, sqs = boto3.client("s3"), boto3.client("sqs")
documents = boto3.resource("dynamodb").Table(os.environ["DOCUMENTS_TABLE"])


def handler(event, context):
    for message in event["Records"]:
        # When told to notify, S3 sends a test event first, which has no Records.
        for record in json.loads(message["body"]).get("Records", []):
            place, thing = record["s3"]["bucket"], record["s3"]["object"]
            split(place["name"], unquote_plus(thing["key"]), thing["versionId"])


def split(bucket, key, version):
    pdf = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
    pages = len(pypdfium2.PdfDocument(pdf))
    documents.update_item(  # put_item would delete what an earlier try counted
        Key={"document": version},
        UpdateExpression="SET pdf = :pdf, pages = :pages",
        ExpressionAttributeValues={":pdf": key, ":pages": pages},
    )
    for first in range(1, pages + 1, 10):  # SQS takes ten messages at once
        send(
            {"bucket": bucket, "key": key, "document": version},
            range(first, min(first + 10, pages + 1)),
        )
    print(f"{key}: {pages} pages")


def send(work, pages):
    entries = [
        {"Id": str(page), "MessageBody": json.dumps(work | {"page": page})}
        for page in pages
    ]
    answer = sqs.send_message_batch(QueueUrl=os.environ["PAGES_QUEUE"], Entries=entries)
    if answer.get("Failed"):  # the call succeeds even when messages were refused
        raise RuntimeError(f"{len(answer['Failed'])} messages were not sent")
