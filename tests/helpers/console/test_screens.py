"""Each screen and each of its buttons, as a browser sends them, on the embedded AWS."""

import io
import json
import re
import zipfile

import pytest
from botocore.exceptions import ClientError
from localaws_client import THIS_PYTHON, eventually, zipped
from plain_words import puzzling
from sentences import doubled

from helpers.console import masks, packages
from helpers.console.screens import SCREENS
from helpers.console.strings import CATALOGUE
from helpers.inbox import open_inbox
from helpers.local_page import forms

HANDLER = "def handler(event, context):\n    print('<b>said</b>', event)\n    return event\n"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


@pytest.fixture(scope="module")
def function(browser, aws_of_module):
    """The name of a function that was created by the console."""
    shown = create(browser, "screens")
    name = aws_of_module.name("screens")
    assert f"The function {name} was created." in shown.text
    yield name
    aws_of_module.client("lambda").delete_function(FunctionName=name)


def create(browser, name: str, status: int = 200, **fields: str):
    given = {"runtime": THIS_PYTHON, "handler": "app.handler", "role": "logs", "file": "app.py", "text": HANDLER}
    return browser.post("create", "create", status=status, name=name, **{**given, **fields})


def configuration(workshop, name: str) -> dict:
    return workshop.client("lambda").get_function_configuration(FunctionName=name)


# The list


def test_the_list_has_my_functions_and_finds_them_by_name(browser, function, make_function):
    other = make_function(HANDLER)
    assert function in browser.get("").text
    assert other.name not in browser.get("").text, "it is not the learner's"
    assert function in browser.get("", search="SCREEN").text
    assert function not in browser.get("", search="nothing so").text


@pytest.mark.parametrize(
    "tab", ["code", "test", "configuration", "triggers", "versions", "monitoring", "logs", "delete"]
)
def test_a_function_that_is_not_mine_or_not_there(browser, name_of, tab):
    answer = browser.session.get(f"{browser.base}/functions/somebody-elses/{tab}")
    assert answer.status_code == 400
    assert "the console has your own functions alone" in answer.text
    if tab != "test":
        answer = browser.session.get(f"{browser.base}/functions/{name_of('missing')}/{tab}")
        assert answer.status_code == 400
        assert "ResourceNotFoundException" in answer.text


# Create, edit, delete


def test_create_shows_the_cells_and_what_aws_refuses(browser, function):
    refused = create(browser, "screens", status=400, text="kept = 'what was typed'")
    assert "ResourceConflictException" in refused.text
    assert "kept = 'what was typed'" in refused.text
    refused = create(browser, "Not A Name", status=400)
    assert "does not make a name" in refused.text
    refused = create(browser, "screens-2", status=400, file="", text="x")
    assert "There is no file" in refused.text


def test_create_with_a_zip(browser, aws_of_module):
    archive = zipped({"app.py": HANDLER, "lib/data.bin": b"\x00\r\n\xff--\r\n"})
    name = aws_of_module.name("by-zip")
    fields = {
        "name": "by-zip",
        "runtime": THIS_PYTHON,
        "handler": "app.handler",
        "role": "logs",
        "file": "",
        "text": "",
    }
    shown = browser.post("create", "create", files={"zip": ("my code.zip", archive)}, **fields)
    assert 'archive = Path("my code.zip").read_bytes()' in shown.cells[1]
    assert "no text, which the editor would not keep" in shown.text
    assert configuration(aws_of_module, name)["CodeSize"] == len(archive)
    browser.post(f"functions/{name}/delete", "delete", log="yes")


def test_begin_with_a_runtime(browser):
    shown = browser.get("create", runtime="nodejs24.x")
    assert "export const handler" in shown.text
    assert shown.values["handler"] == "index.handler"


def test_save_the_code_of_several_files(browser, function, aws_of_module):
    files = {"file": ["app.py", "more.py", ""], "text": ["import more\nhandler = more.handler\n", HANDLER, "left out"]}
    shown = browser.post(f"functions/{function}/code", "save", **files)
    assert "has this code now" in shown.text
    assert "import more" in shown.cells[0]
    answer = aws_of_module.client("lambda").invoke(FunctionName=function, Payload="7")
    assert answer["Payload"].read() == b"7"
    assert "more.py" in browser.get(f"functions/{function}/code").text


def test_delete_asks_first(browser, aws_of_module):
    create(browser, "short-lived")
    name = aws_of_module.name("short-lived")
    browser.post(f"functions/{name}/test", "test", event="{}")
    assert f"This deletes {name}" in browser.get(f"functions/{name}/delete").text
    shown = browser.post(f"functions/{name}/delete", "delete", log="yes")
    assert f"The function {name} is deleted." in shown.text
    assert name not in browser.get("").text.replace(f"The function {name}", "")
    groups = aws_of_module.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    assert groups == []


# Test


def test_press_test(browser, function):
    event = {"name": "Ada", "hostile": HOSTILE}
    shown = browser.post(f"functions/{function}/test", "test", event=json.dumps(event))
    assert f"{function} succeeded." in shown.text
    assert json.dumps(HOSTILE) in shown.text, "as text"
    assert "REPORT RequestId:" in shown.text
    assert re.search(r"Duration \(ms\) [\d.]+", shown.text)
    assert "LogType=" in shown.cells[0]


def test_a_function_that_fails(browser, function):
    browser.post(
        f"functions/{function}/code", "save", file="app.py", text="def handler(e, c):\n    raise KeyError('x')\n"
    )
    shown = browser.post(f"functions/{function}/test", "test", event="{}")
    assert "FunctionError is Unhandled" in shown.text
    assert "KeyError" in shown.text
    browser.post(f"functions/{function}/code", "save", file="app.py", text=HANDLER)


@pytest.mark.parametrize("event", ["", "{", "NaN", "{'a': 1}", "[" * 100_000])
def test_an_event_that_is_no_json_is_a_sentence(browser, function, event):
    shown = browser.post(f"functions/{function}/test", "test", status=400, event=event)
    assert "The event is no JSON" in shown.text


def test_events_of_my_own_are_files(browser, function, embedded_home):
    shown = browser.post(f"functions/{function}/test", "save", event='{"mine": 1}', event_name="first-one")
    assert "is saved" in shown.text
    file = embedded_home / "events" / "first-one.json"
    assert json.loads(file.read_text()) == {"mine": 1}
    assert '{"mine": 1}' in browser.get(f"functions/{function}/test", own="first-one").text
    browser.post(f"functions/{function}/test", "delete", event="{}", event_name="first-one")
    assert not file.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "é"])
def test_an_event_has_a_name_that_is_a_files(browser, function, embedded_home, name):
    shown = browser.post(f"functions/{function}/test", "save", status=400, event="{}", event_name=name)
    assert "The name of an event" in shown.text
    assert browser.get(f"functions/{function}/test", own="../ledger").text.count("place") == 0


def test_templates_are_those_of_the_workshop(browser, function):
    shown = browser.get(f"functions/{function}/test", template="s3-put")
    assert "aws:s3" in shown.text


def test_send_asynchronously(browser, function):
    shown = browser.post(f"functions/{function}/test", "send", event="{}")
    assert "status 202" in shown.text
    assert "InvocationType=" in shown.cells[0]


# Configuration


def test_general_configuration(browser, function, aws_of_module):
    given = {"memory_size": "300", "timeout": "9", "ephemeral_storage": "513", "description": HOSTILE}
    shown = browser.post(f"functions/{function}/configuration", "general", **given)
    found = configuration(aws_of_module, function)
    assert (found["MemorySize"], found["Timeout"], found["Description"]) == (300, 9, HOSTILE)
    assert "memory_size = 300" in shown.cells[0]
    refused = browser.post(
        f"functions/{function}/configuration", "general", status=400, **{**given, "memory_size": "1"}
    )
    assert "MemorySize" in refused.text or "memorySize" in refused.text
    refused = browser.post(f"functions/{function}/configuration", "general", status=400, **{**given, "timeout": "1e3"})
    assert "1e3 is no whole number." in refused.text


def test_runtime_and_role(browser, function, aws_of_module):
    browser.post(f"functions/{function}/configuration", "runtime", runtime=THIS_PYTHON, handler="app.handler")
    browser.post(f"functions/{function}/configuration", "role", role="queues")
    assert "sqs" in configuration(aws_of_module, function)["Role"].lower()
    refused = browser.post(f"functions/{function}/configuration", "role", status=400, role="arn", arn="nonsense")
    assert "ValidationException" in refused.text


def test_environment_variables(browser, function, aws_of_module):
    path = f"functions/{function}/configuration"
    browser.post(path, "set", variable="GREETING", value=HOSTILE, source="text")
    shown = browser.post(path, "set", variable="API_TOKEN", value="hunter2", source="text")
    assert 'getpass("API_TOKEN: ")' in shown.cells[0]
    page = browser.session.get(f"{browser.base}/{path}").text
    assert "hunter2" not in page
    assert "<script>alert" not in page
    variables = configuration(aws_of_module, function)["Environment"]["Variables"]
    assert variables == {"GREETING": HOSTILE, "API_TOKEN": "hunter2"}
    assert "hunter2" in browser.post(path, "reveal", variable="API_TOKEN").text
    assert "hunter2" not in browser.get(path).text
    browser.post(path, "remove", variable="GREETING")
    browser.post(path, "remove", variable="API_TOKEN")
    assert configuration(aws_of_module, function).get("Environment", {}).get("Variables", {}) == {}


def test_the_webhook_of_the_inbox_is_never_shown(browser, function, aws_of_module):
    path = f"functions/{function}/configuration"
    shown = browser.post(path, "set", variable="WEBHOOK_URL", source="inbox")
    url = open_inbox(aws_of_module).webhook_url
    secret = url.reveal().partition("/services/")[2]
    value = configuration(aws_of_module, function)["Environment"]["Variables"]["WEBHOOK_URL"]
    assert value.reveal() == url.reveal()
    assert "open_inbox(workshop).webhook_url" in shown.cells[0]
    for page in (path, f"functions/{function}/code", f"functions/{function}/versions"):
        assert secret not in browser.session.get(f"{browser.base}/{page}").text
    browser.post(path, "remove", variable="WEBHOOK_URL")


def test_which_variables_look_secret():
    assert masks.looks_secret("ANY", "https://hooks.slack.com/services/T1/B2/abc")
    assert all(masks.looks_secret(name, "x") for name in ("DB_PASSWORD", "api_key", "Token", "WEBHOOK_URL"))
    assert not any(masks.looks_secret(name, "x") for name in ("GREETING", "TABLE", "BUCKET"))


# Triggers


def test_an_s3_trigger_and_an_object(browser, function, aws_of_module):
    path = f"functions/{function}/triggers"
    given = {"new_bucket": "screens-in", "s3_event": "s3:ObjectCreated:*", "prefix": "in/", "suffix": ""}
    shown = browser.post(path, "add-s3", **given)
    bucket = aws_of_module.bucket("screens-in")
    assert "The trigger is added." in shown.text
    assert len(shown.cells) > 2 and bucket in shown.text
    shown = browser.post(path, "put-object", bucket=bucket, key=f"in/{HOSTILE}", body="text")
    assert HOSTILE in shown.text
    logs = f"functions/{function}/logs"
    eventually(lambda: "ObjectCreated:Put" in browser.get(logs, pattern="ObjectCreated").text)
    content = b"\x89PNG\r\n\x1a\n"
    browser.post(path, "put-object", files={"object": ("a.png", content)}, bucket=bucket, key="", body="")
    assert aws_of_module.client("s3").get_object(Bucket=bucket, Key="a.png")["Body"].read() == content
    refused = browser.post(path, "add-s3", status=400, bucket=bucket, **{**given, "new_bucket": ""})
    assert "InvalidArgument" in refused.text
    found = aws_of_module.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    [notification] = found["LambdaFunctionConfigurations"]
    browser.post(path, "remove-s3", bucket=bucket, notification_id=notification["Id"])
    assert "Nothing invokes this function by itself." in browser.get(path).text


def test_an_sqs_trigger_and_a_message(browser, function, aws_of_module):
    path = f"functions/{function}/triggers"
    refused = browser.post(path, "add-sqs", status=400, new_queue="screens-none", batch_size="0")
    assert "batchSize" in refused.text or "BatchSize" in refused.text
    browser.post(f"functions/{function}/configuration", "role", role="queues")
    shown = browser.post(path, "add-sqs", new_queue="screens-queue", batch_size="1")
    assert "The trigger is added." in shown.text
    browser.post(path, "send-message", queue=aws_of_module.name("screens-queue"), body=HOSTILE)
    eventually(lambda: "aws:sqs" in browser.get(f"functions/{function}/logs", pattern="aws").text)
    client = aws_of_module.client("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    browser.post(path, "remove-mapping", uuid=mapping["UUID"])
    eventually(lambda: not client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"])


def test_a_schedule(browser, function, aws_of_module):
    path = f"functions/{function}/triggers"
    shown = browser.post(path, "add-schedule", rule="every-hour", expression="rate(1 hour)", input='{"tick": 1}')
    rule = aws_of_module.name("every-hour")
    assert rule in shown.text and "rate(1 hour)" in shown.text
    refused = browser.post(path, "add-schedule", status=400, rule="other", expression="often", input="")
    assert "ValidationException" in refused.text
    browser.post(path, "remove-rule", rule=rule)
    assert rule not in browser.get(path).text


def test_a_function_url(browser, function, aws_of_module):
    path = f"functions/{function}/triggers"
    shown = browser.post(path, "add-url", auth_type="NONE")
    [config] = aws_of_module.client("lambda").list_function_url_configs(FunctionName=function)["FunctionUrlConfigs"]
    assert config["FunctionUrl"] in shown.text
    assert browser.session.get(config["FunctionUrl"]).status_code == 200, "everybody may call it"
    browser.post(path, "remove-url")
    assert config["FunctionUrl"] not in browser.get(path).text


# Versions, monitoring, logs


def test_versions_and_aliases(browser, function, aws_of_module):
    path = f"functions/{function}/versions"
    assert "Version 1 is published." in browser.post(path, "publish", description=HOSTILE).text
    browser.post(f"functions/{function}/code", "save", file="app.py", text=HANDLER + "# second\n")
    browser.post(path, "publish", description="second")
    shown = browser.post(path, "create-alias", alias="live", version="1")
    assert "live" in shown.text
    shown = browser.post(path, "point-alias", alias="live", version="1", other="2", weight="25")
    assert "2: 25 %" in shown.text
    refused = browser.post(path, "delete-version", status=400, version="1")
    assert "ResourceConflictException" in refused.text
    assert "is no whole number" in browser.post(path, "delete-version", status=400, version="").text
    browser.post(path, "delete-alias", alias="live")
    browser.post(path, "delete-version", version="1")
    assert [each["Version"] for each in _versions(aws_of_module, function)] == ["$LATEST", "2"]


def _versions(workshop, name):
    return workshop.client("lambda").list_versions_by_function(FunctionName=name)["Versions"]


def test_monitoring_has_pictures_with_a_sentence(browser, function):
    browser.post(f"functions/{function}/test", "test", event="{}")
    page = browser.session.get(f"{browser.base}/functions/{function}/monitoring").text
    pictures = re.findall(r'<img class="plot" src="data:image/png;base64,[^"]{1000,}" alt="([^"]+)"', page)
    assert len(pictures) == 2
    assert "calls" in pictures[1] and "environment" in pictures[1]


def test_logs_by_a_pattern_and_by_insights(browser, function):
    browser.post(f"functions/{function}/test", "test", event=json.dumps(HOSTILE))
    path = f"functions/{function}/logs"
    eventually(lambda: HOSTILE in browser.get(path, pattern="said").text)
    assert "REPORT" not in browser.get(path, pattern="said").text.replace("@message", "")
    found = browser.get(
        path, **{"with": "insights", "query": "fields @message | filter @message like /said/", "minutes": "60"}
    )
    assert HOSTILE in found.text
    refused = browser.get(path, **{"with": "insights", "query": "fields | |", "minutes": "60"})
    assert "MalformedQueryException" in refused.text


# All of them


def test_markup_in_what_functions_say_is_text(browser, function):
    browser.post(f"functions/{function}/test", "test", event=json.dumps(HOSTILE))
    for path in ("code", "test", "configuration", "triggers", "versions", "monitoring", "logs", "delete"):
        html = browser.session.get(f"{browser.base}/functions/{function}/{path}").text
        assert "<script>alert" not in html and "<b>said" not in html
        assert "49" not in re.findall(r"alert\(1\)[^<]*", html), "no template is made of it"
    for hostile in ("<img src=x>", "../../etc", "%3Cb%3E", 'a"onload=b'):
        answer = browser.session.get(f"{browser.base}/functions/{hostile}/code")
        assert answer.status_code in (400, 404) and "<img" not in answer.text


def test_a_button_that_is_not_there(browser, function):
    for screen in SCREENS:
        if screen.do:
            path = screen.path.strip("/").format(name=function)
            assert "no such button" in browser.post(path, "nonsense", status=400).text


def test_the_words_are_plain():
    words = CATALOGUE.entries
    assert [found for text in words.values() for found in [*doubled(text), *puzzling(text)]] == []


def test_each_word_of_the_catalogue_is_used():
    from helpers.console import strings

    folder = strings.CATALOGUE.file.parent
    text = " ".join(path.read_text(encoding="utf-8") for path in [*folder.rglob("*.py"), *folder.rglob("*.html")])
    made = ("where.", "tab.", "role.", "report.")  # put together
    assert [id for id in CATALOGUE.entries if f'"{id}"' not in text and not id.startswith(made)] == []


# What screens are made of


def test_a_form_with_files_is_read_to_the_byte():
    content = bytes(range(256)) * 3 + b"\r\n--x\r\n\n\r"
    body = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nh\xc3\xa9\r\nllo\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x \xc3\xa9.zip"\r\n'
        b"Content-Type: application/zip\r\n\r\n" + content + b"\r\n"
        b'--B\r\nContent-Disposition: form-data; name="none"; filename=""\r\n\r\n\r\n--B--\r\n'
    )
    form = forms.read("multipart/form-data; boundary=B", body)
    assert form.text("a") == "hé\nllo"
    assert form.files["f"].content == content
    assert list(form.files) == ["f"]


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=B"])
def test_a_body_that_is_no_form_is_empty(kind):
    assert forms.read(kind, b"\xff\x00--").files == {}


def test_which_packages_the_editor_takes():
    assert packages.opened(zipped({"app.py": "x = 'é'"})).files == {"app.py": "x = 'é'"}
    assert packages.opened(zipped({"a": b"\xff"})).closed == "code.no_text"
    assert packages.opened(zipped({"bootstrap": "x"}, ("bootstrap",))).closed == "code.executable"
    assert packages.opened(zipped({"a": "x" * 300_000})).closed == "code.too_large"
    assert packages.opened(b"no zip").closed == "code.no_zip"
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert packages.opened(empty.getvalue()).names == []


def test_a_long_answer_is_shown_from_its_beginning(browser, function):
    text = "def handler(event, context):\n    return 'x' * 3_000_000\n"
    browser.post(f"functions/{function}/code", "save", file="app.py", text=text)
    shown = browser.post(f"functions/{function}/test", "test", event="{}")
    assert "These are the first 50,000 of 3,000,002 characters." in shown.text
    browser.post(f"functions/{function}/code", "save", file="app.py", text=HANDLER)


def test_what_aws_does_not_allow_is_left_out_and_said(browser, function, aws_of_module):
    def refuse(params, **_):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no <b>buckets</b> for you"}}, "ListBuckets")

    events = aws_of_module.client("s3").meta.events
    events.register("before-call.s3.ListBuckets", refuse)
    try:
        shown = browser.get(f"functions/{function}/triggers").text
    finally:
        events.unregister("before-call.s3.ListBuckets", refuse)
    assert "A part of this page is missing, as AWS says: no <b>buckets</b> for you" in shown
    assert "Add a schedule" in shown
