"""The check of lab 09, on functions that are really deployed: wrong answers, and right ones that look otherwise."""

import urllib.request
from datetime import UTC, datetime

import pytest
from notebook_cells import checks_of, mutated

from helpers import check
from helpers.exercises.lab import labs
from helpers.exercises.languages import LANGUAGES
from helpers.session import progress, starting_points

pytestmark = pytest.mark.usefixtures("at_the_start")
WRONG = checks_of("09").EXERCISE.wrong_answers
ANOTHER_ANSWER = {  # as a learner writes it, who has not seen the reference answer
    "python": """\
import json
import os
import urllib.request


def handler(event, context):
    text = event.get("text", "Hello from Lambda")
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(os.environ["WEBHOOK_URL"], body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=2).close()
    return {"posted": text}
""",
    "node": """\
export const handler = async (event) => {
  const text = event.text ?? "Hello from Lambda";
  const response = await fetch(process.env.WEBHOOK_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
    signal: AbortSignal.timeout(2000),
  });
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return { posted: text };
};
""",
    "ruby": """\
require "json"
require "net/http"

def handler(event:, context:)
  text = event["text"] || "Hello from Lambda"
  uri = URI(ENV.fetch("WEBHOOK_URL"))
  http = Net::HTTP.new(uri.host, uri.port)
  http.use_ssl = uri.scheme == "https"
  http.read_timeout = 2
  response = http.post(uri.request_uri, JSON.generate(text: text), "Content-Type" => "application/json")
  raise "answered #{response.code}" unless response.is_a?(Net::HTTPSuccess)

  { posted: text }
end
""",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.name}-{wrong.language}")
def test_a_wrong_answer_gets_its_own_sentence(wrong, gets_its_sentence):
    gets_its_sentence("09", wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_right_answer_passes(language, put):
    put("09", language, ANOTHER_ANSWER[language])
    check("09")
    assert progress.solved() == {"09"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_older_version_than_the_file_is_said(language, put, put_answer, sentence_of):
    copy = starting_points.start_at("09") / language / LANGUAGES[language].file
    copy.write_text(labs()["09"].answer(language).read_text())
    put("09", language, labs()["09"].starter(language).read_text())
    assert f"does not run what is in {copy} now; deploy that file" in sentence_of("09")
    put_answer("09", language)
    check("09")
    assert progress.solved() == {"09"}


def test_a_language_that_no_lab_has_is_said(put_answer, sentence_of):
    put_answer("09", "python", Runtime="java21", Handler="Main::handler")
    assert "runs on java21, and this check knows Python, Node.js and Ruby" in sentence_of("09")


def test_failures_that_the_reader_asked_for_are_over(put_answer, inbox):
    put_answer("09", "python")
    inbox.fail_next(20)
    check("09")
    assert progress.solved() == {"09"}


def test_a_url_that_the_function_returns_is_not_shown(put_answer, inbox, sentence_of):
    put_answer("09", "python", ('{"posted": text}', '{"posted": WEBHOOK_URL}'))
    text = sentence_of("09")
    assert "/…(hidden)" in text and inbox.webhook_url.rpartition("/")[2] not in text


def test_messages_of_a_check_are_marked_and_the_readers_own_are_not(put_answer, inbox, aws):
    put_answer("09", "python")
    began = datetime.now(UTC)
    check("09")
    aws.client("lambda").invoke(FunctionName=aws.name("slack"), Payload='{"text": "mine"}')
    messages = inbox.messages(since=began)
    assert {message.by for message in messages[:-1]} == {"check"}
    assert "Hello from Lambda" in [message.text for message in messages[:-1]]
    assert (messages[-1].text, messages[-1].by) == ("mine", "")


def test_the_webhook_works_again_after_a_check(put, inbox, sentence_of):
    [swallowed] = [each for each in WRONG if (each.name, each.language) == ("an error swallowed", "python")]
    put("09", "python", mutated(labs()["09"].answer("python").read_text(), *swallowed.answer))
    assert "answered with 500" in sentence_of("09")
    request = urllib.request.Request(inbox.webhook_url.reveal(), b'{"text": "after the check"}')
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert answer.read() == b"ok"
