"""Wrong answers to lab 17, and what its check says of each."""

from helpers.exercises.lab_mistakes import (
    AN_ERROR_SWALLOWED,
    SLEEPS,
    in_all_languages,
    wrong,
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
