"""Wrong answers to lab 16, and what its check says of each."""

from helpers.exercises.lab_mistakes import (
    A_LIBRARY_THAT_LAMBDA_LACKS,
    AN_ERROR_SWALLOWED,
    NO_CONTENT_TYPE,
    POSITIONAL_ARGUMENTS,
    wrong,
)

PYTHON_KEY = 'unquote_plus(record["s3"]["object"]["key"])'
NODE_KEY = 'decodeURIComponent(record.s3.object.key.replaceAll("+", " "))'
RUBY_KEY = 'URI.decode_www_form_component(record["s3"]["object"]["key"])'
PYTHON_IMPORT = ("import unquote_plus", "import unquote")

WRONG_ANSWERS = (
    *A_LIBRARY_THAT_LAMBDA_LACKS,
    *wrong("another Content-Type", "request's Content-Type was", NO_CONTENT_TYPE),
    *wrong(
        "a key not decoded",
        {
            "python": "key came as S3 encodes it.*unquote_plus",
            "node": "key came as S3 encodes it.*decodeURIComponent",
            "ruby": "key came as S3 encodes it.*decode_www_form_component",
        },
        {
            "python": ((PYTHON_KEY, 'record["s3"]["object"]["key"]'),),
            "node": ((NODE_KEY, "record.s3.object.key"),),
            "ruby": ((RUBY_KEY, 'record["s3"]["object"]["key"]'),),
        },
    ),
    *wrong(
        "a key half decoded",
        "key came as S3 encodes it, .* with \\+ for a space",
        {
            "python": (("unquote_plus", "unquote"),),
            "node": (('.replaceAll("+", " ")', ""),),
            "ruby": ((RUBY_KEY, RUBY_KEY.removesuffix(")") + '.gsub("+", "%2B"))'),),
        },
    ),
    *wrong(
        "a + replaced after decoding",
        {
            "python": r"The \+ was turned into a space after decoding.*unquote_plus",
            "node": r"The \+ was turned into a space after decoding.*decodeURIComponent",
        },
        {
            "python": (
                PYTHON_IMPORT,
                (
                    PYTHON_KEY,
                    'unquote(record["s3"]["object"]["key"]).replace("+", " ")',
                ),
            ),
            "node": (
                (
                    NODE_KEY,
                    'decodeURIComponent(record.s3.object.key).replaceAll("+", " ")',
                ),
            ),
        },
    ),
    *wrong(
        "only the first + replaced",
        r"Only the first \+ .* before decoding: ",
        {
            "python": (
                PYTHON_IMPORT,
                (
                    PYTHON_KEY,
                    'unquote(record["s3"]["object"]["key"]).replace("+", " ", 1)',
                ),
            ),
            "node": (("replaceAll(", "replace("),),
        },
    ),
    *wrong(
        "forEach with an async function",
        "`await` every request",
        {
            "node": (
                (
                    "for (const record of event.Records) {",
                    "event.Records.forEach(async (record) => {",
                ),
                ("    posted.push(key);\n  }\n", "    posted.push(key);\n  });\n"),
            )
        },
    ),
    *POSITIONAL_ARGUMENTS,
    *wrong(
        "only the first record",
        "three records brought 1 of their keys",
        {
            "python": (('event["Records"]:', 'event["Records"][:1]:'),),
            "node": (("of event.Records)", "of event.Records.slice(0, 1))"),),
            "ruby": (('event["Records"].map', 'event["Records"].first(1).map'),),
        },
    ),
    *wrong(
        "its own bucket",
        r"names the bucket \S+-uploads, and the event was about",
        {
            "python": (('record["s3"]["bucket"]["name"]', '"{uploads}"'),),
            "node": (("record.s3.bucket.name", '"{uploads}"'),),
            "ruby": (('record["s3"]["bucket"]["name"]', '"{uploads}"'),),
        },
    ),
    *wrong(
        "no key",
        "the message 'a new object' does not name it",
        {
            "python": (('post(f"s3://{bucket}/{key}")', 'post("a new object")'),),
            "node": (("post(`s3://${bucket}/${key}`)", 'post("a new object")'),),
            "ruby": (('post("s3://#{bucket}/#{key}")', 'post("a new object")'),),
        },
    ),
    *wrong(
        "the key alone",
        r"The message was 'check .*'; post the address of the object, s3://another-bucket",
        {
            "python": (('post(f"s3://{bucket}/{key}")', "post(key)"),),
            "node": (("post(`s3://${bucket}/${key}`)", "post(key)"),),
            "ruby": (('post("s3://#{bucket}/#{key}")', "post(key)"),),
        },
    ),
    *wrong(
        "one message for all records",
        "three records brought 1 message to the inbox; post one for each record, within the loop",
        {
            "python": (
                ("    posted = []\n", "    posted, lines = [], []\n"),
                (
                    'post(f"s3://{bucket}/{key}")',
                    'lines.append(f"s3://{bucket}/{key}")',
                ),
                ("    return {", '    post("\\n".join(lines))\n    return {'),
            ),
            "node": (
                ("const posted = [];", "const posted = [], lines = [];"),
                (
                    "await post(`s3://${bucket}/${key}`)",
                    "lines.push(`s3://${bucket}/${key}`)",
                ),
                (
                    "  return { posted };",
                    '  await post(lines.join("\\n"));\n  return { posted };',
                ),
            ),
            "ruby": (
                ("  posted = event", "  lines = []\n  posted = event"),
                ('post("s3://#{bucket}/#{key}")', 'lines << "s3://#{bucket}/#{key}"'),
                (
                    "  { posted: posted }",
                    '  post(lines.join("\\n"))\n  { posted: posted }',
                ),
            ),
        },
    ),
    *AN_ERROR_SWALLOWED,
    *wrong(
        "nothing returned",
        r'returned null; return {"posted": \[...\]}',
        {
            "python": (('    return {"posted": posted}', ""),),
            "node": (("  return { posted };\n", ""),),
            "ruby": (("  { posted: posted }\n", "  nil\n"),),
        },
    ),
)
