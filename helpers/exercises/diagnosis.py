"""From the evidence of one invocation to the one sentence for the reader. Calls no AWS."""

import re
from dataclasses import dataclass, field
from typing import Any

from .deployed import Deployed

MISSING_MODULE = re.compile(
    r"No module named '([^']+)'"  # Python
    r"|Cannot find (?:module|package) '([^']+)'"  # Node.js
    r"|cannot load such file -- ([^\s\"]+)"  # Ruby
)
SDK = ("boto3", "@aws-sdk/", "aws-sdk-")
# Where two runtimes have the same failure, it has two names: Ruby's own are Init<…> and Function<…>.
SYNTAX = ("Runtime.UserCodeSyntaxError", "Init<SyntaxError>")
NO_HANDLER = ("Runtime.HandlerNotFound", "Runtime.MalformedHandlerName", "Init<ArgumentError>")
NO_METHOD = re.compile(r"undefined method [`'](\w+)'")  # in Ruby, which a typo raises too
POSITIONAL = re.compile(r"^\s*def (?:self\.)?handler\b *\(? *\w+ *, *\w+ *\)?", re.MULTILINE)  # in Ruby
NOT_WRITTEN = ("NotImplementedError", "Function<NotImplementedError>")
# In Python a KeyError; in Node.js undefined is gone through, or asked for what a list has.
NO_LIST = re.compile(
    r"Contents|is not iterable"
    r"|undefined \(reading '(?:length|map|flatMap|filter|forEach|reduce|slice|sort|\d+)'\)"
)
REQUEST = re.compile(r"^RequestId: \S+ Error: ")
NOT_ALLOWED = re.compile(r"not authorized to perform: (\S+?)[.,]?(?:\s+on resource: \\*\"?([^\s\"\\]+))?(?=[\s\"\\]|$)")
AN_END = re.compile(r"[\s.:;]+$")
TASK_FOLDER = re.compile(r"\S*/task/(?=\w)")  # where the package is unpacked: /var/task on AWS


@dataclass(frozen=True)
class Post:
    """One request that the inbox received, and its answer ("ok", or why not)."""

    text: str
    content_type: str
    answer: str = "ok"


@dataclass(frozen=True)
class Outcome:
    """What is known of one invocation: the payload, whether it is an error, the log, what reached the inbox.

    `posts` is None when they went to Slack, where nobody can read them back.
    """

    payload: Any
    failed: bool = False
    log: str = ""
    posts: list[Post] | None = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts or [] if post.answer == "ok"]

    @property
    def error_type(self) -> str:
        return str(self._error.get("errorType", ""))

    @property
    def error_message(self) -> str:
        return str(self._error.get("errorMessage", ""))

    @property
    def timed_out(self) -> bool:
        return self.error_type == "Sandbox.Timedout"

    @property
    def _error(self) -> dict[str, Any]:
        return self.payload if self.failed and isinstance(self.payload, dict) else {}


def of_failure(outcome: Outcome, function: Deployed, when: str) -> str:
    """The sentence for an invocation that failed. `when` says for what, e.g. "for an empty bucket"."""
    recognisers = (_module, _handler, _keywords, _syntax, _not_written, _language, _time_limit, _access, _bucket)
    recognised = (recognise(outcome, function, when) for recognise in recognisers)
    return next(filter(None, recognised), None) or (
        f"{function.name} failed {when}: {_shown(outcome)}; the stack trace is in its log, {function.log_group}."
    )


def refused_call(text: str) -> tuple[str, str | None] | None:
    """The action, and the resource where there is one, of a call that policies do not allow, by what AWS says of it."""
    found = NOT_ALLOWED.search(text)
    return (found[1], found[2]) if found else None


def of_refusal(text: str, function: Deployed) -> str | None:
    """The sentence for a call that the function's role does not allow, where a text of AWS's or a log names one."""
    refused = refused_call(text)
    if not refused:
        return None
    action, resource = refused
    where = f" on {resource}" if resource else ""
    return (
        f"The role of {function.name} does not allow {action}{where}; call only what the role allows, or let the role "
        "allow this, and deploy again."
    )


def of_posts(outcome: Outcome, function: Deployed, when: str) -> str | None:
    """The sentence for what reached the inbox, or None when a message did, and all as they should."""
    if outcome.posts is None:
        return None
    for post in outcome.posts:
        if sentence := _refused(post, function, when) or _content_type(post, function):
            return sentence
    if not outcome.texts and not outcome.failed:
        return (
            f"{function.name} ended well {when}, but no message came to the inbox; post to the URL in "
            f"WEBHOOK_URL, and look at what it answers{function.language.waits_for_requests}."
        )
    return None


def of_empty_bucket(outcome: Outcome, function: Deployed) -> str | None:
    """The sentence for a handler that counts on a list where there is none, or says nothing of it."""
    if not outcome.failed and outcome.posts == []:
        return f"{function.name} posts nothing about an empty bucket; post a message that says that it is empty."
    if not outcome.failed or not function.language.defaults_to_no_objects or not NO_LIST.search(outcome.error_message):
        return None
    return (
        f"The answer for an empty bucket has no list of objects, and your handler counts on one "
        f"({_shown(outcome)}); write {function.language.defaults_to_no_objects}, and post that the bucket is empty."
    )


def of_swallowed_error(outcome: Outcome, function: Deployed) -> str | None:
    """The sentence for a handler that ended well although the webhook had refused its message, or None."""
    if outcome.failed or "ok" in [post.answer for post in outcome.posts or []]:  # it failed, or tried again
        return None
    return (
        f"The webhook answered with 500, and {function.name} reported success all the same, so nobody would "
        f"learn that the message is lost; {function.language.fails_loudly}{function.language.waits_for_requests}."
    )


def of_slow_webhook(outcome: Outcome, function: Deployed, seconds: float) -> str | None:
    """The sentence for a function that does not give up by itself while the webhook takes its time, or None."""
    if outcome.timed_out:
        what = f"Lambda stopped {function.name} at its time limit of {function.timeout_s} s"
    elif not outcome.failed:
        what = f"{function.name} waited for it, and was paid for waiting"
    else:
        return None
    return (
        f"The webhook took {seconds:g} s to answer, and {what}; let the request give up after two seconds: "
        f"{function.language.gives_up}."
    )


def _module(outcome: Outcome, function: Deployed, when: str) -> str | None:
    # A module that is loaded within the handler ends Ruby's process, so that only the log names it.
    told = (MISSING_MODULE.search(text) for text in (outcome.error_message, outcome.log if outcome.failed else ""))
    found = next(filter(None, told), None)
    if not found:
        return None
    module, language = next(filter(None, found.groups())), function.language
    file = module.rsplit("/", 1)[-1]
    if file == function.module:
        return _handler_sentence(function)
    if module.startswith(("/", ".")):
        return f"The package has no file {file}, which your handler loads; package its whole folder."
    if module.startswith(SDK):
        return (
            f"{language.title} on this machine lacks {module}, which Lambda's runtime holds; "
            "`python3 -m helpers doctor` says what to install, or use another language."
        )
    return (
        f"Lambda's {language.title} brings along {language.brings_along}, and not {module}; "
        f"post with {language.posts_with}, which needs nothing else."
    )


def _handler(outcome: Outcome, function: Deployed, when: str) -> str | None:
    found = NO_METHOD.match(outcome.error_message) if outcome.error_type == "Function<NoMethodError>" else None
    name = function.configuration["Handler"].rsplit(".", 1)[-1]
    is_missing = outcome.error_type in NO_HANDLER or (found and found[1] == name)
    return _handler_sentence(function) if is_missing else None


def _handler_sentence(function: Deployed) -> str:
    handler, files = function.configuration["Handler"], ", ".join(sorted(function.files)[:5])
    name = handler.rsplit(".", 1)[-1]
    return (
        f"Lambda finds no handler {handler} (that is, {name} in the file {function.module}; "
        f"the package holds {files}); give the function that name, or change Handler."
    )


def _keywords(outcome: Outcome, function: Deployed, when: str) -> str | None:
    is_positional = any(POSITIONAL.search(text) for text in function.files.values())
    if function.language.name != "ruby" or outcome.error_type != "Function<ArgumentError>" or not is_positional:
        return None
    return "Ruby's handler takes keywords: def handler(event:, context:)."


def _syntax(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if outcome.error_type not in SYNTAX:
        return None
    return f"{function.language.title} cannot read your file: {_message(outcome)}; correct it, and deploy again."


def _not_written(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if outcome.error_type not in NOT_WRITTEN:
        return None
    return f"The handler is not written yet, it raises NotImplementedError: {_message(outcome)}."


def _language(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if outcome.error_type != "Runtime.InvalidEntrypoint":
        return None
    runtime = function.configuration["Runtime"]
    why = REQUEST.sub("", _message(outcome))
    return f"This machine cannot run {runtime} ({why}); solve the lab in another language."


def _time_limit(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if not outcome.timed_out:
        return None
    return (
        f"{function.name} reached its time limit of {function.timeout_s} s {when}, and Lambda stopped it; "
        "raise Timeout, e.g. to 10, and look whether the handler waits for something that never comes."
    )


def _access(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if not re.search(r"AccessDenied|Access Denied|not authorized", _shown(outcome)):
        return None
    action, resource = refused_call(outcome.error_message) or ("s3:ListBucket", None)
    needs = "to list a bucket, it needs s3:ListBucket on the bucket's own ARN"
    if action != "s3:ListBucket":
        needs = f"allow {action}" + (f" on {resource}" if resource else "")
    return f"The role of {function.name} does not allow what its handler does {when} ({_shown(outcome)}); {needs}."


def _bucket(outcome: Outcome, function: Deployed, when: str) -> str | None:
    if not re.search(r"NoSuchBucket|The specified bucket does not exist", _shown(outcome)):
        return None
    return (
        f"The handler asked for a bucket that does not exist ({_shown(outcome)}); "
        'list the bucket of the event, record["s3"]["bucket"]["name"].'
    )


def _refused(post: Post, function: Deployed, when: str) -> str | None:
    if post.answer == "invalid_payload":
        return (
            f"The webhook answered 400 invalid_payload {when}, because the body was not the JSON that it "
            f"expects; make it with {function.language.makes_json}, which also takes care of quotes and line ends."
        )
    if post.answer == "no_text":
        return (
            f"The webhook answered 400 no_text {when}, because the body held no text; "
            'send {"text": "..."}, and never an empty one.'
        )
    if post.answer in ("no_service", "invalid_token"):
        return (
            f"The webhook answered {post.answer}, because it was called at another address; "
            f"post to {function.language.reads_webhook} as it is."
        )
    return None


def _content_type(post: Post, function: Deployed) -> str | None:
    if post.content_type.partition(";")[0].strip().lower() == "application/json":
        return None
    sent = post.content_type or "none"
    return f"The request's Content-Type was {sent}; its body is JSON, so send Content-Type: application/json."


def _message(outcome: Outcome) -> str:
    line = next(iter(outcome.error_message.strip().splitlines()), "without a message")
    return TASK_FOLDER.sub("", line)[:200].rstrip(".")


def _shown(outcome: Outcome) -> str:
    kind = re.sub(r"^(?:Function|Init)<(.+)>$", r"\1", outcome.error_type) or "an error"
    return f"{kind}: {AN_END.sub('', _message(outcome))}"  # the sentence goes on
