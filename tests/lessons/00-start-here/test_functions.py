"""Notebook 00's function greets in every language, deployed with nothing said but its runtime."""

import json

import pytest

from helpers import deploy

RUNTIMES = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4", "java": "java21"}


@pytest.mark.parametrize("language", RUNTIMES)
def test_hello(aws_of_module, needs, language):
    if language in ("ruby", "java"):  # the others come with the workshop
        needs(language)
    name = aws_of_module.name(f"greeting-{language}")
    deploy(aws_of_module, name, f"hello/{language}", Runtime=RUNTIMES[language], Timeout=20)
    for event, greeted in (({"name": "日"}, "日"), ({}, "world")):
        answer = aws_of_module.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        assert json.load(answer["Payload"]) == {"message": f"Hello, {greeted}!"}
