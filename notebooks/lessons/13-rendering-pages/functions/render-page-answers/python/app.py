"""Shows what an answer to an HTTP request can hold: a cookie, bytes, or just any JSON."""

import base64
import gzip

LONG_PAGE = "<p>Sencha, Hojicha, Genmaicha, Matcha.</p>\n" * 500


def handler(event, context):
    if event["rawPath"] == "/visits":
        return count_visits(event.get("cookies", []))
    if event["rawPath"] == "/zipped":
        return zipped()
    return event  # no statusCode in it: the whole of it becomes the body, as JSON, with status 200


def count_visits(cookies):
    """The browser keeps the number: an environment that kept it would not see every visit."""
    before = next(
        (
            int(text.removeprefix("visits="))
            for text in cookies
            if text.startswith("visits=")
        ),
        0,
    )
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "text/plain; charset=utf-8",
            "Cache-Control": "no-store",
        },
        "cookies": [f"visits={before + 1}; Max-Age=3600; HttpOnly"],
        "body": f"This is visit {before + 1}.",
    }


def zipped():
    """Bytes are no text, and JSON holds text alone: so they travel in base64."""
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Encoding": "gzip",
        },
        "isBase64Encoded": True,
        "body": base64.b64encode(gzip.compress(LONG_PAGE.encode())).decode(),
    }
