"""Answers an HTTP request, from a function URL or an HTTP API, with a page."""

from page import render


def handler(event, context):
    query = event.get("queryStringParameters", {})
    status, page = render(event["rawPath"], query.get("visitor", "you"))
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Request-Id": context.aws_request_id,  # finds the answer in the log
        },
        "body": page,
    }
