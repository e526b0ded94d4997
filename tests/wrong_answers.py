"""Answers to the labs as learners write them: a right one in each language, and what makes it wrong."""

from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("python", "node", "ruby")
RUNTIMES = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
FILES = {"python": "app.py", "node": "index.mjs", "ruby": "app.rb"}
Change = tuple[str, str]  # what is replaced in the right answer, and by what

POST = {
    "python": """\
import json
import os
import urllib.parse
import urllib.request


def post(text):
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(os.environ["WEBHOOK_URL"], body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=2).close()


""",
    "node": """\
async function post(text) {
  const response = await fetch(process.env.WEBHOOK_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
    signal: AbortSignal.timeout(2000),
  });
  if (!response.ok) throw new Error(`answered ${response.status}`);
}

""",
    "ruby": """\
require "json"
require "net/http"

def post(text)
  uri = URI(ENV.fetch("WEBHOOK_URL"))
  http = Net::HTTP.new(uri.host, uri.port)
  http.use_ssl = uri.scheme == "https"
  http.read_timeout = 2
  response = http.post(uri.request_uri, JSON.generate(text: text), "Content-Type" => "application/json")
  raise "answered #{response.code}" unless response.is_a?(Net::HTTPSuccess)
end

""",
}
HANDLERS = {
    ("09", "python"): """\
def handler(event, context):
    text = event.get("text", "Hello from Lambda")
    post(text)
    return {"posted": text}
""",
    ("09", "node"): """\
export const handler = async (event) => {
  const text = event.text ?? "Hello from Lambda";
  await post(text);
  return { posted: text };
};
""",
    ("09", "ruby"): """\
def handler(event:, context:)
  text = event["text"] || "Hello from Lambda"
  post(text)
  { posted: text }
end
""",
    ("16", "python"): """\
def handler(event, context):
    keys = []
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        post(f"s3://{bucket}/{key}")
        keys.append(key)
    return {"posted": keys}
""",
    ("16", "node"): """\
export const handler = async (event) => {
  const keys = [];
  for (const record of event.Records) {
    const bucket = record.s3.bucket.name;
    const key = decodeURIComponent(record.s3.object.key.replace(/\\+/g, " "));
    await post(`s3://${bucket}/${key}`);
    keys.push(key);
  }
  return { posted: keys };
};
""",
    ("16", "ruby"): """\
def handler(event:, context:)
  keys = []
  event["Records"].each do |record|
    bucket = record["s3"]["bucket"]["name"]
    key = URI.decode_www_form_component(record["s3"]["object"]["key"])
    post("s3://#{bucket}/#{key}")
    keys << key
  end
  { posted: keys }
end
""",
    ("17", "python"): """\
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys += [item["Key"] for item in page.get("Contents", [])]
    texts = ["no objects"] if not keys else []
    for key in keys:
        if not texts or len(texts[-1]) + 1 + len(key) > 3000:
            texts.append(key)
        else:
            texts[-1] += "\\n" + key
    for text in texts:
        post(text)
    return {"objects": len(keys), "messages": len(texts)}
""",
    ("17", "node"): """\
import { ListObjectsV2Command, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";

const client = new S3Client();

export const handler = async (event) => {
  const bucket = event.Records[0].s3.bucket.name;
  const keys = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))
    keys.push(...(page.Contents ?? []).map((item) => item.Key));
  const texts = keys.length ? [] : ["no objects"];
  for (const key of keys)
    if (!texts.length || texts.at(-1).length + 1 + key.length > 3000) texts.push(key);
    else texts[texts.length - 1] += "\\n" + key;
  for (const text of texts) await post(text);
  return { objects: keys.length, messages: texts.length };
};
""",
    ("17", "ruby"): """\
require "aws-sdk-s3"

CLIENT = Aws::S3::Client.new

def handler(event:, context:)
  bucket = event["Records"][0]["s3"]["bucket"]["name"]
  keys = CLIENT.list_objects_v2(bucket: bucket).each_page.flat_map { |page| page.contents.map(&:key) }
  texts = keys.empty? ? ["no objects"] : []
  keys.each do |key|
    if texts.empty? || texts.last.length + 1 + key.length > 3000
      texts << key.dup
    else
      texts.last << "\\n" << key
    end
  end
  texts.each { |text| post(text) }
  { objects: keys.length, messages: texts.length }
end
""",
}


@dataclass(frozen=True)
class Wrong:
    """One wrong answer: what of the right one is changed, in which languages, and what the check says of it.

    {webhook} in a change stands for the URL of the inbox, {uploads} for the reader's bucket.
    """

    lab: str
    name: str
    says: str | dict[str, str]  # a regular expression, for all languages or for each
    changes: dict[str, list[Change]] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.changes) or LANGUAGES

    def expected(self, language: str) -> str:
        return self.says[language] if isinstance(self.says, dict) else self.says


def right(lab: str, language: str) -> str:
    return POST[language] + HANDLERS[lab, language]


def code(wrong: Wrong, language: str, **places: str) -> str:
    text = right(wrong.lab, language)
    for old, new in wrong.changes.get(language, []):
        assert old in text, old
        for name, value in places.items():
            new = new.replace("{" + name + "}", value)
        text = text.replace(old, new)
    return text


# Changes that several labs share
PYTHON_SEND = "    urllib.request.urlopen(request, timeout=2).close()\n"
NODE_SEND = "  if (!response.ok) throw new Error(`answered ${response.status}`);\n"
RUBY_SEND = '  raise "answered #{response.code}" unless response.is_a?(Net::HTTPSuccess)\n'
SWALLOWED = {
    "python": [(
        PYTHON_SEND,
        "    try:\n        urllib.request.urlopen(request, timeout=2).close()\n"
        '    except Exception as error:\n        print("not posted:", error)\n',
    )],
    "node": [(NODE_SEND, '  if (!response.ok) console.log("not posted");\n')],
    "ruby": [(RUBY_SEND, "")],
}  # fmt: skip
SWALLOWED_SAYS = {
    "python": r"answered with 500, and \S+ reported success.*HTTPError",
    "node": r"answered with 500, and \S+ reported success.*response\.ok",
    "ruby": r"answered with 500, and \S+ reported success.*Net::HTTPSuccess",
}
NO_TIME_LIMIT = {
    "python": [(", timeout=2", "")],
    "node": [("    signal: AbortSignal.timeout(2000),\n", "")],
    "ruby": [("  http.read_timeout = 2\n", "")],
}
LIBRARY = {
    "python": [("import json\n", "import json\nimport requests\n")],
    "node": [("async function post", 'import axios from "axios";\n\nasync function post')],
    "ruby": [('require "json"\n', 'require "json"\nrequire "httparty"\n')],
}
LIBRARY_SAYS = {
    "python": "not requests; post with urllib.request",
    "node": "not axios; post with fetch",
    "ruby": "not httparty; post with net/http",
}
BY_HAND = {
    "python": [('json.dumps({"text": text}).encode()', """f'{{"text": "{text}"}}'.encode()""")],
    "node": [("JSON.stringify({ text })", """`{"text": "${text}"}`""")],
    "ruby": [("JSON.generate(text: text)", "%({\"text\": \"#{text}\"})")],
}
NO_CONTENT_TYPE = {
    "python": [(', {"Content-Type": "application/json"})', ")")],
    "node": [('    headers: { "Content-Type": "application/json" },\n', "")],
    "ruby": [(', "Content-Type" => "application/json")', ")")],
}
HARD_CODED = {
    "python": [('os.environ["WEBHOOK_URL"]', '"{webhook}"')],
    "node": [("process.env.WEBHOOK_URL", '"{webhook}"')],
    "ruby": [('ENV.fetch("WEBHOOK_URL")', '"{webhook}"')],
}
SLEEPS = {
    "python": [('    body = json', '    __import__("time").sleep(5)\n    body = json')],
    "node": [("  const response", "  await new Promise((go) => setTimeout(go, 5000));\n  const response")],
    "ruby": [("  uri = URI", "  sleep 5\n  uri = URI")],
}
POSITIONAL = {"ruby": [("def handler(event:, context:)", "def handler(event, context)")]}
KEYWORDS_SAYS = r"Ruby's handler takes keywords: def handler\(event:, context:\)\."
PRINTS_THE_URL = {
    "python": [("    body = json", '    print("to", os.environ["WEBHOOK_URL"])\n    body = json')],
    "node": [("  const response", '  console.log("to", process.env.WEBHOOK_URL);\n  const response')],
    "ruby": [("  uri = URI", '  puts "to #{ENV["WEBHOOK_URL"]}"\n  uri = URI')],
}

SLACK = [
    Wrong("09", "a library that Lambda lacks", LIBRARY_SAYS, LIBRARY),
    Wrong("09", "a URL in the code", r"URL stands in (app\.py|index\.mjs|app\.rb).*environment", HARD_CODED),
    Wrong("09", "a URL in the code and none in the environment", "URL stands in", HARD_CODED,
          {"Environment": {"Variables": {}}}),
    Wrong("09", "a hidden URL in the code and none in the environment", "so its URL is hidden in the code", {
        "python": [('os.environ["WEBHOOK_URL"]', '"{reversed}"[::-1]')],
        "node": [("process.env.WEBHOOK_URL", '[..."{reversed}"].reverse().join("")')],
        "ruby": [('ENV.fetch("WEBHOOK_URL")', '"{reversed}".reverse')],
    }, {"Environment": {"Variables": {}}}),
    Wrong("09", "no WEBHOOK_URL", r"no environment variable WEBHOOK_URL; .*inbox\.webhook_url",
          configuration={"Environment": {"Variables": {"WEBHOOK": "x"}}}),
    Wrong("09", "the masked URL", "not the URL of this inbox.*as it is",
          configuration={"Environment": {"Variables": {"WEBHOOK_URL": "http://127.0.0.1:…(hidden)"}}}),
    Wrong("09", "JSON by hand", {
        "python": r"invalid_payload.*json\.dumps", "node": r"invalid_payload.*JSON\.stringify",
        "ruby": r"invalid_payload.*JSON\.generate",
    }, BY_HAND),
    Wrong("09", "no JSON at all", "400 invalid_payload", {
        "python": [('json.dumps({"text": text}).encode()', "text.encode()")],
        "node": [("JSON.stringify({ text })", "text")],
        "ruby": [("JSON.generate(text: text)", "text")],
    }),
    Wrong("09", "another key than text", "400 no_text", {
        "python": [('{"text": text}', '{"message": text}')],
        "node": [("{ text }", "{ message: text }")],
        "ruby": [("text: text)", "message: text)")],
    }),
    Wrong("09", "another Content-Type", {
        "python": "request's Content-Type was application/x-www-form-urlencoded;",
        "node": "request's Content-Type was text/plain",
        "ruby": "request's Content-Type was application/x-www-form-urlencoded;",
    }, NO_CONTENT_TYPE),
    Wrong("09", "an error swallowed", SWALLOWED_SAYS, SWALLOWED),
    Wrong("09", "a URL in the log", "log of .* holds the webhook's URL, .*; do not print it", PRINTS_THE_URL),
    Wrong("09", "a URL in the log when it fails", "log of .* holds the webhook's URL", {"node": [
        (NODE_SEND, "  if (!response.ok) console.log(response.url);\n" + NODE_SEND),
    ]}),
    Wrong("09", "positional arguments", KEYWORDS_SAYS, POSITIONAL),
    Wrong("09", "nothing sent", r"no message came to the inbox; post to the URL in WEBHOOK_URL", {
        "python": [("    post(text)\n", "")],
        "node": [("  await post(text);\n", "")],
        "ruby": [("  post(text)\n  {", "  {")],
    }),
    Wrong("09", "not awaited", "`await` every request", {"node": [("  await post", "  post")]}),
    Wrong("09", "a wrong handler name", {
        "python": r"no handler app\.lambda_handler .*the package holds app\.py",
        "node": r"no handler app\.lambda_handler .*the package holds index\.mjs",
        "ruby": r"no handler app\.lambda_handler .*the package holds app\.rb",
    }, configuration={"Handler": "app.lambda_handler"}),
    Wrong("09", "a wrong file name", r"no handler lambda_function\.handler ",
          configuration={"Handler": "lambda_function.handler"}),
    Wrong("09", "a time limit of 3 s", "took 4 s to answer, and Lambda stopped .* 3 s; raise Timeout",
          NO_TIME_LIMIT),
    Wrong("09", "a time limit too short for its work", "reached its time limit of 1 s .* raise Timeout",
          SLEEPS, {"Timeout": 1}),
    Wrong("09", "a syntax error", {
        "python": r"cannot read your file: .*app\.py, line 7", "node": "cannot read your file: SyntaxError",
        "ruby": r"cannot read your file: app\.rb:5: syntax error",
    }, {
        "python": [("def post(text):", "def post(text)")],
        "node": [("async function post(text) {", "async function post(text) {{")],
        "ruby": [("def post(text)", "def post(text")],
    }),
    Wrong("09", "always the same text", r"The event's text was .*, and 'done' came to the inbox", {
        "python": [("post(text)\n    return", 'post("done")\n    return')],
        "node": [("await post(text)", 'await post("done")')],
        "ruby": [("post(text)\n  {", 'post("done")\n  {')],
    }),
    Wrong("09", "no default", {
        "python": "failed for an event without a text, {}: KeyError: 'text'",
        "node": "no_text for an event without a text", "ruby": "no_text for an event without a text",
    }, {
        "python": [('event.get("text", "Hello from Lambda")', 'event["text"]')],
        "node": [(' ?? "Hello from Lambda"', "")],
        "ruby": [(' || "Hello from Lambda"', "")],
    }),
    Wrong("09", "another default", "without a text, {}, brought 'Hi'; post 'Hello from Lambda'",
          {language: [("Hello from Lambda", "Hi")] for language in LANGUAGES}),
    Wrong("09", "nothing returned", r'returned null; return what it posted, as {"posted": text}', {
        "python": [('    return {"posted": text}\n', "")],
        "node": [("  return { posted: text };\n", "")],
        "ruby": [("  { posted: text }\n", "  nil\n")],
    }),
]  # fmt: skip

S3_TO_SLACK = [
    Wrong("16", "a library that Lambda lacks", LIBRARY_SAYS, LIBRARY),
    Wrong("16", "another Content-Type", "request's Content-Type was", NO_CONTENT_TYPE),
    Wrong("16", "a key not decoded", {
        "python": "key came as S3 encodes it.*unquote_plus",
        "node": "key came as S3 encodes it.*decodeURIComponent",
        "ruby": "key came as S3 encodes it.*decode_www_form_component",
    }, {
        "python": [("urllib.parse.unquote_plus(", "str(")],
        "node": [('decodeURIComponent(record.s3.object.key.replace(/\\+/g, " "))', "record.s3.object.key")],
        "ruby": [("URI.decode_www_form_component(", "String(")],
    }),
    Wrong("16", "a key half decoded", "key came as S3 encodes it, .* with \\+ for a space", {
        "python": [("unquote_plus", "unquote")],
        "node": [('.replace(/\\+/g, " ")', "")],
        "ruby": [("decode_www_form_component", "decode_uri_component")],
    }),
    Wrong("16", "a + replaced after decoding", {
        "python": r"The \+ was turned into a space after decoding.*unquote_plus",
        "node": r"The \+ was turned into a space after decoding.*decodeURIComponent",
    }, {
        "python": [('unquote_plus(record["s3"]["object"]["key"])',
                    'unquote(record["s3"]["object"]["key"]).replace("+", " ")')],
        "node": [('record.s3.object.key.replace(/\\+/g, " "))', 'record.s3.object.key).replace(/\\+/g, " ")')],
    }),
    Wrong("16", "only the first + replaced", r"Only the first \+ .* before decoding: ", {
        "python": [('unquote_plus(record["s3"]["object"]["key"])',
                    'unquote(record["s3"]["object"]["key"]).replace("+", " ", 1)')],
        "node": [('.replace(/\\+/g, " ")', '.replace("+", " ")')],
    }),
    Wrong("16", "forEach with an async function", "`await` every request", {"node": [
        ("for (const record of event.Records) {", "event.Records.forEach(async (record) => {"),
        ("    keys.push(key);\n  }\n", "    keys.push(key);\n  });\n"),
    ]}),
    Wrong("16", "positional arguments", KEYWORDS_SAYS, POSITIONAL),
    Wrong("16", "only the first record", "three records brought 1 of their keys", {
        "python": [('event["Records"]:', 'event["Records"][:1]:')],
        "node": [("of event.Records)", "of event.Records.slice(0, 1))")],
        "ruby": [('event["Records"].each', 'event["Records"].first(1).each')],
    }),
    Wrong("16", "its own bucket", r"names the bucket \S+-uploads, and the event was about", {
        "python": [('record["s3"]["bucket"]["name"]', '"{uploads}"')],
        "node": [("record.s3.bucket.name", '"{uploads}"')],
        "ruby": [('record["s3"]["bucket"]["name"]', '"{uploads}"')],
    }),
    Wrong("16", "no key", "the message 'a new object' does not name it", {
        "python": [('post(f"s3://{bucket}/{key}")', 'post("a new object")')],
        "node": [("post(`s3://${bucket}/${key}`)", 'post("a new object")')],
        "ruby": [('post("s3://#{bucket}/#{key}")', 'post("a new object")')],
    }),
    Wrong("16", "an error swallowed", SWALLOWED_SAYS, SWALLOWED),
    Wrong("16", "nothing returned", r'returned null; return {"posted": \[...\]}', {
        "python": [('    return {"posted": keys}\n', "")],
        "node": [("  return { posted: keys };\n", "")],
        "ruby": [("  { posted: keys }\n", "  nil\n")],
    }),
]  # fmt: skip

FIRST_PAGE = {
    "python": [(
        '    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):\n',
        "    for page in [s3.list_objects_v2(Bucket=bucket)]:\n",
    )],
    "node": [(
        "  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))\n",
        "  for (const page of [await client.send(new ListObjectsV2Command({ Bucket: bucket }))])\n",
    )],
    "ruby": [("each_page.flat_map { |page| page.contents.map(&:key) }", "contents.map(&:key)")],
}  # fmt: skip
S3_LIST_TO_SLACK = [
    Wrong("17", "an empty bucket", {
        "python": r"empty bucket has no list .*KeyError: 'Contents'.*page\.get",
        "node": r"empty bucket has no list .*\?\?",
    }, {
        "python": [('page.get("Contents", [])', 'page["Contents"]')],
        "node": [("(page.Contents ?? [])", "page.Contents")],
    }),
    Wrong("17", "silence about an empty bucket", "posts nothing about an empty bucket", {
        "python": [('["no objects"] if not keys else []', "[]")],
        "node": [('keys.length ? [] : ["no objects"]', "[]")],
        "ruby": [('keys.empty? ? ["no objects"] : []', "[]")],
    }),
    Wrong("17", "only the first 1,000", {
        "python": "only the first 1,000 were listed.*get_paginator",
        "node": "only the first 1,000 were listed.*paginateListObjectsV2",
        "ruby": "only the first 1,000 were listed.*each_page",
    }, FIRST_PAGE),
    Wrong("17", "a long message", r"has [\d,]+ characters.*at most 3,000", {
        language: [("> 3000", "> 30000")] for language in LANGUAGES
    }),
    Wrong("17", "a message for each key", "It posted 50 messages, one for each key; put as many lines", {
        language: [("> 3000", "> 0")] for language in LANGUAGES
    }),
    Wrong("17", "a list cut off", "lack [0-9,]+ of 1,001 keys", {
        "python": [("    for text in texts:\n", "    for text in texts[:1]:\n")],
        "node": [("of texts) await", "of texts.slice(0, 1)) await")],
        "ruby": [("  texts.each", "  texts.first(1).each")],
    }),
    Wrong("17", "its own bucket", "asked for a bucket that does not exist .*; list the bucket of the event", {
        "python": [('event["Records"][0]["s3"]["bucket"]["name"]', '"{uploads}"')],
        "node": [("event.Records[0].s3.bucket.name", '"{uploads}"')],
        "ruby": [('event["Records"][0]["s3"]["bucket"]["name"]', '"{uploads}"')],
    }),
    Wrong("17", "an error swallowed", SWALLOWED_SAYS, SWALLOWED),
    Wrong("17", "a time limit too short", "reached its time limit of 1 s .* raise Timeout",
          SLEEPS, {"Timeout": 1}),
    Wrong("17", "nothing returned", r'returned null for 2 objects; return {"objects": n', {
        "python": [('    return {"objects": len(keys), "messages": len(texts)}\n', "")],
        "node": [("  return { objects: keys.length, messages: texts.length };\n", "")],
        "ruby": [("  { objects: keys.length, messages: texts.length }\n", "  nil\n")],
    }),
]  # fmt: skip
ALL = [*SLACK, *S3_TO_SLACK, *S3_LIST_TO_SLACK]
