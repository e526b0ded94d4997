"""Wrong answers to lab 09, and what its check says of each."""

from collections.abc import Mapping
from typing import Any

from helpers.exercises.lab_mistakes import (
    A_LIBRARY_THAT_LAMBDA_LACKS,
    AN_ERROR_SWALLOWED,
    NO_CONTENT_TYPE,
    POSITIONAL_ARGUMENTS,
    SLEEPS,
    Changes,
    in_all_languages,
    wrong,
)

HARD_CODED: Changes = {
    "python": (('os.environ["WEBHOOK_URL"]', '"{webhook}"'),),
    "node": (
        ("const { WEBHOOK_URL } = process.env;", 'const WEBHOOK_URL = "{webhook}";'),
    ),
    "ruby": (('ENV.fetch("WEBHOOK_URL")', '"{webhook}"'),),
}
HIDDEN: Changes = {
    "python": (('os.environ["WEBHOOK_URL"]', '"{reversed}"[::-1]'),),
    "node": (
        (
            "const { WEBHOOK_URL } = process.env;",
            'const WEBHOOK_URL = [..."{reversed}"].reverse().join("");',
        ),
    ),
    "ruby": (('ENV.fetch("WEBHOOK_URL")', '"{reversed}".reverse'),),
}
BODY = {
    "python": 'json.dumps({"text": text}).encode()',
    "node": "JSON.stringify({ text })",
}
BODY["ruby"] = "JSON.generate({ text: text })"
NO_VARIABLES: Mapping[str, Any] = {"Environment": {"Variables": {}}}

NEVER_GIVES_UP = {
    "python": ((", timeout=TIMEOUT_S", ""),),
    "node": (("    signal: AbortSignal.timeout(TIMEOUT_MS),\n", ""),),
    "ruby": (
        ("open_timeout: TIMEOUT_S, read_timeout: TIMEOUT_S", "open_timeout: TIMEOUT_S"),
    ),
}

WRONG_ANSWERS = (
    *A_LIBRARY_THAT_LAMBDA_LACKS,
    *wrong(
        "a URL in the code",
        r"URL is in (app\.py|index\.mjs|app\.rb).*environment",
        HARD_CODED,
    ),
    *wrong(
        "a URL in the code and none in the environment",
        "URL is in",
        HARD_CODED,
        NO_VARIABLES,
    ),
    *wrong(
        "a hidden URL in the code and none in the environment",
        "so its URL is hidden in the code",
        HIDDEN,
        NO_VARIABLES,
    ),
    *wrong(
        "no WEBHOOK_URL",
        r"no environment variable WEBHOOK_URL; .*inbox\.webhook_url",
        configuration={"Environment": {"Variables": {"WEBHOOK": "x"}}},
    ),
    *wrong(
        "the masked URL",
        "not the URL of this inbox.*as it is",
        configuration={
            "Environment": {"Variables": {"WEBHOOK_URL": "http://127.0.0.1:…(hidden)"}}
        },
    ),
    *wrong(
        "JSON by hand",
        {
            "python": r"invalid_payload.*json\.dumps",
            "node": r"invalid_payload.*JSON\.stringify",
            "ruby": r"invalid_payload.*JSON\.generate",
        },
        {
            "python": ((BODY["python"], """f'{{"text": "{text}"}}'.encode()"""),),
            "node": ((BODY["node"], """`{"text": "${text}"}`"""),),
            "ruby": ((BODY["ruby"], '%({"text": "#{text}"})'),),
        },
    ),
    *wrong(
        "no JSON at all",
        "400 invalid_payload",
        {
            "python": ((BODY["python"], "text.encode()"),),
            "node": ((BODY["node"], "text"),),
            "ruby": ((BODY["ruby"], "text"),),
        },
    ),
    *wrong(
        "another key than text",
        "400 no_text",
        {
            "python": (
                ('json.dumps({"text": text})', 'json.dumps({"message": text})'),
            ),
            "node": (("{ text }", "{ message: text }"),),
            "ruby": (("{ text: text }", "{ message: text }"),),
        },
    ),
    *wrong(
        "another Content-Type",
        {
            "python": "request's Content-Type was application/x-www-form-urlencoded;",
            "node": "request's Content-Type was text/plain",
            "ruby": "request's Content-Type was application/x-www-form-urlencoded;",
        },
        NO_CONTENT_TYPE,
    ),
    *AN_ERROR_SWALLOWED,
    *wrong(
        "a URL in the log",
        "log of .* holds the webhook's URL, .*; do not print it",
        {
            "python": (
                ("    body = json", '    print("to", WEBHOOK_URL)\n    body = json'),
            ),
            "node": (
                ("  const answer", '  console.log("to", WEBHOOK_URL);\n  const answer'),
            ),
            "ruby": (("  body = JSON", '  puts "to #{WEBHOOK_URL}"\n  body = JSON'),),
        },
    ),
    *wrong(
        "a URL in the log when it fails",
        "log of .* holds the webhook's URL",
        {
            "node": (
                (
                    "  if (!answer.ok)",
                    "  if (!answer.ok) console.log(answer.url);\n  if (!answer.ok)",
                ),
            )
        },
    ),
    *POSITIONAL_ARGUMENTS,
    *wrong(
        "nothing sent",
        r"no message came to the inbox; post to the URL in WEBHOOK_URL",
        {
            "python": (("    post(text)\n", ""),),
            "node": (("  await post(text);\n", ""),),
            "ruby": (("  post(text)\n  {", "  {"),),
        },
    ),
    *wrong(
        "not awaited", "`await` every request", {"node": (("  await post", "  post"),)}
    ),
    *wrong(
        "a wrong handler name",
        {
            "python": r"no handler app\.lambda_handler .*the package holds app\.py",
            "node": r"no handler app\.lambda_handler .*the package holds index\.mjs",
            "ruby": r"no handler app\.lambda_handler .*the package holds app\.rb",
        },
        configuration={"Handler": "app.lambda_handler"},
    ),
    *wrong(
        "a wrong file name",
        r"no handler lambda_function\.handler ",
        configuration={"Handler": "lambda_function.handler"},
    ),
    *wrong(
        "it waits until Lambda stops it",
        "took 4 s to answer, and Lambda stopped .* 3 s; let the request give up after two seconds: ",
        NEVER_GIVES_UP,
        {"Timeout": 3},
    ),
    *wrong(
        "it waits as long as it takes",
        "took 4 s to answer, and .* waited for it, .*; let the request give up after two seconds: ",
        NEVER_GIVES_UP,
    ),
    *wrong(
        "a time limit too short for its work",
        "reached its time limit of 1 s .* raise Timeout",
        SLEEPS,
        {"Timeout": 1},
    ),
    *wrong(
        "a syntax error",
        {
            "python": r"cannot read your file: .*app\.py, line 11",
            "node": "cannot read your file: SyntaxError",
            "ruby": r"cannot read your file: app\.rb:[89]: syntax error",
        },
        {
            "python": (("def post(text):", "def post(text)"),),
            "node": (("async function post(text) {", "async function post(text) {{"),),
            "ruby": (("def post(text)", "def post(text"),),
        },
    ),
    *wrong(
        "always the same text",
        r"The event's text was .*, and 'done' came to the inbox",
        {
            "python": (("    post(text)\n", '    post("done")\n'),),
            "node": (("await post(text)", 'await post("done")'),),
            "ruby": (("  post(text)\n  {", '  post("done")\n  {'),),
        },
    ),
    *wrong(
        "no default",
        {
            "python": "failed for an event without a text, {}: KeyError: 'text'",
            "node": "no_text for an event without a text",
            "ruby": "no_text for an event without a text",
        },
        {
            "python": (('event.get("text") or "Hello from Lambda"', 'event["text"]'),),
            "node": ((' || "Hello from Lambda"', ""),),
            "ruby": (
                ('  text = "Hello from Lambda" if text.nil? || text.empty?\n', ""),
            ),
        },
    ),
    *wrong(
        "another default",
        "without a text, {}, 'Hi' came to the inbox; post 'Hello from Lambda'",
        in_all_languages("Hello from Lambda", "Hi"),
    ),
    *wrong(
        "nothing returned",
        r'returned null; return what it posted, as {"posted": text}',
        {
            "python": (('    return {"posted": text}\n', ""),),
            "node": (("  return { posted: text };\n", ""),),
            "ruby": (("  { posted: text }\n", "  nil\n"),),
        },
    ),
)
