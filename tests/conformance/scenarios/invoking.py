"""Invoke: answers, payloads, errors of functions and their ends, logs, and invocations that nobody waits for."""

import base64
import json
import re

from helpers.conformance import documented, recorded, scenario, source_of
from helpers.conformance.expected import ARN, failed, invalid, not_found, refused

AREA = "Invoking"
PAGE = documented("https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html")
LATEST = {"ExecutedVersion": "$LATEST", "StatusCode": 200, "status": 200}
ACCEPTED = {"StatusCode": 202, "status": 202, "Payload": ""}


def answered(payload, **more):
    return {**LATEST, "Payload": payload, **more}


def failure(payload):
    return answered(payload, FunctionError="Unhandled")


@scenario(
    AREA,
    "an event and its answer",
    recorded("TestLambdaFeatures::test_basic_invoke", "2022-09-09"),
    answered({"foo": "bar with 'quotes\""}),
)
def event_and_answer(aws):
    return aws.invoke(aws.shared_function(), {"foo": "bar with 'quotes\""})


@scenario(
    AREA,
    "no payload is an empty object",
    recorded("TestLambdaFeatures::test_invocation_with_logs[python3.10]", "2025-11-24"),
    answered({}),
)
def no_payload(aws):
    return aws.invoke(aws.shared_function(), b"")


@scenario(
    AREA,
    "a function that returns nothing returns null",
    recorded("TestLambdaFeatures::test_invocation_type_no_return_payload[nodejs-RequestResponse]", "2025-11-24"),
    answered(None),
)
def returns_nothing(aws):
    return aws.invoke(aws.shared_function("def handler(event, context): pass\n"))


for what, payload in (
    ("text", b'"x"'),
    ("a list", b"[1, 2.5]"),
    ("a number", b"7"),
    ("true", b"true"),
    ("other letters", '"é 日本"'.encode()),
):

    @scenario(AREA, f"an event that is {what}", PAGE, answered(json.loads(payload)))
    def event_of_a_kind(aws, payload=payload):
        return aws.invoke(aws.shared_function(), payload)


@scenario(AREA, "an event that is no JSON", PAGE, {"refused": "InvalidRequestContentException", "status": 400})
def event_that_is_no_json(aws):
    answer = aws.invoke(aws.shared_function(), b"{no JSON")
    return {member: answer.get(member) for member in ("refused", "status")}


@scenario(AREA, "an event of over 6 MB", PAGE, {"refused": "RequestTooLargeException", "status": 413})
def event_that_is_too_large(aws):
    answer = aws.invoke(aws.shared_function(), json.dumps("x" * 6_300_000).encode())
    return {member: answer.get(member) for member in ("refused", "status")}


@scenario(
    AREA,
    "an answer of over 6 MB",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"),
    ["Unhandled", "Function.ResponseSizeTooLarge"],
)
def answer_that_is_too_large(aws):
    answer = aws.invoke(aws.shared_function("def handler(event, context): return 'x' * 6_300_000\n"))
    return [answer.get("FunctionError"), answer["Payload"].get("errorType")]


CONTEXT = """
def handler(event, context):
    client = context.client_context
    return {
        "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "id": context.aws_request_id, "group": context.log_group_name,
        "log_stream_name": context.log_stream_name, "remaining_ms": context.get_remaining_time_in_millis(),
        "client": client and [client.custom, client.env],
    }
"""


def context_of(version="$LATEST", arn=ARN, client=None):
    return {
        "name": "<function>",
        "version": version,
        "arn": arn,
        "memory": "128",
        "id": "<id:1>",
        "group": "/aws/lambda/<function>",
        "log_stream_name": "<stream>",
        "remaining_ms": "<size>",
        "client": client,
    }


FROM_S3 = recorded("TestLambdaFeatures::test_upload_lambda_from_s3", "2025-11-24")


@scenario(AREA, "the context", FROM_S3, context_of())
def the_context(aws):
    return aws.invoke(aws.shared_function(CONTEXT))["Payload"]


@scenario(
    AREA,
    "the context of $LATEST by its name has its name in the ARN",
    recorded("TestLambdaRuntimesCommon::test_introspection_invoke[python3.13]", "2026-01-12"),
    context_of(arn=f"{ARN}:$LATEST"),
)
def context_of_latest(aws):
    return aws.invoke(aws.shared_function(CONTEXT), Qualifier="$LATEST")["Payload"]


@scenario(
    AREA,
    "a client context",
    recorded("TestLambdaFeatures::test_lambda_with_context", "2022-09-09"),
    context_of(client=[{"foo": "bar"}, {"fizz": "buzz"}]),
)
def client_context(aws):
    given = {"custom": {"foo": "bar"}, "client": {"snap": ["crackle", "pop"]}, "env": {"fizz": "buzz"}}
    text = base64.b64encode(json.dumps(given).encode()).decode()
    return aws.invoke(aws.shared_function(CONTEXT), ClientContext=text)["Payload"]


@scenario(
    AREA,
    "variables of the function",
    recorded("TestLambdaFeatures::test_lambda_environment", "2022-09-09"),
    {"Hello": "World"},
)
def variables(aws):
    code = "import os\ndef handler(event, context): return {'Hello': os.environ['Hello']}\n"
    return aws.invoke(aws.shared_function(code, Environment={"Variables": {"Hello": "World"}}))["Payload"]


@scenario(
    AREA,
    "who the function is",
    recorded("TestLambdaBaseFeatures::test_assume_role[2]", "2025-11-24"),
    "arn:aws:sts::<account>:assumed-role/<role>/<function>",
)
def who_the_function_is(aws):
    code = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn']\n"
    return aws.invoke(aws.function(code, Timeout=30))["Payload"]


@scenario(
    AREA,
    "what the function holds in memory is kept",
    recorded("TestLambdaBehavior::test_lambda_cache_local[python]", "2025-11-24"),
    [answered({"counter": 0}), answered({"counter": 1})],
)
def memory_is_kept(aws):
    code = "n = -1\ndef handler(event, context):\n    global n\n    n += 1\n    return {'counter': n}\n"
    name = aws.function(code)
    return [aws.invoke(name), aws.invoke(name)]


@scenario(
    AREA,
    "after a timeout memory is new and /tmp is kept",
    recorded("TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse", "2024-04-08"),
    {
        "before": {"number": 42, "file": "some-content"},
        "timeout": re.compile(r".*Task timed out after 1\.00 seconds"),
        "after": {"number": 0, "file": "some-content"},
    },
)
def after_a_timeout(aws):
    code = """
import pathlib, time
number, file = 0, pathlib.Path("/tmp/file")
def handler(event, context):
    global number
    if event.get("set"):
        number = 42
        file.write_text("some-content")
    if event.get("sleep"):
        time.sleep(30)
    return {"number": number, "file": file.read_text()}
"""
    name = aws.function(code, Timeout=1)
    before = aws.invoke(name, {"set": True})["Payload"]
    timeout = aws.invoke(name, {"sleep": True})["Payload"]["errorMessage"]
    return {"before": before, "timeout": timeout, "after": aws.invoke(name)["Payload"]}


@scenario(
    AREA,
    "a timeout's error",
    recorded("TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse", "2024-04-08"),
    failure(
        {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: <id:1> Error: Task timed out after 1.00 seconds"}
    ),
)
def a_timeout(aws):
    code = "import time\ndef handler(event, context): time.sleep(30)\n"
    return aws.invoke(aws.function(code, Timeout=1))


# errors of the function

TASK = '  File "/var/task/app.py", line {}, in {}\n    {}\n'


@scenario(
    AREA,
    "a handler that raises",
    recorded("TestLambdaErrors::test_lambda_handler_error", "2025-11-24"),
    failure(
        {
            "errorMessage": "Handler fails",
            "errorType": "Exception",
            "requestId": "<id:1>",
            "stackTrace": [TASK.format(2, "handler", 'raise Exception("Handler fails")')],
        }
    ),
)
def handler_that_raises(aws):
    return aws.invoke(aws.shared_function('def handler(event, context):\n    raise Exception("Handler fails")\n'))


@scenario(
    AREA,
    "code that raises when it is loaded",
    recorded("TestLambdaErrors::test_lambda_runtime_error", "2025-11-24"),
    failure(
        {
            "errorMessage": "Runtime startup fails",
            "errorType": "Exception",
            "requestId": "",
            "stackTrace": [TASK.format(1, "<module>", 'raise Exception("Runtime startup fails")')],
        }
    ),
)
def code_that_raises(aws):
    answer = aws.invoke(aws.shared_function('raise Exception("Runtime startup fails")\n'))
    answer["Payload"]["stackTrace"] = answer["Payload"]["stackTrace"][-1:]  # those before are the interpreter's own
    return answer


EXIT = failure(
    {
        "errorMessage": "RequestId: <id:1> Error: Runtime exited without providing a reason",
        "errorType": "Runtime.ExitError",
    }
)


@scenario(AREA, "a handler that exits", recorded("TestLambdaErrors::test_lambda_handler_exit", "2025-11-24"), EXIT)
def handler_that_exits(aws):
    return aws.invoke(aws.shared_function("import sys\ndef handler(event, context): sys.exit(0)\n"))


@scenario(
    AREA,
    "code that exits when it is loaded",
    recorded("TestLambdaErrors::test_lambda_runtime_exit", "2025-11-24"),
    EXIT,
)
def code_that_exits(aws):
    return aws.invoke(aws.shared_function("import sys\nsys.exit(0)\n"))


@scenario(
    AREA,
    "a handler that exits with a status",
    recorded("TestLambdaErrors::test_lambda_runtime_wrapper_not_found (its status is 127)", "2025-11-24"),
    failure(
        {
            "errorMessage": "RequestId: <id:1> Error: Runtime exited with error: exit status 7",
            "errorType": "Runtime.ExitError",
        }
    ),
)
def handler_that_exits_with_a_status(aws):
    return aws.invoke(aws.shared_function("import os\ndef handler(event, context): os._exit(7)\n"))


@scenario(
    AREA,
    "a wrapper that is not there",
    recorded("TestLambdaErrors::test_lambda_runtime_wrapper_not_found", "2025-11-24"),
    failure(
        {
            "errorMessage": "RequestId: <id:1> Error: Runtime exited with error: exit status 127",
            "errorType": "Runtime.ExitError",
        }
    ),
)
def wrapper_that_is_not_there(aws):
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/idontexist.sh"}
    return aws.invoke(aws.shared_function("def handler(event, context): pass\n", Environment={"Variables": variables}))


RIC = source_of("awslambdaric 4.2.2, bootstrap.py and lambda_runtime_exception.py")
for what, handler, message, kind in (
    (
        "no such module",
        "other.handler",
        "Unable to import module 'other': No module named 'other'",
        "ImportModuleError",
    ),
    ("no such handler", "app.other", "Handler 'other' missing on module 'app'", "HandlerNotFound"),
    (
        "a handler without a dot",
        "handler",
        "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
        "MalformedHandlerName",
    ),
):

    @scenario(AREA, f"a function with {what}", RIC, ["Unhandled", f"Runtime.{kind}", message])
    def function_without(aws, handler=handler):
        answer = aws.invoke(aws.shared_function(Handler=handler))
        return [answer.get("FunctionError"), answer["Payload"].get("errorType"), answer["Payload"].get("errorMessage")]


@scenario(AREA, "code with a syntax error", RIC, ["Unhandled", "Runtime.UserCodeSyntaxError"])
def syntax_error(aws):
    answer = aws.invoke(aws.shared_function("def handler(event, context) return\n"))
    return [answer.get("FunctionError"), answer["Payload"].get("errorType")]


@scenario(
    AREA,
    "an answer that is no JSON",
    RIC,
    ["Unhandled", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"],
)
def answer_that_is_no_json(aws):
    answer = aws.invoke(aws.shared_function("def handler(event, context): return {1, 2}\n"))
    return [answer.get("FunctionError"), answer["Payload"].get("errorType"), answer["Payload"].get("errorMessage")]


@scenario(
    AREA,
    "more memory than there is",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"),
    ["Unhandled", "Runtime.OutOfMemory"],
)
def more_memory(aws):
    code = "def handler(event, context): return len(bytearray(400_000_000))\n"
    answer = aws.invoke(aws.shared_function(code, Timeout=20))
    return [answer.get("FunctionError"), answer["Payload"].get("errorType")]


# logs of an invocation


@scenario(
    AREA,
    "the tail of a log",
    recorded("TestLambdaFeatures::test_invocation_with_logs[python3.10]", "2025-11-24"),
    [
        "START RequestId: <id:1> Version: $LATEST",
        "{}",
        "END RequestId: <id:1>",
        "REPORT RequestId: <id:1>\tDuration: <ms>\tBilled Duration: <ms>\tMemory Size: 128 MB\tMax Memory Used: <MB>\tInit Duration: <ms>\t",
    ],
)
def tail_of_a_log(aws):
    answer = aws.invoke(aws.function("def handler(event, context): print(event)\n"), LogType="Tail")
    text = base64.b64decode(answer["LogResult"]).decode()
    text = re.sub(r"(Init |Billed )?Duration: [\d.]+ ms", lambda found: f"{found[1] or ''}Duration: <ms>", text)
    return re.sub(r"Used: \d+ MB", "Used: <MB>", text).rstrip("\n").split("\n")


# asynchronous


@scenario(
    AREA, "an event", recorded("TestLambdaFeatures::test_invocation_type_event[python3.10]", "2025-11-24"), ACCEPTED
)
def an_event(aws):
    return aws.invoke(aws.shared_function(), InvocationType="Event")


@scenario(
    AREA,
    "an event for a function in Node.js",
    recorded("TestLambdaFeatures::test_invocation_type_no_return_payload[nodejs-Event]", "2025-11-24"),
    ACCEPTED,
)
def event_for_node(aws):
    function = aws.shared_function("export const handler = async () => {};\n", Runtime="nodejs22.x")
    return aws.invoke(function, InvocationType="Event")


@scenario(AREA, "a dry run", PAGE, {"status": 204, "StatusCode": 204, "Payload": ""})
def dry_run(aws):
    answer = aws.invoke(aws.shared_function(), InvocationType="DryRun")
    answer.pop("ExecutedVersion", None)
    return answer


@scenario(
    AREA,
    "an invocation type that there is not",
    PAGE,
    invalid(failed("Later", "invocationType", "satisfy enum value set: [Event, RequestResponse, DryRun]")),
)
def unknown_type(aws):
    return aws.invoke(aws.shared_function(), InvocationType="Later")


@scenario(
    AREA,
    "an event of over 1 MB",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"),
    [413, "RequestTooLargeException"],
)
def large_event(aws):
    answer = aws.invoke(aws.shared_function(), json.dumps("x" * 1_100_000).encode(), InvocationType="Event")
    return [answer["status"], answer.get("refused")]


@scenario(
    AREA,
    "an event whose function fails is tried three times with the same id",
    recorded("TestLambdaFeatures::test_invocation_type_event_error", "2023-09-04"),
    ["START RequestId: <id:1> Version: $LATEST"] * 3,
)
def event_that_fails(aws):
    name = aws.function("def handler(event, context): raise Exception('some error occurred')\n")
    aws.invoke(name, InvocationType="Event")

    def starts():
        lines = [line for line in aws.log_lines(name, "START") if line.startswith("START")]
        return lines if len(lines) == 3 else []

    return aws.eventually(starts, 4 * aws.account.patience_s)


@scenario(AREA, "no function", PAGE, not_found("Function not found: " + ARN))
def no_function(aws):
    return aws.invoke(aws.name("function"))


@scenario(AREA, "a version that is not there", PAGE, not_found(f"Function not found: {ARN}:7"))
def no_version(aws):
    return aws.invoke(aws.shared_function(), Qualifier="7")


@scenario(
    AREA,
    "a new function that is not active yet",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"),
    refused(
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        409,
    ),
)
def not_active_yet(aws):
    for _ in range(10):  # until one is invoked soon enough
        name = aws.name("function")
        aws.create(name)
        aws.finally_("lambda", "delete_function", FunctionName=name)
        answer = aws.invoke(name)
        if "refused" in answer:
            break
    return answer
