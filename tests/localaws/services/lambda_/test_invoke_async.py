"""InvokeAsync: what is sent by it is an event as any other.

https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html
"""

import json

import pytest
from localaws_client import eventually, refused

ECHO = "def handler(event, context):\n    print('heard', event['word'], context.invoked_function_arn[-4:])\n"


@pytest.fixture
def client(clients):
    return clients("lambda")


def test_the_function_runs_later_with_what_was_sent(client, make_function):
    function = make_function(ECHO)
    answer = client.invoke_async(FunctionName=function.name, InvokeArgs=json.dumps({"word": "first"}).encode())
    assert (answer["Status"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (202, 202)
    eventually(lambda: "heard first" in function.text())


def test_a_function_may_be_named_by_an_arn_with_an_alias(client, make_function):
    function = make_function(ECHO)
    client.publish_version(FunctionName=function.name)
    arn = client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")["AliasArn"]
    client.invoke_async(FunctionName=arn, InvokeArgs=b'{"word": "second"}')
    eventually(lambda: "heard second live" in function.text())


def test_it_is_tried_again_as_any_event(client, make_function):
    function = make_function(
        "def handler(event, context):\n    raise ValueError('no')\n", Tags={"localaws:retry-seconds": "0.1"}
    )
    client.invoke_async(FunctionName=function.name, InvokeArgs=b"{}")
    eventually(lambda: len(function.reports()) == 3)


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (b"{", "InvalidRequestContentException", "Could not parse request body into json: "),
        (
            b'"%s"' % (b"x" * 2**18),
            "RequestTooLargeException",
            "262146 byte payload is too large for the Event invocation type (limit 262144 bytes)",
        ),
    ],
)
def test_what_is_refused(client, make_function, sent, code, message):
    found, said = refused(client.invoke_async, FunctionName=make_function(ECHO).name, InvokeArgs=sent)
    assert found == code and said.startswith(message)


def test_a_function_that_is_not_there(client):
    found, said = refused(client.invoke_async, FunctionName="none", InvokeArgs=b"{}")
    assert (found, said) == (
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none",
    )
