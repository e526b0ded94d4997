import json
import os
from urllib.error import HTTPError
from urllib.parse import unquote_plus
from urllib.request import Request, urlopen

# Read once, at init: without the variable the function fails at once, not at its first message.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]
TIMEOUT_S = 2  # below the function's own limit, so that the log says what was slow


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


def handler(event, context):
    raise NotImplementedError(
        "Post the address s3://<bucket>/<key> of every record, decoded, and return the keys as {'posted': keys}."
    )
