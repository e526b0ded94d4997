"""The check of lab 09: a function that posts a text to Slack."""

import json
from typing import Any

from helpers.connect import Workshop
from helpers.exercises.exercise import DeployedFunction, NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.lab_probe import probe_of
from helpers.exercises.probe import SLACK_NOTE, Probe, unique

from .wrong_answers import WRONG_ANSWERS

LAB = labs()["09"]


def judge_message(workshop: Workshop) -> list[str]:
    with probe_of(workshop, LAB) as probe:
        posts_the_text_of_the_event(probe)
        posts_a_greeting_without_a_text(probe)
        if not probe.sees_messages:
            return [SLACK_NOTE]
        event = {"text": f"check {unique()}: the webhook fails"}
        probe.fails_with_the_webhook(event)
        probe.gives_up_a_slow_webhook(event)
    return []


def posts_the_text_of_the_event(probe: Probe) -> None:
    # Quotes and a line end break JSON that is put together by hand; an emoji breaks what is not UTF-8.
    text = f'check {unique()}: "quoted" \\ 日本語 🎉\nand a second line'
    outcome = probe.succeed({"text": text}, "for an event with a text")
    if probe.sees_messages and text not in outcome.texts:
        raise NotSolved(
            f"The event's text was {text!r}, and {outcome.texts[-1]!r} came to the inbox; "
            'post event["text"] unchanged, as UTF-8.'
        )
    _returned(outcome.payload, text)


def posts_a_greeting_without_a_text(probe: Probe) -> None:
    outcome = probe.succeed({}, "for an event without a text, {}")
    greeting = "Hello from Lambda"
    if probe.sees_messages and greeting not in outcome.texts:
        raise NotSolved(
            f"For an event without a text, {{}}, {outcome.texts[-1]!r} came to the inbox; "
            f"post {greeting!r}."
        )
    _returned(outcome.payload, greeting)


def _returned(payload: Any, text: str) -> None:
    if payload != {"posted": text}:
        raise NotSolved(
            f"The handler returned {json.dumps(payload, ensure_ascii=False)[:150]}; "
            'return what it posted, as {"posted": text}, so that its caller knows.'
        )


PYTHON_HINT = """\
    text = event.get("text", "Hello from Lambda")
    request = Request(
        os.environ["WEBHOOK_URL"],
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urlopen(request, timeout=2)   # raises HTTPError by itself; catch nothing
    return {"posted": text}"""
NODE_HINT = """\
    const text = event.text ?? "Hello from Lambda";
    const response = await fetch(process.env.WEBHOOK_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(2000),
    });
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    return { posted: text };"""
RUBY_HINT = """\
    text = event.fetch("text", "Hello from Lambda")
    uri = URI(ENV.fetch("WEBHOOK_URL"))
    options = { use_ssl: uri.scheme == "https", open_timeout: 2, read_timeout: 2 }
    response = Net::HTTP.start(uri.host, uri.port, **options) do |http|
      http.post(uri.request_uri, JSON.generate(text: text), "Content-Type" => "application/json")
    end
    raise "the webhook answered #{response.code}" unless response.is_a?(Net::HTTPSuccess)
    { posted: text }"""


def _hints(tools: str, failing: str, code: str) -> tuple[str, ...]:
    return (
        "Slack takes an HTTP POST whose body is JSON with a text. What in your standard library can post?",
        f"You need the text of the event (or a default), WEBHOOK_URL from the environment, and {tools}. "
        "Say in a header what the body is.",
        f"Nobody watches a function. {failing} Give the request a time limit of its own, below the function's.",
        f"The main part:\n\n{code}",
    )


EXERCISE = DeployedFunction(
    number="09",
    title="Slack message",
    judge=judge_message,
    hints={
        "python": _hints(
            "Request with data=json.dumps(...).encode(), both imported at the top",
            "urlopen raises an HTTPError when Slack answers 4xx or 5xx: let it through.",
            PYTHON_HINT,
        ),
        "node": _hints(
            "fetch with method, headers and body: JSON.stringify(...), awaited",
            "For fetch a 500 is no error: look at response.ok and throw.",
            NODE_HINT,
        ),
        "ruby": _hints(
            "Net::HTTP with JSON.generate(...)",
            "For Net::HTTP a 500 is no error: raise unless the response is a Net::HTTPSuccess.",
            RUBY_HINT,
        ),
    },
    wrong_answers=WRONG_ANSWERS,
)
EXERCISES = (EXERCISE,)
