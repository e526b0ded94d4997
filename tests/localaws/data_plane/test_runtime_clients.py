"""One table of cases for the clients of the Runtime API in all languages: what the caller gets, and what is logged.

What is expected is what AWS's own clients do, as their sources have it:

- Python: awslambdaric 4.2.2, bootstrap.py, lambda_runtime_marshaller.py, lambda_runtime_log_utils.py
- Node.js before 24: github.com/aws/aws-lambda-nodejs-runtime-interface-client, commit da5777a (3.3.0), Errors.js,
  LogPatch.js, UserFunction.js, Runtime.js, CallbackContext.js
- Node.js from 24 on: npm's aws-lambda-ric 4.0.2, index.mjs
- Ruby: github.com/aws/aws-lambda-ruby-runtime-interface-client, commit 70a2045 (3.1.3), lambda_handler.rb,
  lambda_errors.rb, lambda_logger.rb, logger_patch.rb
- Java: github.com/aws/aws-lambda-java-libs, commit c4dcbab4, AWSLambda.java, UserFault.java, LambdaErrorConverter.java

What AWS answered to an uncaught exception is recorded as well: test_uncaught_exception_invoke of 12 January 2026.
"""

import base64
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from localaws_client import THIS_PYTHON, UUID

from helpers import localaws

pytestmark = pytest.mark.usefixtures("embedded_aws")
RUNTIMES = {"python": THIS_PYTHON, "node22": "nodejs22.x", "node24": "nodejs24.x", "ruby": "ruby3.4", "java": "java21"}
FILES = {"python": "app.py", "node22": "app.mjs", "node24": "app.mjs", "ruby": "app.rb"}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SOURCES = Path(__file__).with_name("java")
REQUEST_ID = re.compile(UUID)
BIG = {"whole": 2**53 - 1, "fraction": 0.1, "text": 'é"\n日', "none": None, "list": [True, {}]}


@dataclass(frozen=True)
class Case:
    """Code for one language, and what its first invocation brings.

    In what is expected a type stands for all of its values, and a pattern for a whole text. `log` has a pattern for
    each event of the function's own.
    """

    code: str | dict[str, str]
    payload: Any
    log: tuple[str, ...] | None = None
    handler: str = "app.handler"
    status: str = ""  # of the platform's report
    configuration: dict[str, Any] = field(default_factory=dict)
    again: Any = ...  # the payload of a second invocation, in the same environment


def py(body: str, **more: Any) -> dict[str, Any]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return {"code": f"import logging\ndef handler(event, context):\n{lines}", **more}


def js(body: str, **more: Any) -> dict[str, Any]:
    return {"code": f"export const handler = async (event, context) => {{\n{body}\n}};\n", **more}


def rb(body: str, **more: Any) -> dict[str, Any]:
    return {"code": f"require 'logger'\ndef handler(event:, context:)\n{body}\nend\n", **more}


def of(made: dict[str, Any], payload: Any, *log: str, **more: Any) -> Case:
    return Case(**made, payload=payload, log=log or None, **more)


def java(method: str, payload: Any, *log: str, **more: Any) -> Case:
    return Case({}, payload, log or None, f"example.Clients{method}", **more)


def error(error_type: str, message: Any, **trace: Any) -> dict[str, Any]:
    return {"errorType": error_type, "errorMessage": message, **(trace or {})}


def py_error(error_type: str, message: Any, request: Any = REQUEST_ID) -> dict[str, Any]:
    return error(error_type, message, requestId=request, stackTrace=list)


def js_error(error_type: str, message: Any) -> dict[str, Any]:
    return error(error_type, message, trace=list)


def rb_error(error_type: str, message: Any) -> dict[str, Any]:
    return error(error_type, message, stackTrace=list)


def js_log(title: str, error_type: str, message: str, request: str = UUID) -> str:
    return rf'{TIME}\t{request}\tERROR\t{title} \t\{{"errorType":"{error_type}","errorMessage":"{message}",.*\}}\n'


def rb_log(title: str, error_type: str, message: str) -> tuple[str, str]:
    return (
        rf"{title}\n",
        rf'\{{\n  "errorMessage": "{message}",\n  "errorType": "{error_type}",\n  "stackTrace": \[.*\]\n\}}\n',
    )


def both(made: dict[str, Any], payload: Any, *log: str, **more: Any) -> dict[str, Case]:
    """The same of both clients for Node.js."""
    return {name: of(made, payload, *log, **more) for name in ("node22", "node24")}


WARNING = rf"\[WARNING\]\t{TIME}\t\tLAMBDA_WARNING: Unhandled exception\. .*"
EXIT = re.compile(rf"RequestId: {UUID} Error: Runtime exited with error: exit status 3")
JSON_AT_WARN = {"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}}
JSON_LOG = {"LoggingConfig": {"LogFormat": "JSON"}}
STRINGIFY = "Unable to stringify response body"
RUBY_HANDLER = re.compile(
    r'Invalid handler \["app"\], must be of form FILENAME\.METHOD or FILENAME\.CLASS\.METHOD .*', re.DOTALL
)
BAD_JAVA = {"errorMessage": "Invalid handler: `::'"}


def json_event(**members: Any) -> str:
    """A pattern for an event in JSON that has these members."""
    return "json:" + json.dumps(members)


CASES: dict[str, dict[str, Case]] = {
    "an exception of the language's own": {
        "python": of(
            py("raise ValueError('bad value')"),
            py_error("ValueError", "bad value"),
            "\\[ERROR\\] ValueError: bad value\nTraceback \\(most recent call last\\):\n\u00a0\u00a0File .*app\\.py.*",
            again=py_error("ValueError", "bad value"),
        ),
        **both(
            js("throw new TypeError('bad value');"),
            js_error("TypeError", "bad value"),
            js_log("Invoke Error", "TypeError", "bad value"),
            again=js_error("TypeError", "bad value"),
        ),
        "ruby": of(
            rb("raise ArgumentError, 'bad value'"),
            rb_error("Function<ArgumentError>", "bad value"),
            *rb_log("Error raised from handler method", "Function<ArgumentError>", "bad value"),
            again=rb_error("Function<ArgumentError>", "bad value"),
        ),
        "java": java(
            "::fails",
            error("java.lang.IllegalArgumentException", "bad value", stackTrace=list),
            r"bad value: java\.lang\.IllegalArgumentException\njava\.lang\.\w+: bad value\n\tat .*",
            again=error("java.lang.IllegalArgumentException", "bad value", stackTrace=list),
        ),
    },
    "an exception of a class of its own": {
        "python": of(
            {"code": "class Refused(Exception): pass\ndef handler(event, context):\n    raise Refused('not today')\n"},
            py_error("Refused", "not today"),
        ),
        **both(
            js(
                "class Refused extends Error { constructor(m) { super(m); this.name = 'Refused'; this.code = 7; } }\n"
                "throw new Refused('not today');"
            ),
            js_error("Refused", "not today"),
            rf'{TIME}\t{UUID}\tERROR\tInvoke Error \t\{{"errorType":"Refused","errorMessage":"not today","code":7,.*\n',
        ),
        "ruby": of(
            {
                "code": "class Refused < StandardError; end\n"
                "def handler(event:, context:)\n  raise Refused, 'not today'\nend\n"
            },
            rb_error("Function<Refused>", "not today"),
        ),
        "java": java("::failsInItsOwnWay", error("example.Clients$Refused", "not today", stackTrace=list)),
    },
    "what no handler of exceptions catches": {
        "python": of(py("raise SystemExit(3)"), error("Runtime.ExitError", EXIT), status="Runtime.ExitError"),
        "node22": of(js("process.exit(3);"), error("Runtime.ExitError", EXIT), status="Runtime.ExitError"),
        "node24": of(js("process.exit(3);"), error("Runtime.ExitError", EXIT), status="Runtime.ExitError"),
        "ruby": of(
            rb("exit 3"),
            rb_error("Function<SystemExit>", "exit"),
            *rb_log("Critical exception from handler", "Function<SystemExit>", "exit"),
            again=rb_error("Function<SystemExit>", "exit"),
        ),
    },
    "a name that is not there ends Ruby's process": {
        "python": of(py("nowhere"), py_error("NameError", "name 'nowhere' is not defined"), again=dict),
        **both(js("nowhere;"), js_error("ReferenceError", "nowhere is not defined"), again=dict),
        "ruby": of(rb("nowhere"), rb_error("Function<NameError>", re.compile("undefined local .*", re.S)), again=dict),
    },
    "a text that is thrown": {
        **both(
            js("throw 'only a text';"),
            {"errorType": "string", "errorMessage": "only a text", "trace": []},
            js_log("Invoke Error", "Error", "only a text"),
        ),
        "python": of(py("raise 'x'"), py_error("TypeError", "exceptions must derive from BaseException")),
        "ruby": of(rb("raise 'only a text'"), rb_error("Function<RuntimeError>", "only a text")),
    },
    "nothing that is thrown": {
        "node22": of(js("throw undefined;"), {"errorType": "string", "errorMessage": "handled", "trace": []}),
        "node24": of(js("throw undefined;"), {"errorType": "undefined", "errorMessage": "undefined", "trace": []}),
        "ruby": of(rb("raise"), rb_error("Function<RuntimeError>", "")),
    },
    "an object that is thrown": {
        **both(js("throw { a: 1 };"), {"errorType": "object", "errorMessage": "[object Object]", "trace": []}),
        "ruby": of(rb("raise Object.new"), rb_error("Function<TypeError>", "exception class/object expected")),
    },
    "a module that is not there": {
        "python": of(
            {"code": "import nowhere\n"},
            py_error("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nowhere'", ""),
            WARNING,
            r"\[ERROR\] Runtime\.ImportModuleError: Unable to import module 'app': No module named 'nowhere'\nTrace.*",
            status="Runtime.ImportModuleError",
        ),
        "node22": of(
            {"code": "import 'nowhere';\n"},
            js_error("Error", re.compile("Cannot find package 'nowhere' imported from .*/app.mjs")),
            rf"{TIME}\tundefined\tERROR\tUncaught Exception \t.*",
            status="Error",
        ),
        "node24": of(
            {"code": "import 'nowhere';\n"},
            js_error("Error", re.compile("Cannot find package 'nowhere' imported from .*/app.mjs")),
            status="Error",
        ),
        "ruby": of(
            {"code": "require 'nowhere'\n"},
            rb_error("Init<LoadError>", "cannot load such file -- nowhere"),
            *rb_log("Init error when loading handler ", "Init<LoadError>", "cannot load such file -- nowhere"),
            status="Init<LoadError>",
        ),
    },
    "a file that is not there": {
        "python": of(
            py("pass", handler="gone.handler"),
            py_error("Runtime.ImportModuleError", "Unable to import module 'gone': No module named 'gone'", ""),
        ),
        **both(
            js("", handler="gone.handler"),
            js_error(
                "Runtime.ImportModuleError", re.compile("Error: Cannot find module 'gone'\nRequire stack:\n.*", re.S)
            ),
            status="Runtime.ImportModuleError",
        ),
        "ruby": of(rb("", handler="gone.handler"), rb_error("Init<LoadError>", "cannot load such file -- gone")),
        "java": Case(
            {}, error("java.lang.ClassNotFoundException", "Class not found: example.Gone"), handler="example.Gone"
        ),
    },
    "a module that require does not find": {
        **{
            name: Case(
                {"app.cjs": "require('nowhere');\n"},
                js_error("Runtime.ImportModuleError", re.compile("Error: Cannot find module 'nowhere'\n.*", re.S)),
            )
            for name in ("node22", "node24")
        }
    },
    "code that cannot be read": {
        "python": of(
            {"code": "def handler(\n"},
            py_error(
                "Runtime.UserCodeSyntaxError", re.compile(r"Syntax error in module 'app': .*\(app\.py, line 1\)"), ""
            ),
            status="Runtime.UserCodeSyntaxError",
        ),
        **both(
            {"code": "export const handler = (\n"},
            js_error("Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input"),
            status="Runtime.UserCodeSyntaxError",
        ),
        "ruby": of(
            {"code": "def handler(\n"},
            rb_error("Init<SyntaxError>", re.compile(r".*app\.rb:\d.*", re.DOTALL)),
            status="Function<UserException>",
        ),
    },
    "an exception at init": {
        "python": of({"code": "raise KeyError('at init')\n"}, py_error("KeyError", "'at init'", ""), status="KeyError"),
        "node22": of(
            {"code": "throw new RangeError('at init');\n"},
            js_error("RangeError", "at init"),
            js_log("Uncaught Exception", "RangeError", "at init", "undefined"),
            status="RangeError",
        ),
        "node24": of(
            {"code": "throw new RangeError('at init');\n"}, js_error("RangeError", "at init"), status="RangeError"
        ),
        "ruby": of(
            {"code": "raise IOError, 'at init'\n"},
            rb_error("Init<IOError>", "at init"),
            status="Function<UserException>",
        ),
        "java": java(
            "$AtInit::handle",
            error("java.lang.ExceptionInInitializerError", "Error loading class example.Clients$AtInit"),
            status="Runtime.BadFunctionCode",
        ),
    },
    "a handler that is not there": {
        "python": of(
            py("pass", handler="app.gone"),
            py_error("Runtime.HandlerNotFound", "Handler 'gone' missing on module 'app'", ""),
            status="Runtime.HandlerNotFound",
        ),
        **both(
            js("", handler="app.gone"),
            js_error("Runtime.HandlerNotFound", "app.gone is undefined or not exported"),
            status="Runtime.HandlerNotFound",
        ),
        "ruby": of(
            rb("", handler="app.gone"),
            rb_error(
                "Function<NoMethodError>", re.compile(r"undefined method [`']gone' for .*LambdaHandler.*", re.DOTALL)
            ),
            again=dict,
        ),
        "java": java(
            "::gone",
            {
                "errorMessage": "No public method named gone with appropriate method signature found on class "
                "example.Clients"
            },
            again=dict,
        ),
    },
    "a handler that is no function": {
        "python": of({"code": "handler = 5\n"}, py_error("TypeError", "'int' object is not callable")),
        **both(
            {"code": "export const handler = 5;\n"},
            js_error("Runtime.HandlerNotFound", "app.handler is not a function"),
            status="Runtime.HandlerNotFound",
        ),
        "ruby": of({"code": "handler = 5\n"}, rb_error("Function<NoMethodError>", str)),
    },
    "a handler's name without its parts": {
        "python": of(
            py("pass", handler="app"),
            py_error(
                "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)", ""
            ),
        ),
        **both(js("", handler="app"), js_error("Runtime.MalformedHandlerName", "Bad handler")),
        "ruby": of(rb("", handler="app"), rb_error("Init<ArgumentError>", RUBY_HANDLER)),
        "java": Case({}, BAD_JAVA, handler="::"),
    },
    "a handler's name that leaves its folder": {
        **both(
            js("", handler="../app.handler"),
            js_error(
                "Runtime.MalformedHandlerName",
                "'../app.handler' is not a valid handler name. Use absolute paths when specifying root directories in "
                "handler names.",
            ),
        )
    },
    "a module of the interpreter's own as the handler's": {
        "python": of(
            py("pass", handler="sys.exit"),
            py_error("Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module", ""),
        )
    },
    "a result that refers to itself": {
        "python": of(
            py("a = []\na.append(a)\nreturn a"),
            py_error("Runtime.MarshalError", "Unable to marshal response: Circular reference detected"),
            again=dict,
        ),
        "node22": of(js("const a = {}; a.a = a; return a;"), js_error("Error", STRINGIFY), again=dict),
        "node24": of(
            js("const a = {}; a.a = a; return a;"), js_error("Runtime.JSONStringifyError", STRINGIFY), again=dict
        ),
        "ruby": of(rb("a = []\na << a\na"), rb_error("Function<JSON::NestingError>", str), again=dict),
        "java": java(
            "::cycle",
            error(
                "java.lang.RuntimeException", "An error occurred during JSON serialization of response", stackTrace=list
            ),
        ),
    },
    "a number that is none": {
        "python": of(py("return float('nan')"), b"NaN"),
        **both(js("return NaN;"), None),
        "ruby": of(rb("Float::NAN"), rb_error("Function<JSON::GeneratorError>", str), again=dict),
        "java": java("::notANumber", "NaN"),
    },
    "a result of a type that JSON has not": {
        "python": of(
            py("return {1, 2}"),
            py_error("Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"),
            "\\[ERROR\\] Runtime\\.MarshalError: Unable to marshal response: .*\nTraceback .*",
            again=dict,
        ),
        "node22": of(js("return 1n;"), js_error("Error", STRINGIFY), js_log("Invoke Error", "Error", STRINGIFY)),
        "node24": of(
            js("return 1n;"),
            js_error("Runtime.JSONStringifyError", STRINGIFY),
            js_log("Invoke Error", r"Runtime\.JSONStringifyError", STRINGIFY),
            again=dict,
        ),
        "ruby": of(rb("{ at: Time.at(0).utc, name: :symbol }"), {"at": "1970-01-01 00:00:00 UTC", "name": "symbol"}),
    },
    "a date as a result": {
        "python": of(
            {"code": "import datetime\ndef handler(event, context):\n    return datetime.date(2026, 1, 2)\n"},
            py_error(
                "Runtime.MarshalError", "Unable to marshal response: Object of type date is not JSON serializable"
            ),
        ),
        **both(js("return new Date(0);"), "1970-01-01T00:00:00.000Z"),
    },
    "a decimal as a result": {
        "python": of(
            {"code": "from decimal import Decimal\ndef handler(event, context):\n    return [Decimal('1.1'), 2**70]\n"},
            [1.1, 2**70],
        )
    },
    "bytes as a result": {
        "python": of(py("return b'\"as it is\"'"), "as it is"),
        **both(js("return Buffer.from('ab');"), {"type": "Buffer", "data": [97, 98]}),
        "ruby": of({"code": "def handler(event:, context:)\n  StringIO.new('\"as it is\"')\nend\n"}, "as it is"),
    },
    "nothing as a result": {
        "python": of(py("pass"), None),
        **both(js("return undefined;"), None),
        "ruby": of(rb("nil"), None),
    },
    "a function as a result": {
        "python": of(py("return handler"), py_error("Runtime.MarshalError", re.compile(".* not JSON serializable"))),
        **both(js("return () => 1;"), js_error("TypeError", "A string was expected")),
    },
    "a generator as a handler": {
        "python": of(py("yield 1"), py_error("Runtime.MarshalError", re.compile(".* generator is not JSON .*"))),
        "node24": of({"code": "export function* handler() { yield 1; }\n"}, {}),
        "node22": of({"code": "export function* handler() { yield 1; }\n"}, None),
    },
    "an asynchronous handler": {
        "python": of(
            {"code": "async def handler(event, context):\n    return 1\n"},
            py_error("Runtime.MarshalError", re.compile(".* coroutine is not JSON serializable")),
        ),
        **both(js("await null; return 'well';"), "well"),
    },
    "a handler that is not asynchronous": {
        "node22": of({"code": "export const handler = () => 'at once';\n"}, None),
        "node24": of({"code": "export const handler = () => 'at once';\n"}, "at once"),
    },
    "a promise that is never settled": {
        "node22": of(
            js("await new Promise(() => {});"),
            js_error(
                "Runtime.NodeJsExit", re.compile("The Lambda runtime client detected an unexpected Node.js exit .*")
            ),
            js_log("Invoke Error", r"Runtime\.NodeJsExit", ".*"),
            again=dict,
        ),
        "node24": of(
            js("await new Promise(() => {});"),
            error(
                "Runtime.ExitError", re.compile(f"RequestId: {UUID} Error: Runtime exited without providing a reason")
            ),
            status="Runtime.ExitError",
        ),
    },
    "such a promise of a handler that is not asynchronous": {
        "node22": of({"code": "export const handler = () => new Promise(() => {});\n"}, None, again=None)
    },
    "an error that nobody waits for": {
        "python": of(
            py("import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()\nreturn 'well'"),
            "well",
        ),
        "node22": of(
            js("Promise.reject(new Error('alone')); await new Promise((r) => setTimeout(r, 5000));"),
            js_error("Runtime.UnhandledPromiseRejection", "Error: alone"),
            rf"{TIME}\t{UUID}\tERROR\tUnhandled Promise Rejection \t\{{"
            r'"errorType":"Runtime\.UnhandledPromiseRejection","errorMessage":"Error: alone","reason":\{'
            r'"errorType":"Error","errorMessage":"alone","stack":\[.*\]\},"promise":\{\},"stack":\[.*\]\}\n',
            again=dict,
        ),
        "node24": of(
            js("Promise.reject(new Error('alone')); await new Promise((r) => setTimeout(r, 5000));"),
            error("Runtime.ExitError", re.compile(".* Runtime exited with error: exit status 1")),
            status="Runtime.ExitError",
        ),
        "ruby": of(
            rb("t = Thread.new { raise 'alone' }\nt.report_on_exception = false\nsleep 0.01 while t.alive?\n'well'"),
            "well",
        ),
        "java": java("::later", "well"),
    },
    "an error of a timer": {
        "node22": of(
            js("setTimeout(() => { throw new RangeError('later'); });\nawait new Promise((r) => setTimeout(r, 5000));"),
            js_error("RangeError", "later"),
            js_log("Uncaught Exception", "RangeError", "later"),
            again=dict,
        ),
        "node24": of(
            js("setTimeout(() => { throw new RangeError('later'); });\nawait new Promise((r) => setTimeout(r, 5000));"),
            error("Runtime.ExitError", re.compile(".* Runtime exited with error: exit status 1")),
        ),
    },
    "succeed, done and fail": {
        "node22": of(
            {
                "code": "export const handler = (event, context) => {\n"
                "  context.succeed('first'); context.fail(new Error('second')); context.done(null, 'third');\n};\n"
            },
            "first",
            again="first",
        ),
        "node24": of(
            {"code": "export const handler = (e, c) => [typeof c.succeed, typeof c.done, typeof c.fail];\n"},
            ["undefined"] * 3,
        ),
    },
    "fail with nothing": {
        "node22": of(
            {"code": "export const handler = (event, context) => { context.fail(); };\n"},
            {"errorType": "string", "errorMessage": "handled", "trace": []},
            again=dict,
        )
    },
    "done with an error": {
        "node22": of(
            {"code": "export const handler = (event, context) => { context.done(new Error('not done')); };\n"},
            js_error("Error", "not done"),
            js_log("Invoke Error", "Error", "not done"),
        )
    },
    "a callback": {
        "node22": of(
            {"code": "export const handler = (e, c, callback) => { setTimeout(callback, 5, null, 'called'); };\n"},
            "called",
            rf"{TIME}\tundefined\tWARN\tAWS Lambda plans to remove support for callback-based function handlers .*",
            again="called",
        ),
        "node24": of(
            {"code": "export const handler = (e, c, callback) => callback(null, 'called');\n"},
            js_error("Runtime.CallbackHandlerDeprecated", re.compile("ERROR: AWS Lambda has removed support for .*")),
            status="Runtime.CallbackHandlerDeprecated",
        ),
    },
    "what is printed and logged": {
        "python": of(
            py("print('printed\\ntwice')\nlogging.getLogger().warning('of two\\nlines')\nreturn 'well'"),
            "well",
            r"printed\n",
            r"twice\n",
            rf"\[WARNING\]\t{TIME}\t{UUID}\tof two\nlines\n",
        ),
        **both(
            js(
                "process.stdout.write('printed\\ntwice\\n'); console.log('of %s\\n%j', 'two', { lines: 1 }, 2);\n"
                "console.info('i'); console.warn('w'); console.error('e'); console.debug('d'); console.trace('t');\n"
                "console.log(); return 'well';"
            ),
            "well",
            r"printed\n",
            r"twice\n",
            rf'{TIME}\t{UUID}\tINFO\tof two\n\{{"lines":1\}} 2\n',
            *(rf"{TIME}\t{UUID}\t{level}\n" for level in ("INFO\ti", "WARN\tw", "ERROR\te", "DEBUG\td", "TRACE\tt")),
            rf"{TIME}\t{UUID}\tINFO\tundefined\n",
        ),
        "ruby": of(
            rb(
                "print \"printed\\ntwice\\n\"\nputs 'of two', ['lines']\n"
                "Logger.new($stdout).info(\"logged\\nso\")\n'well'"
            ),
            "well",
            r"printed\n",
            r"twice\n",
            r"of two\nlines\n",
            rf"I, \[\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}} #\d+\]  INFO {UUID} -- : logged\nso",
        ),
        "java": java("::logs", "well", r"printed\n", r"twice\n", r"\[INFO\] of two\nlines"),
    },
    "levels of a log in JSON": {
        "python": of(
            py(
                "log = logging.getLogger('shop')\nlog.debug('debugged'); log.info('informed'); log.warning('warned')\n"
                "log.error('failed', extra={'order': 7})\nreturn 'well'",
                configuration=JSON_AT_WARN,
            ),
            "well",
            json_event(level="WARNING", message="warned", logger="shop"),
            json_event(level="ERROR", message="failed", logger="shop", order=7),
        ),
        **both(
            js(
                "for (const each of ['trace', 'debug', 'info', 'log', 'warn', 'error']) console[each](each);",
                configuration=JSON_AT_WARN,
            ),
            None,
            json_event(level="WARN", message="warn"),
            json_event(level="ERROR", message="error"),
        ),
        "java": java(
            "::levels",
            "well",
            json_event(level="WARN", message="warned"),
            json_event(level="ERROR", message="failed"),
            configuration=JSON_AT_WARN,
        ),
    },
    "what a log in JSON makes of values": {
        "python": of(
            py(
                "log = logging.getLogger()\nlog.warning('of %s', 'two')\nlog.warning({'order': 7})\n"
                "try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('failed')\n",
                configuration=JSON_LOG,
            ),
            None,
            json_event(level="WARNING", message="of two"),
            json_event(level="WARNING", message={"order": 7}),
            json_event(level="ERROR", message="failed", errorType="ZeroDivisionError", errorMessage="division by zero"),
        ),
        **both(
            js(
                "const cycle = {}; cycle.cycle = cycle;\n"
                "console.log({ order: 7 }); console.log('of %s', 'two'); console.log(cycle); console.log(5n);\n"
                "console.error(new RangeError('bad')); console.error('it failed', new RangeError('bad'));",
                configuration=JSON_LOG,
            ),
            None,
            json_event(level="INFO", message={"order": 7}),
            json_event(level="INFO", message="of two"),
            json_event(level="INFO", message="<ref *1> { cycle: [Circular *1] }"),
            json_event(level="INFO", message="5n"),
            json_event(
                level="ERROR", message={"errorType": "RangeError", "errorMessage": "bad", "stackTrace": ["..."]}
            ),
            json_event(level="ERROR", errorType="RangeError", errorMessage="bad", stackTrace=["..."]),
        ),
    },
    "an error in a log in JSON": {
        "python": of(
            py("raise ValueError('bad value')", configuration=JSON_LOG),
            py_error("ValueError", "bad value"),
            json_event(level="ERROR", errorType="ValueError", errorMessage="bad value", stackTrace=["..."]),
        ),
        **both(
            js("throw new TypeError('bad value');", configuration=JSON_LOG),
            js_error("TypeError", "bad value"),
            json_event(
                level="ERROR", message={"errorType": "TypeError", "errorMessage": "bad value", "stackTrace": ["..."]}
            ),
        ),
        "ruby": of(
            rb("raise ArgumentError, 'bad value'", configuration=JSON_LOG),
            rb_error("Function<ArgumentError>", "bad value"),
            *rb_log("Error raised from handler method", "Function<ArgumentError>", "bad value"),
        ),
        "java": java(
            "::fails",
            error("java.lang.IllegalArgumentException", "bad value", stackTrace=list),
            json_event(level="ERROR"),
            configuration=JSON_LOG,
        ),
    },
    "the event as it was sent": {
        "python": of(py("return event"), BIG),
        **both(js("return event;"), BIG),
        "ruby": of(rb("event"), BIG),
        "java": java("::same", {name: value for name, value in BIG.items() if value is not None}),
    },
    "the context": {
        "python": of(
            py(
                "return dict(id=context.aws_request_id, name=context.function_name, version=context.function_version,\n"
                "    arn=context.invoked_function_arn, memory=context.memory_limit_in_mb,\n"
                "    group=context.log_group_name,\n"
                "    stream=context.log_stream_name, remaining=context.get_remaining_time_in_millis(),\n"
                "    custom=context.client_context.custom['k'], identity=bool(context.identity.cognito_identity_id))"
            ),
            dict,
        ),
        **both(
            js(
                "return { id: context.awsRequestId, name: context.functionName, version: context.functionVersion,\n"
                "  arn: context.invokedFunctionArn, memory: context.memoryLimitInMB, group: context.logGroupName,\n"
                "  stream: context.logStreamName, remaining: context.getRemainingTimeInMillis(),\n"
                "  custom: context.clientContext.custom.k, identity: context.identity !== undefined };"
            ),
            dict,
        ),
        "ruby": of(
            rb(
                "{ id: context.aws_request_id, name: context.function_name, version: context.function_version,\n"
                "  arn: context.invoked_function_arn, memory: context.memory_limit_in_mb,\n"
                "  group: context.log_group_name,\n"
                "  stream: context.log_stream_name, remaining: context.get_remaining_time_in_millis,\n"
                "  custom: context.client_context['custom']['k'], identity: !context.identity.nil? }"
            ),
            dict,
        ),
        "java": java("::context", dict),
    },
}
ALL = [pytest.param(name, language, id=f"{name}-{language}") for name, cases in CASES.items() for language in cases]


@pytest.fixture(scope="module")
def classes(needs, tmp_path_factory):
    """The classes of the handlers in java/, as files of a package."""
    folder = tmp_path_factory.mktemp("classes")
    command = [needs("javac"), "--release", "17", "-cp", str(localaws.JAVA_RUNTIME), "-d", str(folder)]
    subprocess.run([*command, str(SOURCES / "Clients.java")], check=True)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.class")}


@pytest.fixture
def deploy(make_function, needs, request):
    def make(case: Case, language: str):
        if language == "ruby":
            needs("ruby")
        files = case.code if isinstance(case.code, dict) else {FILES[language]: case.code}
        if language == "java":
            needs("java")
            files = request.getfixturevalue("classes")
        usual = {"Handler": case.handler, "Timeout": 20, "MemorySize": 512}
        return make_function(files, RUNTIMES[language], **usual | case.configuration)

    return make


def agrees(found: Any, expected: Any) -> bool:
    """Whether it is that; a type stands for all of its values, a pattern for a whole text, ["..."] for any list."""
    if isinstance(expected, re.Pattern):
        return isinstance(found, str) and bool(expected.fullmatch(found))
    if isinstance(expected, type):
        return isinstance(found, expected)
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and set(found) == set(expected)
            and all(agrees(found[name], value) for name, value in expected.items())
        )
    if expected == ["..."]:
        return isinstance(found, list) and len(found) > 0
    return type(found) is type(expected) and found == expected


def is_event(message: str, pattern: str) -> bool:
    if not pattern.startswith("json:"):
        return bool(re.fullmatch(pattern, message, re.DOTALL))
    expected, found = json.loads(pattern.removeprefix("json:")), json.loads(message)
    return all(agrees(found.get(name), value) for name, value in expected.items())


def own(function) -> list[str]:
    """What the function has logged, without the lines of Lambda itself."""
    lines = [each for each in function.messages() if not re.match(r"INIT|START|END|REPORT|RequestId:", each)]
    return [each for each in lines if '"type":"platform.' not in each.replace(": ", ":")]


@pytest.mark.parametrize(("name", "language"), ALL)
def test_the_client_does_as_aws_s_own(deploy, name, language):
    case = CASES[name][language]
    function = deploy(case, language)
    context = base64.b64encode(json.dumps({"client": {}, "custom": {"k": "é"}, "env": {}}).encode()).decode()
    event = BIG if name == "the event as it was sent" else {}
    result = function.invoke(event, ClientContext=context)
    expected = float("nan") if case.payload == b"NaN" else case.payload
    if expected != expected:
        assert result.payload != result.payload
    else:
        assert agrees(result.payload, expected), result.payload
    assert bool(result.error) == (isinstance(expected, dict) and "errorMessage" in expected)
    if case.log is not None:
        found = own(function)
        patterns = case.log * (2 if "Phase: init" in function.text() else 1)  # what fails at init is tried once more
        assert len(found) == len(patterns), found
        assert not [text for text, pattern in zip(found, patterns, strict=True) if not is_event(text, pattern)]
    if case.status:
        assert f"\tStatus: error\tError Type: {case.status}\n" in function.text()
    if case.again is not ...:
        assert agrees(function.invoke(event, ClientContext=context).payload, case.again)
        assert len(function.streams()) == 1
    if name == "the context":
        check_context(result, function)


def check_context(result, function) -> None:
    found = dict(result.payload)
    assert 15_000 < found.pop("remaining") <= 20_000
    assert found.pop("arn").endswith(f":function:{function.name}")
    assert found == {
        "id": result.request_id,
        "name": function.name,
        "version": "$LATEST",
        "memory": "512",
        "group": f"/aws/lambda/{function.name}",
        "stream": function.streams()[0],
        "custom": "é",
        "identity": False,
    }


@pytest.mark.parametrize(
    ("statement", "lives"), [("raise 'x'", True), ("nowhere", False), ("nil.nowhere", False), ("exit 3", False)]
)
def test_ruby_s_process_ends_after_what_is_no_standard_error_and_after_a_name_error(deploy, statement, lives):
    function = deploy(
        Case(f"$n = 0\ndef handler(event:, context:)\n  return $n if ($n += 1) > 1\n  {statement}\nend\n", 2), "ruby"
    )
    assert function.invoke().error == "Unhandled"
    again = function.invoke()
    assert again.payload == 2 if lives else again.error == "Unhandled"


def test_marshalling_in_ruby_is_the_function_s_to_change(deploy):
    code = (
        "class AwsLambda::Marshaller\n  def self.marshall_request(raw_request) = raw_request.body\nend\n"
        "def handler(event:, context:) = event.length\n"
    )
    assert deploy(Case(code, 7), "ruby").invoke({"a": 1.5}).payload == len('{"a": 1.5}')
