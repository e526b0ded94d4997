"""What a function finds around it: variables, folders, limits; how each runtime tells errors, and finds its handler."""

import re

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN

AREA = "Runtimes"
SUITE = "TestLambdaRuntimesCommon::"
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
NODES = ("nodejs22.x", "nodejs24.x")
RUBIES = ("ruby3.3", "ruby3.4")
LANGUAGES = (*PYTHONS, *NODES, *RUBIES)
ECHO = {
    "python": "def handler(event, context):\n    return event\n",
    "nodejs": "export const handler = async (event) => event;\n",
    "ruby": "def handler(event:, context:)\n  event\nend\n",
    "provided": """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  event=$(curl -sS -D /tmp/headers "$api/next")
  id=$(grep -i lambda-runtime-aws-request-id /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -X POST "$api/$id/response" -d "$event" > /dev/null
done
""",
}
VARIABLES = {
    "python": "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
    "nodejs": "export const handler = async () => process.env;\n",
    "ruby": "def handler(event:, context:)\n  ENV.to_h\nend\n",
}
RAISES = {
    "python": "def handler(event, context):\n    raise Exception('Failed: some_error_msg')\n",
    "nodejs": "export const handler = async () => { throw new Error('Error: some_error_msg'); };\n",
    "ruby": "def handler(event:, context:)\n  raise 'Error: some_error_msg'\nend\n",
}


def language(runtime):
    return re.match("[a-z]+", runtime)[0]


def function(aws, code, runtime, **configuration):
    return aws.shared_function(code[language(runtime)], Runtime=runtime, **configuration)


for runtime in (*PYTHONS, *NODES, *RUBIES, "provided.al2023"):

    @scenario(
        AREA,
        f"{runtime}: events of all kinds come back",
        recorded(f"{SUITE}test_echo_invoke[{runtime}]", "2026-01-12"),
        [{"a": [1, 2.5, None, True]}, "x", 7, [], "é 日本 😀"],
    )
    def echo(aws, runtime=runtime):
        name = function(aws, ECHO, runtime, Timeout=10)
        events = {"a": [1, 2.5, None, True]}, "x", 7, [], "é 日本 😀"
        return [aws.invoke(name, event)["Payload"] for event in events]


COMMON = {
    "AWS_DEFAULT_REGION": "<region>",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_FUNCTION_NAME": "<function>",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/<function>",
    "AWS_REGION": "<region>",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "TEST_KEY": "TEST_VAL",
    "TZ": ":UTC",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
}
SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
for runtime in (*PYTHONS, *NODES, *RUBIES):
    source = recorded(f"{SUITE}test_introspection_invoke[{runtime}]", "2026-01-12")
    if runtime in ("nodejs22.x", "ruby3.3", "ruby3.4"):
        source = documented("https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html")

    @scenario(
        AREA,
        f"{runtime}: variables",
        source,
        {
            **COMMON,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "_HANDLER": "app.handler",
            "_X_AMZN_TRACE_ID": True,
            **dict.fromkeys(SECRET, True),
        },
    )
    def variables(aws, runtime=runtime):
        configuration = {"MemorySize": 1024, "Environment": {"Variables": {"TEST_KEY": "TEST_VAL"}}}
        found = aws.invoke(function(aws, VARIABLES, runtime, **configuration))["Payload"]
        told = {name: found.get(name) for name in (*COMMON, "AWS_EXECUTION_ENV", "_HANDLER")}
        return {**told, **{name: bool(found.get(name)) for name in (*SECRET, "_X_AMZN_TRACE_ID")}}


FOLDERS = {
    "python": {
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "PYTHONPATH": "/var/runtime",
    },
    "nodejs": {
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
    },
}
for runtime in ("python3.13", "nodejs24.x"):

    @scenario(
        AREA,
        f"{runtime}: variables of folders",
        recorded(f"{SUITE}test_introspection_invoke[{runtime}]", "2026-01-12"),
        FOLDERS[language(runtime)],
        refused="There is no /var/lang here: the interpreter is this machine's own.",
    )
    def folders(aws, runtime=runtime):
        configuration = {"MemorySize": 1024, "Environment": {"Variables": {"TEST_KEY": "TEST_VAL"}}}
        found = aws.invoke(function(aws, VARIABLES, runtime, **configuration))["Payload"]
        return {name: found.get(name) for name in FOLDERS[language(runtime)]}


TOLD = {
    "python": {
        "errorMessage": "Failed: some_error_msg",
        "errorType": "Exception",
        "requestId": "<id:1>",
        "stackTrace": "list",
    },
    "nodejs": {"errorMessage": "Error: some_error_msg", "errorType": "Error", "trace": "list"},
    "ruby": {"errorMessage": "Error: some_error_msg", "errorType": "Function<RuntimeError>", "stackTrace": "list"},
}
for runtime in (*PYTHONS, "nodejs24.x", "ruby3.3"):

    @scenario(
        AREA,
        f"{runtime}: an uncaught error",
        recorded(f"{SUITE}test_uncaught_exception_invoke[{runtime}]", "2026-01-12"),
        {
            "StatusCode": 200,
            "status": 200,
            "FunctionError": "Unhandled",
            "ExecutedVersion": "$LATEST",
            "Payload": TOLD[language(runtime)],
        },
    )
    def uncaught_error(aws, runtime=runtime):
        answer = aws.invoke(function(aws, RAISES, runtime))
        payload = answer["Payload"]
        answer["Payload"] = {key: "list" if isinstance(value, list) else value for key, value in payload.items()}
        return answer


@scenario(
    AREA,
    "provided.al2023: an error that a bootstrap posts",
    recorded(f"{SUITE}test_uncaught_exception_invoke[provided.al2023]", "2026-01-13"),
    {"errorMessage": "Error: some_error_msg", "errorType": "errorString"},
)
def error_of_a_bootstrap(aws):
    code = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  curl -sS -D /tmp/headers "$api/next" > /dev/null
  id=$(grep -i lambda-runtime-aws-request-id /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -X POST "$api/$id/error" -d '{"errorMessage": "Error: some_error_msg", "errorType": "errorString"}' > /dev/null
done
"""
    return aws.invoke(aws.shared_function(code, Runtime="provided.al2023", Timeout=10))["Payload"]


WRAPPER = """#!/bin/sh
export WRAPPED=yes
exec "$@"
"""
WRAPPED = {
    "python": "import os\ndef handler(event, context):\n    return os.environ.get('WRAPPED')\n",
    "nodejs": "export const handler = async () => process.env.WRAPPED ?? null;\n",
    "ruby": "def handler(event:, context:)\n  ENV['WRAPPED']\nend\n",
}
for runtime, file in (("python3.13", "app.py"), ("nodejs24.x", "app.mjs"), ("ruby3.4", "app.rb")):

    @scenario(
        AREA, f"{runtime}: a wrapper", recorded(f"{SUITE}test_runtime_wrapper_invoke[{runtime}]", "2026-01-12"), "yes"
    )
    def wrapper(aws, runtime=runtime, file=file):
        files = {file: WRAPPED[language(runtime)], "wrapper": WRAPPER}
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
        return aws.invoke(aws.function(files, Runtime=runtime, Environment={"Variables": variables}))["Payload"]


for runtime in PYTHONS:

    @scenario(
        AREA,
        f"{runtime}: a handler in a folder of the package",
        recorded(f"TestPythonRuntimes::test_handler_in_submodule[{runtime}]", "2025-11-25"),
        {"found": True},
    )
    def handler_in_a_folder(aws, runtime=runtime):
        files = {"sub/dir/app.py": "def handler(event, context): return {'found': True}\n"}
        return aws.invoke(aws.shared_function(files, Runtime=runtime, Handler="sub.dir.app.handler"))["Payload"]


for runtime in ("nodejs22.x", "nodejs24.x"):

    @scenario(
        AREA,
        f"{runtime}: an ES module",
        recorded(f"TestNodeJSRuntimes::test_invoke_nodejs_es6_lambda[{runtime}]", "2025-11-25"),
        {"statusCode": 200, "body": '"from ES: {\\"a\\":1}"'},
    )
    def es_module(aws, runtime=runtime):
        code = (
            "const told = await Promise.resolve('from ES: ');\n"
            "export const handler = async (event) =>\n"
            "  ({ statusCode: 200, body: JSON.stringify(told + JSON.stringify(event)) });\n"
        )
        return aws.invoke(aws.shared_function(code, Runtime=runtime), {"a": 1})["Payload"]


@scenario(
    AREA,
    "nodejs: what the function holds in memory is kept",
    recorded("TestLambdaBehavior::test_lambda_cache_local[nodejs]", "2025-11-24"),
    [{"counter": 0}, {"counter": 1}],
)
def memory_in_node(aws):
    name = aws.function("let n = 0;\nexport const handler = async () => ({ counter: n++ });\n", Runtime="nodejs22.x")
    return [aws.invoke(name)["Payload"], aws.invoke(name)["Payload"]]


NODE_CONTEXT = recorded("TestLambdaFeatures::test_lambda_with_context", "2022-09-09")


@scenario(
    AREA,
    "nodejs: the context",
    NODE_CONTEXT,
    {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "$LATEST",
        "functionName": "<function>",
        "memoryLimitInMB": "128",
        "logGroupName": "/aws/lambda/<function>",
        "invokedFunctionArn": ARN,
        "awsRequestId": "<id:1>",
    },
)
def context_in_node(aws):
    found = aws.invoke(
        aws.shared_function("export const handler = async (event, context) => context;\n", Runtime="nodejs22.x")
    )["Payload"]
    found.pop("logStreamName", None)
    return found


# limits and folders

LIMITS = recorded("TestLambdaBehavior::test_runtime_ulimits", "2025-11-24")
ULIMITS = """
import resource
def handler(event, context):
    return {name: resource.getrlimit(getattr(resource, name)) for name in event}
"""
for what, number in (
    ("RLIMIT_NOFILE", 1024),
    ("RLIMIT_NPROC", 742),
    ("RLIMIT_AS", -1),
    ("RLIMIT_CPU", -1),
    ("RLIMIT_DATA", -1),
    ("RLIMIT_FSIZE", -1),
    ("RLIMIT_RSS", -1),
):

    @scenario(
        AREA,
        what,
        LIMITS,
        [number, number],
        refused="AWS's documentation says 1,024 processes, and that is what functions have here."
        if what == "RLIMIT_NPROC"
        else "",
    )
    def limit(aws, what=what):
        return aws.invoke(aws.shared_function(ULIMITS), [what])["Payload"][what]


PLACES = recorded("TestLambdaBehavior::test_runtime_introspection_arm", "2025-11-24")
SEEN = """
import getpass, os, pathlib, platform, pwd, stat
def handler(event, context):
    paths = {path: pathlib.Path(path).stat() for path in ("/var/task", "/opt", "/tmp")}
    return {
        "system": platform.system(),
        "pwd": os.getcwd(),
        "file": __file__,
        "modes": {path: stat.filemode(found.st_mode) for path, found in paths.items()},
        "root": os.getuid() == 0,
    }
"""


@scenario(
    AREA,
    "the folders that a function sees",
    PLACES,
    {
        "system": "Linux",
        "pwd": "/var/task",
        "file": "/var/task/app.py",
        "modes": {"/var/task": "drwxr-xr-x", "/opt": "drwxr-xr-x", "/tmp": "drwxrwxrwt"},
        "root": False,
    },
)
def folders_that_are_seen(aws):
    answer = aws.invoke(aws.shared_function(SEEN))
    return answer["Payload"]


@scenario(AREA, "who a function runs as", PLACES, "sbx_user1051")
def who_it_runs_as(aws):
    code = "import os, pwd\ndef handler(event, context): return pwd.getpwuid(os.getuid()).pw_name\n"
    return aws.invoke(aws.shared_function(code))["Payload"]


@scenario(
    AREA,
    "only /tmp can be written",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"),
    {"/tmp": True, "/var/task": False, "/opt": False, "/": False},
)
def where_it_can_write(aws):
    code = """
import pathlib
def can(folder):
    try:
        (pathlib.Path(folder) / "new").write_text("x")
    except OSError:
        return False
    return True
def handler(event, context):
    return {folder: can(folder) for folder in event}
"""
    return aws.invoke(aws.shared_function(code), ["/tmp", "/var/task", "/opt", "/"])["Payload"]
