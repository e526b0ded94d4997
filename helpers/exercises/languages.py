"""The languages that the labs can be solved in, and how each says what a sentence or a hint has to name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Language:
    """One language: what Lambda has for it, and the pieces of it that a sentence needs."""

    name: str  # as the workshop's functions and start_at() call it
    title: str
    runtime: str  # of Lambda
    file: str  # which holds the handler
    brings_along: str  # what Lambda's runtime holds
    reads_webhook: str  # WEBHOOK_URL, from the environment
    posts_with: str
    makes_json: str
    decodes_key: str  # of an S3 event
    lists_all: str  # all pages of a bucket's list
    defaults_to_no_objects: str  # "" where the SDK has an empty list for an empty bucket
    fails_loudly: str
    gives_up: str  # after two seconds
    waits_for_requests: str = ""  # what it takes that a request is sent before the handler ends


LANGUAGES = {
    language.name: language
    for language in (
        Language(
            name="python",
            title="Python",
            runtime="python3.13",
            file="app.py",
            brings_along="the standard library and boto3",
            reads_webhook='os.environ["WEBHOOK_URL"]',
            posts_with="urllib.request",
            makes_json="json.dumps",
            decodes_key="unquote_plus(key)",
            lists_all='get_paginator("list_objects_v2")',
            defaults_to_no_objects='page.get("Contents", [])',
            fails_loudly="let urllib's HTTPError through, or raise an exception of your own",
            gives_up="urlopen(request, timeout=2)",
        ),
        Language(
            name="node",
            title="Node.js",
            runtime="nodejs24.x",
            file="index.mjs",
            brings_along="its own modules and the AWS SDK v3",
            reads_webhook="process.env.WEBHOOK_URL",
            posts_with="fetch",
            makes_json="JSON.stringify",
            decodes_key='decodeURIComponent(key.replace(/\\+/g, " "))',
            lists_all="paginateListObjectsV2",
            defaults_to_no_objects="page.Contents ?? []",
            fails_loudly="throw an Error unless response.ok",
            gives_up="signal: AbortSignal.timeout(2000) beside the body",
            waits_for_requests=" (`await` every request: a function is frozen as soon as its handler has ended)",
        ),
        Language(
            name="ruby",
            title="Ruby",
            runtime="ruby3.4",
            file="app.rb",
            brings_along="the standard library and the aws-sdk gems",
            reads_webhook='ENV.fetch("WEBHOOK_URL")',
            posts_with="net/http",
            makes_json="JSON.generate",
            decodes_key="URI.decode_www_form_component(key)",
            lists_all="list_objects_v2(bucket:).each_page",
            defaults_to_no_objects="",
            fails_loudly="raise unless response is a Net::HTTPSuccess",
            gives_up="open_timeout: 2, read_timeout: 2 in Net::HTTP.start",
        ),
    )
}
