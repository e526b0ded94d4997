"""Live Tail shows what comes in, by its pattern, also of functions."""

import contextlib
import threading

import boto3
import pytest
from botocore.config import Config
from localaws_client import eventually, refused


@pytest.fixture
def live(embedded_aws, clients):
    """Look at log groups; gives the messages that were shown, a list that grows."""
    variables = embedded_aws.variables()
    client = boto3.client(
        "logs",
        region_name=variables["AWS_REGION"],
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(inject_host_prefix=False, proxies={}),
    )
    streams = []

    def looked(group, pattern):
        (arn,) = [
            each["logGroupArn"]
            for each in clients("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
            if each["logGroupName"] == group
        ]
        stream = client.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern=pattern)["responseStream"]
        streams.append(stream)
        shown, started = [], threading.Event()

        def read():
            with contextlib.suppress(AttributeError):  # what reading is, where another thread closes the stream
                for event in stream:
                    if "sessionStart" in event:
                        started.set()
                    shown.extend(each["message"] for each in event.get("sessionUpdate", {}).get("sessionResults", []))

        threading.Thread(target=read, daemon=True).start()
        assert started.wait(10)
        return shown

    yield looked
    for stream in streams:
        stream.close()


def test_live_tail_shows_the_log_of_a_function(make_function, live):
    function = make_function("def handler(event, context):\n    print('LOOK', event['n'])\n    print('look')\n")
    function.invoke({"n": 1})
    shown = live(f"/aws/lambda/{function.name}", "[word = LOOK, n > 1]")
    for n in (1, 2, 3):
        function.invoke({"n": n})
    assert eventually(lambda: len(shown) == 2 and shown) == ["LOOK 2\n", "LOOK 3\n"]


def test_live_tail_refuses_what_is_no_pattern(clients, live, make_function):
    function = make_function("def handler(event, context):\n    pass\n")
    function.invoke()
    assert refused(live, group=f"/aws/lambda/{function.name}", pattern="{") == (
        "InvalidParameterException",
        "Invalid filter pattern",
    )
