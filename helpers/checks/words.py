"""How each language says what a sentence or a hint has to name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Pieces of one language, for sentences about all three."""

    title: str
    holds: str  # what Lambda's runtime brings along
    variable: str  # how to read WEBHOOK_URL
    post: str
    to_json: str
    decode: str  # a key of an S3 event
    pages: str  # all pages of a list
    missing: str  # "" when the SDK has an empty list for an empty bucket
    fail: str
    wait: str = ""  # what it takes that the request is sent before the handler ends


WORDS = {
    "python": Words(
        "Python", "the standard library and boto3", 'os.environ["WEBHOOK_URL"]', "urllib.request",
        "json.dumps", "urllib.parse.unquote_plus(key)", 'get_paginator("list_objects_v2")',
        'page.get("Contents", [])',
        "let urllib's HTTPError through, or raise an exception of your own",
    ),
    "node": Words(
        "Node.js", "its own modules and the AWS SDK v3", "process.env.WEBHOOK_URL", "fetch", "JSON.stringify",
        'decodeURIComponent(key.replace(/\\+/g, " "))', "paginateListObjectsV2", "page.Contents ?? []",
        "throw an Error unless response.ok",
        " (`await` every request: a function is frozen as soon as its handler has ended)",
    ),
    "ruby": Words(
        "Ruby", "the standard library and the aws-sdk gems", 'ENV.fetch("WEBHOOK_URL")', "net/http",
        "JSON.generate", "URI.decode_www_form_component(key)", "list_objects_v2(bucket:).each_page", "",
        "raise unless response is a Net::HTTPSuccess",
    ),
}  # fmt: skip
