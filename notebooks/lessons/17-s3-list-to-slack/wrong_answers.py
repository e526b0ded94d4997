"""Wrong answers to the exercises of notebook 17, and what their checks say of each."""

from typing import Any

from helpers.exercises.exercise import WrongAnswer
from helpers.exercises.lab_mistakes import (
    AN_ERROR_SWALLOWED,
    SLEEPS,
    in_all_languages,
    wrong,
)

YOURS = "{yours}*"  # each bucket of the reader's


def _but(**changes: Any) -> dict[str, Any]:
    """The statement that passes, with changes."""
    return {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": YOURS} | changes


# Of 17.1: each the statements of a policy, or the name of a managed policy to attach beside them. A test writes how
# the ARNs of the reader's buckets begin in place of {yours}.
WRONG_POLICIES = (
    WrongAnswer(
        "none", (), "may write the log and nothing else yet; .* with put_policy"
    ),
    WrongAnswer(
        "one bucket",
        (_but(Resource="{yours}many"),),
        r"still refused for \S+, a bucket of yours: it may not call s3:ListBucket on \S+ because no identity-based "
        "policy allows the s3:ListBucket action; compare",
    ),
    WrongAnswer(
        "a denial beside",
        (_but(), _but(Effect="Deny")),
        "still refused .* with an explicit deny in an identity-based policy",
    ),
    WrongAnswer(
        "the SDK's name",
        (_but(Action="s3:ListObjectsV2"),),
        "allows s3:ListObjectsV2, and IAM knows no such action",
    ),
    WrongAnswer(
        "all of S3",
        (_but(Action="s3:*"),),
        r"allows s3:\*, more than one action; .* ListObjectsV2, which needs s3:ListBucket alone",
    ),
    WrongAnswer(
        "all lists",
        (_but(Action="s3:List*"),),
        r"allows s3:List\*, more than one action",
    ),
    WrongAnswer("all", (_but(Action="*"),), r"allows \*, more than one action"),
    WrongAnswer(
        "an action too many",
        (_but(Action=["s3:ListBucket", "s3:GetObject"]),),
        "allows s3:GetObject, which the function never calls",
    ),
    WrongAnswer(
        "every resource",
        (_but(Resource="*"),),
        r"allows s3:ListBucket on \*, which is more than your buckets; their ARNs begin with",
    ),
    WrongAnswer(
        "every bucket",
        (_but(Resource="arn:aws:s3:::*"),),
        r"on arn:aws:s3:::\*, which is more than your buckets",
    ),
    WrongAnswer(
        "another's bucket",
        (_but(Resource=[YOURS, "arn:aws:s3:::somebody-else"]),),
        "on arn:aws:s3:::somebody-else, which is no bucket of yours",
    ),
    WrongAnswer(
        "objects",
        (_but(Resource="{yours}*/*"),),
        "which are objects, and it is a right on the bucket",
    ),
    WrongAnswer(
        "a statement for another action",
        (_but(), _but(Action="s3:PutObject", Resource="{yours}*/*")),
        "allows s3:PutObject, which the function never calls",
    ),
    WrongAnswer(
        "a statement twice",
        (_but(), _but()),
        "lists the bucket also without .*, a statement of .*; leave that out",
    ),
    WrongAnswer(
        "a statement too many",
        (_but(), _but(Resource="{yours}uploads-check*")),
        "lists the bucket also without .*, a statement of .*; leave that out",
    ),
    WrongAnswer(
        "all but what is named",
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": YOURS},),
        "allows all but what it names; write Action and Resource instead",
    ),
    WrongAnswer(
        "a managed policy",
        ("AmazonS3ReadOnlyAccess",),
        "has the policy AmazonS3ReadOnlyAccess as well",
    ),
    WrongAnswer(
        "a managed policy beside",
        (_but(), "AmazonS3ReadOnlyAccess"),
        "has the policy AmazonS3ReadOnlyAccess as well, and all that it allows; take it away",
    ),
)
WRONG_ANSWERS = (
    *wrong(
        "an empty bucket",
        {
            "python": r"empty bucket has no list .*KeyError: 'Contents'.*page\.get",
            "node": r"empty bucket has no list .*\?\?",
        },
        {
            "python": (('page.get("Contents", [])', 'page["Contents"]'),),
            "node": (("(page.Contents ?? [])", "page.Contents"),),
        },
    ),
    *wrong(
        "silence about an empty bucket",
        "posts nothing about an empty bucket",
        {
            "python": (
                (
                    "    for text in texts:\n",
                    "    for text in texts if keys else []:\n",
                ),
            ),
            "node": (
                (
                    "for (const text of texts)",
                    "if (keys.length) for (const text of texts)",
                ),
            ),
            "ruby": (
                (
                    "  texts.each { |text| post(text) }",
                    "  texts.each { |text| post(text) } if keys.any?",
                ),
            ),
        },
    ),
    *wrong(
        "only the first 1,000",
        {
            "python": "only the first 1,000 were listed.*get_paginator",
            "node": "only the first 1,000 were listed.*paginateListObjectsV2",
            "ruby": "only the first 1,000 were listed.*each_page",
        },
        {
            "python": (
                (
                    's3.get_paginator("list_objects_v2").paginate(Bucket=bucket)',
                    "[s3.list_objects_v2(Bucket=bucket)]",
                ),
            ),
            "node": (
                ("import { paginateListObjectsV2,", "import { ListObjectsV2Command,"),
                (
                    "for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))",
                    "for (const page of [await client.send(new ListObjectsV2Command({ Bucket: bucket }))])",
                ),
            ),
            "ruby": (
                (
                    "each_page.flat_map { |page| page.contents.map(&:key) }",
                    "contents.map(&:key)",
                ),
            ),
        },
    ),
    *wrong(
        "a long message",
        r"has [\d,]+ characters.*at most 3,000",
        in_all_languages("MAX_TEXT = 3000", "MAX_TEXT = 30000"),
    ),
    *wrong(
        "a message for each key",
        "It posted 51 messages, one for each key; put as many lines",
        in_all_languages("MAX_TEXT = 3000", "MAX_TEXT = 0"),
    ),
    *wrong(
        "ten keys to a message",
        "of 1,001 objects came in 101 messages, and 3 of 3,000 characters hold it; fill",
        {
            "python": (
                (
                    "if len(texts[-1]) + 1 + len(line) <= MAX_TEXT:",
                    'if texts[-1].count("\\n") < 9:',
                ),
            ),
            "node": (
                (
                    "if (longer.length <= MAX_TEXT)",
                    'if (longer.split("\\n").length < 11)',
                ),
            ),
            "ruby": (("longer.length <= MAX_TEXT", 'longer.count("\\n") < 10'),),
        },
    ),
    *wrong(
        "a list cut off",
        "lack [0-9,]+ of 1,001 keys",
        {
            "python": (("    for text in texts:\n", "    for text in texts[:1]:\n"),),
            "node": (("of texts) await", "of texts.slice(0, 1)) await"),),
            "ruby": (("  texts.each {", "  texts.first(1).each {"),),
        },
    ),
    *wrong(
        "its own bucket",
        "asked for a bucket that does not exist .*; list the bucket of the event",
        {
            "python": (('event["Records"][0]["s3"]["bucket"]["name"]', '"{uploads}"'),),
            "node": (("event.Records[0].s3.bucket.name", '"{uploads}"'),),
            "ruby": (('event["Records"][0]["s3"]["bucket"]["name"]', '"{uploads}"'),),
        },
    ),
    *AN_ERROR_SWALLOWED,
    *wrong(
        "a time limit too short",
        "reached its time limit of 1 s .* raise Timeout",
        SLEEPS,
        {"Timeout": 1},
    ),
    *wrong(
        "nothing returned",
        r'returned null for 2 objects; return {"objects": n',
        {
            "python": (
                ('    return {"objects": len(keys), "messages": len(texts)}', ""),
            ),
            "node": (
                ("  return { objects: keys.length, messages: texts.length };\n", ""),
            ),
            "ruby": (
                ("  { objects: keys.length, messages: texts.length }\n", "  nil\n"),
            ),
        },
    ),
)
