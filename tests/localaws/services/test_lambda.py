"""The Invoke API and what a function finds around it: payloads, ids, variables, layers, concurrency."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError
from localaws_client import HOST_VARIABLE, ROLE, THIS_PYTHON, UUID, TestedFunction, eventually, refused, zipped
from meeting import MEETS, together

ECHO = "def handler(event, context):\n    return event\n"
MEGABYTE = 1024 * 1024
# The developer guide's "Defined runtime environment variables"; Python's runtime sets the trace id.
DOCUMENTED = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
    "LANG",
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "TZ",
    # as recorded on AWS on 2026-01-12, too
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "PWD",
    "SHLVL",
}


def error_of(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response


@pytest.mark.parametrize(
    "event", [{"a": [1, 2.5, None, True], "é": "日本"}, [], {}, None, 0, "text", "", "{}", [[1], {"b": {}}]]
)
def test_every_json_value_passes_through(make_function, event):
    payload = json.dumps(event).encode()
    assert make_function(ECHO).invoke(payload).payload == event


def test_no_payload_is_an_empty_event(make_function, clients):
    answer = clients("lambda").invoke(FunctionName=make_function(ECHO).name)
    assert json.load(answer["Payload"]) == {}


def test_the_request_id_of_the_answer_is_the_functions_and_the_logs(make_function):
    function = make_function("def handler(event, context):\n    return context.aws_request_id\n")
    result = function.invoke()
    assert re.fullmatch(UUID, result.request_id)
    assert result.payload == result.request_id
    assert [report["request_id"] for report in function.reports()] == [result.request_id]


def test_the_context_has_what_the_caller_and_the_configuration_say(make_function, clients):
    function = make_function(
        "def handler(event, context):\n"
        "    return {'name': context.function_name, 'version': context.function_version,\n"
        "            'arn': context.invoked_function_arn, 'memory': context.memory_limit_in_mb,\n"
        "            'custom': context.client_context and context.client_context.custom}\n",
        MemorySize=192,
    )
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    expected = {"name": function.name, "version": "$LATEST", "arn": arn, "memory": "192", "custom": None}
    assert function.invoke().payload == expected
    sent = base64.b64encode(json.dumps({"custom": {"who": "日本"}}).encode()).decode()
    assert function.invoke(ClientContext=sent).payload["custom"] == {"who": "日本"}
    assert function.invoke().payload["custom"] is None
    for other in (
        "no base64",
        "e30",
        *(base64.b64encode(each).decode() for each in (b"no json", b"[]", b"1", b"\xff")),
    ):
        for kind in ("RequestResponse", "Event"):
            told = refused(
                clients("lambda").invoke, FunctionName=function.name, ClientContext=other, InvocationType=kind
            )
            assert told == (
                "InvalidRequestContentException",
                "Client context must be a valid Base64-encoded JSON object.",
            )
    clients("lambda").publish_version(FunctionName=function.name)
    clients("lambda").create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    assert function.invoke(Qualifier="1").payload == {**expected, "version": "1", "arn": arn + ":1"}
    assert function.invoke(Qualifier="live").payload == {**expected, "version": "1", "arn": arn + ":live"}
    assert function.invoke(FunctionName=arn).payload == expected
    assert function.invoke(FunctionName=arn + ":live").payload["arn"] == arn + ":live"


def test_a_client_context_has_3583_bytes_at_most(make_function, clients):
    function = make_function(ECHO)

    def context(size: int) -> str:
        sent = base64.b64encode(json.dumps({"custom": {"x": "y" * (size * 3 // 4 - 22)}}).encode()).decode()
        assert len(sent) == size
        return sent

    assert function.invoke(ClientContext=context(3580)).error is None
    for kind in ("RequestResponse", "Event", "DryRun"):
        told = refused(
            clients("lambda").invoke, FunctionName=function.name, ClientContext=context(3584), InvocationType=kind
        )
        assert told == ("InvalidRequestContentException", "Client context must have 3583 bytes of Base64 at most.")


def test_a_dry_run_runs_nothing(make_function):
    function = make_function(ECHO)
    assert function.invoke(InvocationType="DryRun").status == 204
    assert function.logged() == []


def test_a_function_that_does_not_exist(clients):
    response = error_of(clients("lambda").invoke, FunctionName="nobody")
    assert response["Error"]["Code"] == "ResourceNotFoundException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    "payload",
    [b"{", b"{'a': 1}", b"\xff", b"hello", b"[NaN]", b"[" * 100_000],
    ids=["cut", "quotes", "bytes", "word", "NaN", "deep"],
)
def test_an_event_that_is_not_json(make_function, clients, payload):
    function = make_function(ECHO)
    response = error_of(clients("lambda").invoke, FunctionName=function.name, Payload=payload)
    assert response["Error"]["Code"] == "InvalidRequestContentException"
    assert response["Error"]["Message"].startswith("Could not parse request body into json: ")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert function.logged() == []


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6 * MEGABYTE), ("Event", MEGABYTE)])
def test_a_request_may_have_so_many_bytes_and_no_more(make_function, clients, kind, limit):
    function = make_function("def handler(event, context):\n    return len(event)\n", Timeout=20, MemorySize=512)
    fits = b'"' + b"x" * (limit - 2) + b'"'
    result = function.invoke(fits, InvocationType=kind)
    assert result.status == (200 if kind == "RequestResponse" else 202)
    if kind == "RequestResponse":
        assert result.payload == limit - 2
    response = error_of(clients("lambda").invoke, FunctionName=function.name, Payload=fits + b" ", InvocationType=kind)
    assert response["Error"]["Code"] == "RequestTooLargeException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    eventually(lambda: len(function.reports()) == 1)


def test_a_response_may_have_6_mb_and_no_more(make_function):
    function = make_function("def handler(event, context):\n    return 'x' * event\n", Timeout=20, MemorySize=512)
    assert function.invoke(6 * MEGABYTE - 2).payload == "x" * (6 * MEGABYTE - 2)
    result = function.invoke(6 * MEGABYTE + 200)
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert (
        result.payload["errorMessage"] == "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    )
    assert function.invoke(1).payload == "x"


def test_a_function_sees_the_documented_variables_its_own_and_nothing_of_the_hosts(make_function, embedded_aws):
    function = make_function(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"COLOUR": "red", "EMPTY": ""}},
        MemorySize=256,
        Timeout=5,
    )
    found = function.invoke().payload
    assert set(found) == DOCUMENTED | {"COLOUR", "EMPTY", "AWS_ENDPOINT_URL"}
    assert HOST_VARIABLE not in found
    assert (found["COLOUR"], found["EMPTY"], found["AWS_ENDPOINT_URL"]) == ("red", "", embedded_aws.url)
    assert found["_HANDLER"] == "app.handler"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert found["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{THIS_PYTHON}"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "us-east-1"
    assert found["TZ"] == ":UTC"
    assert re.fullmatch(
        r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01];Lineage=[0-9a-f]{8}:1",
        found["_X_AMZN_TRACE_ID"],
    )


def test_the_working_directory_is_the_code_and_first_on_the_path(make_function):
    function = make_function(
        {
            "app.py": "import os, sys, part\n"
            "def handler(event, context):\n"
            "    here = os.getcwd() == os.environ['LAMBDA_TASK_ROOT'] == sys.path[0]\n"
            "    return [here, part.NAME, open('data.txt').read()]\n",
            "part.py": "NAME = 'part'\n",
            "data.txt": "data",
        }
    )
    assert function.invoke().payload == [True, "part", "data"]


def test_a_handler_in_a_folder(make_function):
    assert make_function({"src/deep/app.py": ECHO}, Handler="src.deep.app.handler").invoke(5).payload == 5
    assert make_function({"src/deep/app.py": ECHO}, Handler="src/deep/app.handler").invoke(6).payload == 6


@pytest.mark.parametrize(
    "module", ["requests", "pandas", "IPython", "jupyterlab", "pytest", "psutil", "ministack", "helpers"]
)
def test_a_function_cannot_import_what_the_workshop_has_installed(make_function, module):
    function = make_function(f"import {module}\n{ECHO}")
    assert function.invoke().payload["errorMessage"] == f"Unable to import module 'app': No module named '{module}'"


def test_boto3_is_there_and_reaches_the_embedded_aws(make_function, clients):
    clients("s3").create_bucket(Bucket="for-boto3")
    function = make_function(
        "import boto3, json\ns3 = boto3.client('s3')\n"
        "def handler(event, context):\n"
        "    s3.put_object(Bucket='for-boto3', Key='from/function', Body=b'hello')\n"
        "    return boto3.client('sts').get_caller_identity()['Account']\n",
        Timeout=20,
        MemorySize=256,
    )
    result = function.invoke()
    assert result.payload == "000000000000", result
    stored = clients("s3").get_object(Bucket="for-boto3", Key="from/function")["Body"].read()
    clients("s3").delete_object(Bucket="for-boto3", Key="from/function")
    clients("s3").delete_bucket(Bucket="for-boto3")
    assert stored == b"hello"


def test_a_function_may_invoke_another(make_function):
    other = make_function("def handler(event, context):\n    return event + 1\n")
    function = make_function(
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    number = json.dumps(event['number'])\n"
        "    answer = boto3.client('lambda').invoke(FunctionName=event['other'], Payload=number)\n"
        "    return json.load(answer['Payload'])\n",
        Timeout=20,
        MemorySize=256,
    )
    assert function.invoke({"other": other.name, "number": 41}).payload == 42


def test_another_region_is_apart(embedded_aws):
    session = boto3.Session(embedded_aws.access_key_id, embedded_aws.secret_access_key, region_name="ap-northeast-1")
    there = {name: session.client(name, endpoint_url=embedded_aws.url) for name in ("lambda", "logs", "cloudwatch")}
    name = "elsewhere"
    there["lambda"].create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Timeout=20,
        MemorySize=256,
        Code={
            "ZipFile": zipped(
                {
                    "app.py": "import boto3\ndef handler(event, context):\n"
                    "    lambda_ = boto3.client('lambda')\n"
                    "    return [each['FunctionArn'] for each in lambda_.list_functions()['Functions']]\n"
                }
            )
        },
    )
    function = TestedFunction(name, there.__getitem__)
    function.wait()
    assert function.invoke().payload == [f"arn:aws:lambda:ap-northeast-1:000000000000:function:{name}"]
    assert len(function.reports()) == function.metric("Invocations") == 1
    there["lambda"].delete_function(FunctionName=name)
    there["logs"].delete_log_group(logGroupName=f"/aws/lambda/{name}")


def layer(clients, name, files):
    return clients("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)})[
        "LayerVersionArn"
    ]


def test_layers_lie_in_opt_and_python_finds_them(make_function, clients):
    first = layer(clients, "first", {"python/greeting.py": "WORD = 'first'\n", "python/only_first.py": ""})
    second = layer(clients, "second", {"python/greeting.py": "WORD = 'second'\n"})
    code = "import greeting, only_first\ndef handler(event, context):\n    return greeting.WORD\n"
    function = make_function(code, Layers=[first, second])
    assert function.invoke().payload == "second"  # a later layer covers an earlier one
    function.update(Layers=[second, first])
    assert function.invoke().payload == "first"


def test_a_layer_for_the_named_runtime_is_found_whatever_python_this_machine_has(make_function, clients):
    folder = "python/lib/python3.14/site-packages"
    attached = layer(clients, "versioned", {f"{folder}/greeting.py": "WORD = 'versioned'\n"})
    code = "import greeting\ndef handler(event, context):\n    return greeting.WORD\n"
    function = make_function(code, "python3.14", Layers=[attached])
    assert function.invoke().payload == "versioned"


def test_a_function_may_have_a_python_path_of_its_own(make_function):
    code = "import boto3, own\ndef handler(event, context):\n    return own.WORD\n"
    files = {"app.py": code, "lib/own.py": "WORD = 'own'\n"}
    function = make_function(files, Environment={"Variables": {"PYTHONPATH": "lib"}})
    assert function.invoke().payload == "own"


def test_a_function_with_a_python_path_of_its_own_finds_no_layer(make_function, clients):
    attached = layer(clients, "unseen", {"python/greeting.py": ""})
    variables = {"Environment": {"Variables": {"PYTHONPATH": "lib"}}}
    result = make_function("import greeting\n", Layers=[attached], **variables).invoke()
    assert result.payload["errorMessage"] == "Unable to import module 'app': No module named 'greeting'"


@pytest.mark.parametrize(
    "module", ["json", "logging", "typing", "simplejson", "http", "traceback", "site", "awslambdaric", "decimal", "six"]
)
def test_a_module_of_the_function_s_own_is_not_for_the_runtime(make_function, module):
    files = {f"{module}.py": "raise RuntimeError('the runtime has imported it')\n"}
    files["app.py"] = "def handler(event, context):\n    return event\n"
    assert make_function(files).invoke({"a": 1}).payload == {"a": 1}


def test_what_the_function_brings_along_comes_before_the_standard_library_and_the_sdk(make_function):
    code = "import boto3, colorsys\ndef handler(event, context):\n    return [boto3.MARK, colorsys.MARK]\n"
    files = {"app.py": code, "boto3.py": "MARK = 'own'\n", "colorsys/__init__.py": "MARK = 'own'\n"}
    assert make_function(files).invoke().payload == ["own", "own"]


def test_pth_files_of_the_function_and_of_its_layers_count(make_function, clients):
    attached = layer(
        clients, "with-pth", {"python/layer.pth": "below\n", "python/below/of_layer.py": "MARK = 'layer'\n"}
    )
    code = "import of_task, of_layer\ndef handler(event, context):\n    return [of_task.MARK, of_layer.MARK]\n"
    files = {"app.py": code, "vendored.pth": "vendored\n", "vendored/of_task.py": "MARK = 'task'\n"}
    assert make_function(files, Layers=[attached]).invoke().payload == ["task", "layer"]


def test_a_layer_covers_what_the_runtime_holds_and_the_code_covers_both(make_function, clients):
    code = "import six, jmespath\ndef handler(event, context):\n    return [six.MARK, jmespath.MARK]\n"
    covering = layer(
        clients, "covering", {"python/six.py": "MARK = 'layer'\n", "python/jmespath.py": "MARK = 'layer'\n"}
    )
    function = make_function({"app.py": code, "jmespath.py": "MARK = 'code'\n"}, Layers=[covering])
    assert function.invoke().payload == ["layer", "code"]


def test_without_concurrency_left_a_call_is_throttled_and_counted_as_nothing_else(make_function, clients):
    function = make_function("import time\ndef handler(event, context):\n    time.sleep(event)\n", Timeout=10)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 1.5)
        eventually(lambda: "START" in function.text())
        response = error_of(clients("lambda").invoke, FunctionName=function.name, Payload=b"0")
        assert running.result().error is None
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert function.invoke(0).error is None
    assert function.metric("Throttles") == 1
    assert function.metric("Invocations") == len(function.reports()) == 2
    assert function.metric("Errors") == 0


def test_a_reserved_concurrency_of_zero_switches_a_function_off(make_function, clients):
    function = make_function(ECHO)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    assert error_of(clients("lambda").invoke, FunctionName=function.name)["Error"]["Code"] == "TooManyRequestsException"
    clients("lambda").delete_function_concurrency(FunctionName=function.name)
    assert function.invoke(1).payload == 1


def test_metrics_count_each_call_once(make_function):
    function = make_function(
        "import time\ndef handler(event, context):\n    time.sleep(0.05)\n    if event:\n        1 / 0\n"
    )
    for event in (0, 1, 0, 1, 1):
        function.invoke(event)
    assert function.metric("Invocations") == 5
    assert function.metric("Errors") == 3
    assert function.metric("Throttles") == 0
    assert function.metric("Duration", "SampleCount") == 5
    assert function.metric("ConcurrentExecutions", "Maximum") == 1
    logged = [float(report["duration"]) for report in function.reports()]
    assert abs(function.metric("Duration") - sum(logged)) < 0.1
    assert function.metric("Duration", "Minimum") >= 50


def test_concurrent_executions_is_how_many_ran_at_once(make_function):
    function = make_function(MEETS, Timeout=300)
    together([function.invoke] * 4)
    assert function.metric("ConcurrentExecutions", "Maximum") == 4
