"""How the labs declare wrong answers in three languages, and mistakes with a webhook that can be made in any lab."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .exercise import WrongAnswer
from .languages import LANGUAGES

Change = tuple[str, str]  # what is replaced in the reference answer, and by what
Changes = Mapping[str, tuple[Change, ...]]  # by language


@dataclass(frozen=True)
class WrongLabAnswer(WrongAnswer):
    """A wrong answer in one language: `answer` holds the changes of the reference answer, in their order.

    {webhook} in them stands for the URL of the inbox, {reversed} for the same backwards, {uploads} for the reader's
    bucket.
    """

    language: str
    configuration: Mapping[str, Any] = field(default_factory=dict)  # of the function, where it is not the usual one


def wrong(
    name: str,
    says: str | Mapping[str, str],
    changes: Changes | None = None,
    configuration: Mapping[str, Any] | None = None,
) -> Iterator[WrongLabAnswer]:
    """One mistake in each language that it can be made in: those of `changes`, or all where the code is right.

    `says` is a regular expression for all languages, or one for each.
    """
    for language in changes or LANGUAGES:
        answer = changes[language] if changes else ()
        sentence = says if isinstance(says, str) else says[language]
        yield WrongLabAnswer(name, answer, sentence, language, configuration or {})


def in_all_languages(old: str, new: str) -> Changes:
    """A change that is the same in every language."""
    return {language: ((old, new),) for language in LANGUAGES}


A_LIBRARY_THAT_LAMBDA_LACKS = (
    *wrong(
        "a library that Lambda lacks",
        {
            "python": "not requests; post with urllib.request",
            "node": "not axios; post with fetch",
            "ruby": "not httparty; post with net/http",
        },
        {
            "python": (("import json\n", "import json\nimport requests\n"),),
            "node": (("async function post", 'import axios from "axios";\n\nasync function post'),),
            "ruby": (('require "json"\n', 'require "json"\nrequire "httparty"\n'),),
        },
    ),
)
NO_CONTENT_TYPE: Changes = {
    "python": ((', {"Content-Type": "application/json"})', ")"),),
    "node": (('    headers: { "Content-Type": "application/json" },\n', ""),),
    "ruby": ((', "Content-Type" => "application/json")', ")"),),
}
AN_ERROR_SWALLOWED = (
    *wrong(
        "an error swallowed",
        {
            "python": r"answered with 500, and \S+ reported success.*HTTPError",
            "node": r"answered with 500, and \S+ reported success.*response\.ok",
            "ruby": r"answered with 500, and \S+ reported success.*Net::HTTPSuccess",
        },
        {
            "python": (
                (
                    "except HTTPError as error:",
                    'except HTTPError as error:\n        print("not posted:", error)\n    except ValueError as error:',
                ),
            ),
            "node": (("throw new Error(`Slack answered ${answer.status}: ${body}`)", 'console.log("not posted")'),),
            "ruby": (
                ('  raise "Slack answered #{answer.code}: #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)\n', ""),
            ),
        },
    ),
)
POSITIONAL_ARGUMENTS = (
    *wrong(
        "positional arguments",
        r"Ruby's handler takes keywords: def handler\(event:, context:\)\.",
        {"ruby": (("def handler(event:, context:)", "def handler(event, context)"),)},
    ),
)
SLEEPS: Changes = {  # longer than a time limit of 1 s
    "python": (("    body = json", '    __import__("time").sleep(5)\n    body = json'),),
    "node": (("  const answer", "  await new Promise((go) => setTimeout(go, 5000));\n  const answer"),),
    "ruby": (("  body = JSON", "  sleep 5\n  body = JSON"),),
}
