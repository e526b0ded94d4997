"""Every way a function is invoked goes through the same environments, and is logged and counted once."""

import json

import pytest
import requests
from localaws_client import PERMISSIONS, ROLE, eventually, public_url, zipped

RETURN = "def handler(event, context):\n    return event\n"
FAIL = "def handler(event, context):\n    raise RuntimeError('always')\n"
ACCOUNT = "000000000000"


def counted_once(function, calls, errors=0):
    """The calls are done, and log, metrics and number of calls agree."""
    eventually(lambda: function.metric("Invocations") >= calls)
    assert len(function.reports()) == calls
    assert sum(message.startswith("START ") for message in function.messages()) == calls
    assert function.metric("Invocations") == calls
    assert function.metric("Errors") == errors
    assert function.metric("Duration", "SampleCount") == calls
    assert function.metric("ConcurrentExecutions", "SampleCount") == calls
    assert function.metric("Throttles") == 0


def arn(function):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"


@pytest.fixture
def queue(clients):
    """Make a queue and give its URL and ARN."""
    sqs, made = clients("sqs"), []

    def make(name, **attributes):
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        made.append(url)
        return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


def received(clients, url):
    return clients("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])


def test_a_synchronous_call(make_function):
    function = make_function(RETURN)
    for _ in range(3):
        function.invoke()
    counted_once(function, 3)


def test_an_asynchronous_call(make_function):
    function = make_function(RETURN)
    results = [function.invoke({"marker": n}, InvocationType="Event") for n in range(3)]
    assert [(result.status, result.payload) for result in results] == [(202, None)] * 3
    counted_once(function, 3)
    assert {report["request_id"] for report in function.reports()} == {result.request_id for result in results}


def test_an_asynchronous_call_that_fails_is_tried_three_times_with_one_request_id(make_function, clients, queue):
    url, queue_arn = queue("failures")
    function = make_function(FAIL)
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
    )
    result = function.invoke({"marker": "lost"}, InvocationType="Event")
    (message,) = eventually(lambda: received(clients, url))
    counted_once(function, 3, errors=3)
    assert {report["request_id"] for report in function.reports()} == {result.request_id}
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"marker": "lost"}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "always"
    assert record["responsePayload"]["errorType"] == "RuntimeError"


def test_an_object_put_into_s3(make_function, clients):
    function = make_function(
        "def handler(event, context):\n"
        "    for record in event['Records']:\n        print(record['s3']['object']['key'])\n"
    )
    s3, bucket = clients("s3"), "tested-bucket"
    s3.create_bucket(Bucket=bucket)
    function.let_in("s3", SourceArn=f"arn:aws:s3:::{bucket}")
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn(function), "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    keys = ["a b日.txt", "second.txt"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    counted_once(function, 2)
    assert {"a+b%E6%97%A5.txt\n", "second.txt\n"} <= set(function.messages())
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


def test_messages_of_sqs(make_function, clients, queue):
    url, queue_arn = queue("orders")
    function = make_function(
        "def handler(event, context):\n    for record in event['Records']:\n        print('body', record['body'])\n"
    )
    mapping = clients("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName=function.name, BatchSize=1
    )["UUID"]
    try:
        for number in range(3):
            clients("sqs").send_message(QueueUrl=url, MessageBody=str(number))
        counted_once(function, 3)
    finally:
        clients("lambda").delete_event_source_mapping(UUID=mapping)
    assert {f"body {number}\n" for number in range(3)} <= set(function.messages())


def test_events_of_eventbridge(make_function, clients):
    function = make_function("def handler(event, context):\n    print(event['detail']['number'], event['source'])\n")
    events, rule = clients("events"), function.name
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["workshop.test"]}))["RuleArn"]
    function.let_in("events", SourceArn=rule_arn)
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn(function)}])
    answer = events.put_events(
        Entries=[
            {"Source": source, "DetailType": "test", "Detail": json.dumps({"number": number})}
            for number, source in enumerate(("workshop.test", "somebody.else", "workshop.test"))
        ]
    )
    assert answer["FailedEntryCount"] == 0
    counted_once(function, 2)
    assert {"0 workshop.test\n", "2 workshop.test\n"} <= set(function.messages())
    events.remove_targets(Rule=rule, Ids=["1"])
    events.delete_rule(Name=rule)


def test_eventbridge_tries_a_failing_function_three_times(make_function, clients):
    function = make_function(FAIL)
    function.let_in("events")
    events, rule = clients("events"), function.name
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["workshop.fails"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn(function)}])
    events.put_events(Entries=[{"Source": "workshop.fails", "DetailType": "test", "Detail": "{}"}])
    eventually(lambda: function.metric("Invocations") >= 3)
    counted_once(function, 3, errors=3)
    assert len({report["request_id"] for report in function.reports()}) == 1
    events.remove_targets(Rule=rule, Ids=["1"])
    events.delete_rule(Name=rule)


def test_sns_delivers_its_messages_and_tries_a_failing_function_three_times(make_function, clients):
    code = (
        "def handler(event, context):\n"
        "    message = event['Records'][0]['Sns']['Message']\n"
        "    print('got', message)\n"
        "    if message == 'bad':\n"
        "        raise RuntimeError(message)\n"
    )
    function, sns = make_function(code), clients("sns")
    function.let_in("sns")
    topic = sns.create_topic(Name=function.name)["TopicArn"]
    try:
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn(function))
        for message in ("good", "bad"):
            sns.publish(TopicArn=topic, Message=message)
        eventually(lambda: function.metric("Invocations") >= 4)
        counted_once(function, 4, errors=3)
        got = sorted(line for line in function.messages() if line.startswith("got"))
        assert got == ["got bad\n"] * 3 + ["got good\n"]
    finally:
        sns.delete_topic(TopicArn=topic)


def test_a_payload_goes_in_and_out_byte_for_byte(make_function):
    function = make_function(
        "import json\n"
        "def handler(event, context):\n"
        "    return json.loads('{\"price\": 1.10, \"deep\": ' + '[' * 900 + ']' * 900 + '}')\n"
    )
    assert function.invoke(b'{"a": 1, "a": 2}').payload["price"] == 1.1
    node = make_function(
        {"app.mjs": "export const handler = async (event) => JSON.parse('[' . repeat(3000) + ']'.repeat(3000));"},
        runtime="nodejs24.x",
    )
    answer = node._lambda.invoke(FunctionName=node.name)["Payload"].read()
    assert answer == b"[" * 3000 + b"]" * 3000


HTTP = (
    "import json\n"
    "def handler(event, context):\n"
    "    http = event['requestContext']['http']\n"
    "    seen = {'method': http['method'], 'path': event['rawPath'],\n"
    "            'query': event.get('queryStringParameters'),\n"
    "            'body': event.get('body'), 'header': event['headers'].get('x-colour')}\n"
    "    return {'statusCode': 207, 'headers': {'content-type': 'application/json', 'x-answer': 'yes'},\n"
    "            'cookies': ['a=1; Path=/', 'b=2'], 'body': json.dumps(seen)}\n"
)


def test_a_function_url_works_as_it_is(make_function, clients):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name)
    assert url.startswith("http://127.0.0.1:") and url.endswith("/")
    with requests.Session() as session:
        session.trust_env = False
        got = session.get(url + "some/path?q=1&q=2&r=%E6%97%A5", headers={"X-Colour": "red"})
        assert (got.status_code, got.headers["x-answer"], got.cookies["a"], got.cookies["b"]) == (207, "yes", "1", "2")
        seen = got.json()
        assert seen["method"] == "GET" and seen["path"] == "/some/path" and seen["header"] == "red"
        assert seen["query"] == {"q": "1,2", "r": "日"}
        posted = session.post(url, json={"a": "日"}).json()
        assert posted["method"] == "POST" and json.loads(posted["body"]) == {"a": "日"}
    counted_once(function, 2)


@pytest.mark.parametrize("permissions", [(), ("use-url",), ("invoke",)], ids=str)
def test_a_function_url_needs_both_permissions(make_function, clients, permissions):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name, permissions)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url)
        assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
        assert answer.json()["Message"].startswith("Forbidden. For troubleshooting Function URL authorization issues")
        for statement in PERMISSIONS.keys() - set(permissions):
            clients("lambda").add_permission(
                FunctionName=function.name, StatementId=statement, Principal="*", **PERMISSIONS[statement]
            )
        assert session.get(url).status_code == 207
    counted_once(function, 1)


@pytest.mark.parametrize("change", [{"Principal": "000000000000"}, {"SourceAccount": "000000000000"}], ids=str)
def test_a_permission_for_somebody_opens_no_url(make_function, clients, change):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name, ("use-url",))
    permission = PERMISSIONS["invoke"] | {"Principal": "*"} | change
    clients("lambda").add_permission(FunctionName=function.name, StatementId="invoke", **permission)
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url).status_code == 403


def test_the_url_of_an_alias_needs_the_permissions_of_the_alias(make_function, clients):
    function, client = make_function(HTTP), clients("lambda")
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    config = client.create_function_url_config(FunctionName=function.name, Qualifier="live", AuthType="NONE")
    with requests.Session() as session:
        session.trust_env = False
        for qualifier, status in (({}, 403), ({"Qualifier": "live"}, 207)):
            for statement, permission in PERMISSIONS.items():
                permission = permission | {"StatementId": f"{statement}-{status}", "Principal": "*"} | qualifier
                client.add_permission(FunctionName=function.name, **permission)
            assert session.get(config["FunctionUrl"]).status_code == status


def test_a_function_url_gives_cookies_as_a_list_and_no_header(make_function, clients):
    answer = "{'cookies': event.get('cookies'), 'names': sorted(event['headers'])}"
    code = f"def handler(event, context):\n    return {answer}\n"
    url = public_url(clients("lambda"), make_function(code).name)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, headers={"Cookie": "a=1; b=2"}).json()
        assert answer["cookies"] == ["a=1", "b=2"]
        assert "cookie" not in answer["names"]
        assert session.get(url).json()["cookies"] is None


def test_a_function_that_fails_behind_its_url_tells_no_details(make_function, clients):
    function = make_function("def handler(event, context):\n    raise ValueError('a secret')\n")
    url = public_url(clients("lambda"), function.name)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url)
    assert (answer.status_code, answer.text) == (502, "Internal Server Error")


def test_a_function_url_is_the_same_wherever_it_is_asked_for(make_function, clients):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name)
    assert clients("lambda").get_function_url_config(FunctionName=function.name)["FunctionUrl"] == url
    listed = clients("lambda").list_function_url_configs(FunctionName=function.name)["FunctionUrlConfigs"]
    assert [config["FunctionUrl"] for config in listed] == [url]
    updated = clients("lambda").update_function_url_config(FunctionName=function.name, AuthType="NONE")
    assert updated["FunctionUrl"] == url


def test_a_function_url_of_a_function_that_returns_plain_values_and_of_one_that_fails(make_function, clients):
    plain, failing = (make_function("def handler(event, context):\n    return {'plain': True}\n"), make_function(FAIL))
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(public_url(clients("lambda"), plain.name))
        assert (answer.status_code, answer.json()) == (200, {"plain": True})
        assert session.get(public_url(clients("lambda"), failing.name)).status_code == 502
    counted_once(failing, 1, errors=1)


def test_two_function_urls_do_not_mix(make_function, clients):
    one, two = (make_function(f"def handler(event, context):\n    return 'number {n}'\n") for n in (1, 2))
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(public_url(clients("lambda"), one.name)).text == "number 1"
        assert session.get(public_url(clients("lambda"), two.name)).text == "number 2"


def test_a_function_url_is_gone_with_its_configuration(make_function, clients):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name)
    clients("lambda").delete_function_url_config(FunctionName=function.name)
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url).status_code in (403, 404)
    assert function.logged() == []


def test_a_function_url_is_gone_with_its_function(make_function, clients):
    function = make_function(HTTP)
    url = public_url(clients("lambda"), function.name)
    clients("lambda").delete_function(FunctionName=function.name)
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url).status_code in (403, 404)
        clients("lambda").create_function(
            FunctionName=function.name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zipped({"app.py": HTTP})},
        )
        function.wait()  # until then it answers 409
        with pytest.raises(clients("lambda").exceptions.ResourceNotFoundException):
            clients("lambda").get_function_url_config(FunctionName=function.name)
        new = public_url(clients("lambda"), function.name)
        assert session.get(new).status_code == 207
        assert session.get(url).status_code in (403, 404)
