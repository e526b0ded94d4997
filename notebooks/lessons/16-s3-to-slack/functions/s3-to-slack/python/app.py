import json
import os
from urllib.error import HTTPError
from urllib.parse import unquote_plus
from urllib.request import Request, urlopen

# Read once, at init: without the variable the function fails at once.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]
TIMEOUT_S = 2  # below the function's own limit, so that the log says what was slow


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


def handler(event, context):
    posted = []
    for record in event["Records"]:  # one as a rule, but it is a list
        bucket = record["s3"]["bucket"]["name"]
        # A key comes URL-encoded, and "+" is a space.
        key = unquote_plus(record["s3"]["object"]["key"])
        post(f"s3://{bucket}/{key}")
        posted.append(key)
    return {"posted": posted}
