"""Shows what an answer to an HTTP request can hold: a cookie, bytes, or just any JSON."""

import base64
import gzip

LONG_PAGE = "<p>Sencha, Hojicha, Genmaicha, Matcha.</p>\n" * 500


def handler(event, context):
    if event["rawPath"] == "/visits":
        return count_visits(event.get("cookies", []))
    if event["rawPath"] == "/zipped":
        return zipped()
    return event  # no statusCode in it: all of it becomes the body, as JSON


def count_visits(cookies):
    """The browser keeps the number: an environment would not see every visit."""
    ours = [text for text in cookies if text.startswith("visits=")]
    visit = 1 + (int(ours[0].removeprefix("visits=")) if ours else 0)
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Cache-Control": "no-store"},
        "cookies": [f"visits={visit}; Max-Age=3600; HttpOnly"],
        "body": f"This is visit {visit}.",
    }


def zipped():
    """JSON holds text and no bytes, so they travel in base64."""
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Encoding": "gzip",
        },
        "isBase64Encoded": True,
        "body": base64.b64encode(gzip.compress(LONG_PAGE.encode())).decode(),
    }
