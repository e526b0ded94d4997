"""Renders pages of a PDF, one for each message; a page may come again."""

import functools
import io
import json
import os

import boto3
import pypdfium2

WIDTH = 240  # pixels of a thumbnail

s3, sqs = boto3.client("s3"), boto3.client("sqs")
documents = boto3.resource("dynamodb").Table(os.environ["DOCUMENTS_TABLE"])


def handler(event, context):
    failures = []
    for message in event["Records"]:
        try:
            render(**json.loads(message["body"]))
        except Exception as error:  # one bad page must not stop the others
            print(f"{message['body']} failed: {error!r}")
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}


def render(bucket, key, document, page):
    sheet = load(bucket, key, document)[page - 1]
    picture = io.BytesIO()
    sheet.render(scale=WIDTH / sheet.get_width()).to_pil().save(picture, "PNG")
    is_new = put_once(f"{document}/page-{page:03}.png", picture.getvalue())
    count(document, page)
    print(f"page {page} {'rendered' if is_new else 'was there already'}")


@functools.lru_cache(maxsize=1)  # the next page is mostly of the same PDF
def load(bucket, key, version):
    return pypdfium2.PdfDocument(
        s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
    )


def put_once(key, picture):
    """Put the picture where none is yet, and return whether it was put."""
    try:
        s3.put_object(
            Bucket=os.environ["PICTURES_BUCKET"],
            Key=key,
            Body=picture,
            ContentType="image/png",
            IfNoneMatch="*",
        )
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return False
    return True


def count(document, page):
    """Count the page; when all are there, tell the indexer."""
    item = documents.update_item(
        Key={"document": document},
        UpdateExpression="ADD rendered :page",  # to a set: it holds each page once
        ExpressionAttributeValues={":page": {page}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    if len(item["rendered"]) == item["pages"] and "announced" not in item:
        # First send, then note it: to die in between causes a second message, not none.
        sqs.send_message(
            QueueUrl=os.environ["COMPLETE_QUEUE"],
            MessageBody=json.dumps({"document": document}),
        )
        documents.update_item(
            Key={"document": document},
            UpdateExpression="SET announced = :yes",
            ExpressionAttributeValues={":yes": True},
        )
