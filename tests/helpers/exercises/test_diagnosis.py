"""What the checks say of an invocation, from made-up evidence: also what only AWS itself brings about."""

import re
from dataclasses import replace

import pytest

from helpers.exercises import diagnosis
from helpers.exercises.deployed import Deployed, check_secret
from helpers.exercises.diagnosis import Outcome, Post
from helpers.exercises.exercise import NotSolved
from helpers.exercises.languages import LANGUAGES

SECRET = "T0A1B2/B3C4D5/" + "x" * 24  # no webhook's, and not written out: it looks like one


def function(language: str = "python", **configuration) -> Deployed:
    handler = {"python": "app.handler", "node": "index.handler", "ruby": "app.handler"}[language]
    usual = {"FunctionName": "ada-slack", "Handler": handler, "Runtime": "python3.13", "Timeout": 3}
    return Deployed(usual | configuration, LANGUAGES[language], {"app.py": ""})


def failed(error_type: str, message: str, log: str = "") -> Outcome:
    return Outcome({"errorType": error_type, "errorMessage": message}, failed=True, log=log)


@pytest.mark.parametrize(
    ("language", "error_type", "message", "says"),
    [
        (
            "python",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'requests'",
            "not requests; post with urllib.request",
        ),
        ("python", "ModuleNotFoundError", "No module named 'httpx'", "not httpx; post with urllib.request"),
        (
            "python",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'app'",
            r"finds no handler app\.handler .* the package holds app\.py",
        ),
        (
            "node",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/x",
            r"finds no handler index\.handler",
        ),
        (
            "node",
            "Error",
            "Cannot find package 'node-fetch' imported from /var/task/index.mjs",
            "not node-fetch; post with fetch",
        ),
        (
            "node",
            "Error",
            "Cannot find module '/var/task/post.mjs' imported from x",
            r"has no file post\.mjs, which your handler loads",
        ),
        (
            "node",
            "Error",
            "Cannot find package '@aws-sdk/client-s3' imported from x",
            "on this machine lacks @aws-sdk/client-s3, which Lambda's runtime holds; .*doctor",
        ),
        ("node", "Runtime.ImportModuleError", "Error: Cannot find module 'aws-sdk'", "not aws-sdk; post"),
        ("ruby", "Init<LoadError>", "cannot load such file -- httparty", "not httparty; post with net/http"),
        ("ruby", "Init<LoadError>", "cannot load such file -- app", r"finds no handler app\.handler"),
        ("ruby", "Init<LoadError>", "cannot load such file -- aws-sdk-s3", "on this machine lacks aws-sdk-s3"),
        ("ruby", "Function<NoMethodError>", "undefined method 'handler' for an instance of X", "finds no handler app"),
        ("ruby", "Function<NoMethodError>", "undefined method `foo' for nil", "for a test: NoMethodError: undef"),
        ("ruby", "Init<NameError>", "uninitialized constant Jsno", "failed for a test: NameError: uninitialized"),
        (
            "python",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': x (app.py, line 7)",
            r"line 7\); correct",
        ),
        (
            "ruby",
            "Init<SyntaxError>",
            "/var/task/app.rb:5: syntax error",
            r"your file: app\.rb:5: syntax error; correct",
        ),
        ("ruby", "Function<NotImplementedError>", "Post the text.", "not written yet, .*: Post the text"),
        ("ruby", "Runtime.InvalidEntrypoint", "there is no ruby", r"cannot run python3\.13 \(there is no ruby\)"),
        ("python", "Sandbox.Timedout", "Task timed out after 3.00 seconds", "its time limit of 3 s for a test"),
        (
            "python",
            "ClientError",
            "An error occurred (AccessDenied) when calling the ListObjectsV2 operation",
            "role of ada-slack does not allow .*s3:ListBucket",
        ),
        (
            "python",
            "AccessDeniedException",
            f"User: {'x' * 200} is not authorized to perform: lambda:InvokeFunction on resource: x",
            r"role of ada-slack does not allow .*; allow lambda:InvokeFunction on x\.$",
        ),
        ("ruby", "Function<Aws::S3::Errors::AccessDenied>", "Access Denied", "role of ada-slack does not allow"),
        ("node", "NoSuchBucket", "The specified bucket does not exist", "asked for a bucket that does not exist"),
        ("ruby", "Function<RuntimeError>", "boom", "failed for a test: RuntimeError: boom; .*/aws/lambda/ada-slack"),
        ("python", "Runtime.OutOfMemory", "", "failed for a test: Runtime.OutOfMemory: without a message"),
    ],
)
def test_a_failure_has_its_sentence(language, error_type, message, says):
    text = diagnosis.of_failure(failed(error_type, message), function(language), "for a test")
    assert re.search(says, text), text
    assert "\n" not in text


DENIED = "User: arn:aws:sts::0:assumed-role/r/f is not authorized to perform: "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            f'{DENIED}s3:GetObject on resource: "arn:aws:s3:::b/k.jpg" because no',
            r"allow s3:GetObject on arn:\S+/k\.jpg;",
        ),
        (
            f'{{"m": "{DENIED}s3:GetObject on resource: \\"arn:aws:s3:::b/k\\" because no"}}',
            r"on arn:aws:s3:::b/k; call",
        ),
        (
            f"{DENIED}sqs:sendmessage on resource: arn:aws:sqs:x:0:q because no",
            "allow sqs:sendmessage on arn:aws:sqs:x:0:q;",
        ),
        (f"{DENIED}ec2:DescribeInstances because no", "allow ec2:DescribeInstances; call"),
    ],
)
def test_a_call_that_the_role_does_not_allow_is_named(text, says):
    sentence = diagnosis.of_refusal(f"a line\n{text}\na line", function())
    assert sentence.startswith("The role of ada-slack does not ")
    assert re.search(says, sentence), sentence


def test_what_is_no_refusal_has_no_sentence():
    assert diagnosis.of_refusal("AccessDenied, says the function itself", function()) is None


def test_a_module_that_only_the_log_names_is_found():
    outcome = failed("Runtime.ExitError", "Error: Runtime exited", "cannot load such file -- httparty (LoadError)")
    assert "not httparty" in diagnosis.of_failure(outcome, function("ruby"), "for a test")


def test_a_missing_language_is_told_without_the_request_id():
    message = "RequestId: 8f5b1e0c-0000 Error: Ruby is not installed on this machine (apt install ruby)"
    sentence = diagnosis.of_failure(failed("Runtime.InvalidEntrypoint", message), function("ruby"), "now")
    assert "(Ruby is not installed on this machine (apt install ruby)); solve the lab" in sentence


def test_another_argument_error_in_ruby_is_no_matter_of_keywords():
    outcome = failed("Function<ArgumentError>", "wrong number of arguments (given 1, expected 2)")
    assert "failed now: ArgumentError: wrong number" in diagnosis.of_failure(outcome, function("ruby"), "now")


def test_a_url_of_another_shape_is_found_in_the_code_and_only_there():
    url = "https://chat.example.com/hooks/" + "d" * 26 + "/"
    check_secret(function(), url)
    with pytest.raises(NotSolved, match=r"URL is in app\.py"):
        check_secret(replace(function(), files={"app.py": f"post('{url}')"}), url)


def test_the_url_of_a_webhook_never_shows():
    message = f"Failed to parse URL from https://hooks.slack.com/services/{SECRET}"
    text = str(NotSolved(diagnosis.of_failure(failed("TypeError", message), function("node"), "for a test")))
    assert SECRET not in text and "hooks.slack.com/…(hidden)" in text


def test_a_payload_that_is_no_error_is_told_as_it_is():
    text = diagnosis.of_failure(Outcome("?", failed=True), function(), "for a test")
    assert "failed for a test: an error: without a message" in text


@pytest.mark.parametrize(
    ("post", "says"),
    [
        (Post("", "application/json", "invalid_payload"), "400 invalid_payload for a test"),
        (Post("", "application/json", "no_text"), "400 no_text for a test"),
        (Post("", "application/json", "no_service"), "answered no_service, because it was called at another"),
        (Post("", "application/json", "invalid_token"), "answered invalid_token, because it was called at another"),
        (Post("x", "text/plain;charset=UTF-8"), "Content-Type was text/plain;charset=UTF-8"),
        (Post("x", ""), "Content-Type was none"),
        (Post("x", "Application/JSON; charset=utf-8"), None),
    ],
)
def test_a_post_has_its_sentence(post, says):
    text = diagnosis.of_posts(Outcome(None, posts=[Post("fine", "application/json"), post]), function(), "for a test")
    assert (text is None) if says is None else re.search(says, text)


def test_posts_that_nobody_can_see_are_not_judged():
    assert diagnosis.of_posts(Outcome(None, posts=None), function(), "for a test") is None


def test_a_second_try_that_arrives_is_no_swallowed_error():
    tried = [Post("", "application/json", "rollup_error"), Post("x", "application/json")]
    assert diagnosis.of_swallowed_error(Outcome(None, posts=tried), function()) is None
    assert "reported success" in diagnosis.of_swallowed_error(Outcome(None, posts=tried[:1]), function())


@pytest.mark.parametrize(
    ("language", "message", "is_known"),
    [
        ("python", "'Contents'", True),
        ("node", "Cannot read properties of undefined (reading 'map')", True),
        ("node", "page.Contents is not iterable", True),
        ("node", "Cannot read properties of undefined (reading 's3')", False),
        ("ruby", "undefined method `map' for nil", False),  # the SDK's list is empty there, never nil
    ],
)
def test_an_empty_bucket_is_known_by_what_its_missing_list_causes(language, message, is_known):
    text = diagnosis.of_empty_bucket(failed("KeyError", message), function(language))
    assert bool(text) is is_known


def test_a_notebook_shows_the_sentence_in_place_of_a_traceback():
    assert NotSolved("Not yet.")._render_traceback_() == ["Not yet."]
