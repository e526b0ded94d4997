import json
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3

# Read once, at init: without the variable the function fails at once, not at its first message.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]
TIMEOUT_S = 2  # for one message; the function's own limit has to do for the list and all messages
MAX_TEXT = 3000  # characters that a block of a Slack message shows

s3 = boto3.client(
    "s3"
)  # made once for each environment: a warm invocation uses it again


def post(text):
    body = json.dumps({"text": text}).encode()
    request = Request(
        WEBHOOK_URL, body, {"Content-Type": "application/json"}
    )  # with a body it is a POST
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            if (
                answer.url != WEBHOOK_URL
            ):  # urlopen went elsewhere, with a GET that carries no message
                raise RuntimeError("The webhook redirects, which Slack never does")
    except (
        HTTPError
    ) as error:  # any status that is not 2xx: raise, so that the invocation fails
        raise RuntimeError(
            f"Slack answered {error.code}: {error.read().decode()}"
        ) from error
    print("posted", text)


def keys_of(bucket):
    """All keys of the bucket: S3 gives 1,000 at a time, and the paginator asks for the rest."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    # the page of an empty bucket has no "Contents"
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def texts_of(lines):
    """The lines as few texts, each of at most MAX_TEXT characters, split at line ends."""
    texts = [lines[0]]
    for line in lines[1:]:
        if len(texts[-1]) + 1 + len(line) <= MAX_TEXT:
            texts[-1] += "\n" + line
        else:
            texts.append(line)
    return texts


def handler(event, context):
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    keys = keys_of(bucket)
    title = (
        f"Objects in s3://{bucket}: {len(keys)}" if keys else f"s3://{bucket} is empty."
    )
    texts = texts_of([title, *keys])
    for text in texts:
        post(text)
    return {"objects": len(keys), "messages": len(texts)}
