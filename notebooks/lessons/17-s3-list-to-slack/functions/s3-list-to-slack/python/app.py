import json
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3

# Read once, at init: without the variable the function fails at once.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]
TIMEOUT_S = 2  # for one message; the function's own limit is for all of its work
MAX_TEXT = 3000  # characters that a block of a Slack message shows

# Made once for each environment: a warm invocation uses it again.
s3 = boto3.client("s3")


def post(text):
    body = json.dumps({"text": text}).encode()
    # With a body it is a POST.
    request = Request(WEBHOOK_URL, body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            # urlopen follows a redirect with a GET, which carries no message.
            if answer.url != WEBHOOK_URL:
                raise RuntimeError("The webhook redirects, which Slack never does")
    except HTTPError as error:
        # Any status that is not 2xx: raise, so that the invocation fails.
        reason = error.read().decode()
        raise RuntimeError(f"Slack answered {error.code}: {reason}") from error
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
    title = f"Objects in s3://{bucket}: {len(keys)}"
    if not keys:
        title = f"s3://{bucket} is empty."
    texts = texts_of([title, *keys])
    for text in texts:
        post(text)
    return {"objects": len(keys), "messages": len(texts)}
