"""Where a function finds itself, and who it is: as functions have printed it on AWS, where namespaces can be made."""

import os
from pathlib import Path

import pytest
from localaws_client import zipped

from helpers.facts import fact
from helpers.localaws.data_plane import confinement
from helpers.localaws.data_plane.places import Places
from helpers.localaws.data_plane.runtimes import BOOTSTRAP, Runtime

PYTHON = """
import boto3, contextlib, of_layer, os, resource, stat, subprocess, sys, threading
def handler(event, context):
    return globals()[event[0]](*event[1:])
def places():
    return [os.getcwd(), __file__, os.environ['LAMBDA_TASK_ROOT'], os.environ['LAMBDA_RUNTIME_DIR'],
            os.environ['PWD'], of_layer.__file__, boto3.__file__, sys.path[0]]
def path():
    return sys.path
def variables():
    return dict(os.environ)
def fails():
    raise ValueError('any')
def read(path):
    return open(path).read()
def listed(path):
    return sorted(os.listdir(path))
def who():
    return [os.getuid(), os.getgid(), os.getgroups(), subprocess.run('whoami', capture_output=True, text=True).stdout]
def umask():
    open('/tmp/any', 'w').close()
    return oct(stat.S_IMODE(os.stat('/tmp/any').st_mode))
def owners(paths):
    return [[os.stat(path).st_uid, stat.filemode(os.stat(path).st_mode)] for path in paths]
def prints_to_devices():
    return [subprocess.run(f'echo said > /dev/{name}', shell=True).returncode for name in ('stdout', 'stderr')]
def processes():  # of which the kernel takes threads for some, too
    done, started = threading.Event(), 0
    try:
        with contextlib.suppress(RuntimeError):
            while started < 1100:
                threading.Thread(target=done.wait).start()
                started += 1
        os.fork() or os._exit(0)
    except BlockingIOError as error:
        return [resource.getrlimit(resource.RLIMIT_NPROC), started > 1000, error.strerror]
    finally:
        done.set()
"""


@pytest.fixture
def only_where_possible():
    if not confinement.possible():
        pytest.skip("this machine lets us make no namespaces")


@pytest.fixture
def function(make_function, clients, only_where_possible):
    content = {"python/of_layer.py": "", "data/of_layer.txt": "of the layer"}
    layer = clients("lambda").publish_layer_version(LayerName="of-places", Content={"ZipFile": zipped(content)})
    files = {"app.py": PYTHON, "data/own.txt": "own"}
    return make_function(files, Layers=[layer["LayerVersionArn"]], MemorySize=1769, Timeout=60)


def test_code_layers_and_runtime_are_where_they_are_on_aws(function):
    task, file, root, runtime, directory, layer, sdk, first = function.invoke(["places"]).payload
    assert {task, root, directory, first} == {"/var/task"}
    assert (file, layer) == ("/var/task/app.py", "/opt/python/of_layer.py")
    assert (runtime, sdk) == ("/var/runtime", "/var/runtime/boto3/__init__.py")
    path = function.invoke(["path"]).payload
    assert path[0] == "/var/task" and path.index("/opt/python") < path.index("/var/runtime")


def test_absolute_paths_work(function):
    assert function.invoke(["read", "/var/task/data/own.txt"]).payload == "own"
    assert function.invoke(["read", "/opt/data/of_layer.txt"]).payload == "of the layer"
    assert function.invoke(["listed", "/var/task"]).payload == ["app.py", "data"]


def test_a_stack_trace_names_them(function):
    result = function.invoke(["fails"])
    frames = "".join(result.payload["stackTrace"])
    assert '"/var/task/app.py", line ' in frames
    assert '"/var/task/app.py", line ' in result.tail


def test_the_variables_are_those_of_aws(function):
    """Recorded for python3.13 on 2026-01-12, but for /var/lang, which is not here."""
    variables = function.invoke(["variables"]).payload
    libraries = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    expected = {
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": libraries,
        "PYTHONPATH": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PWD": "/var/task",
        "SHLVL": "0",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    assert {name: variables[name] for name in expected} == expected


def test_it_is_the_user_of_aws_and_never_root(function):
    uid, gid, _, name = function.invoke(["who"]).payload
    assert (uid, gid, name) == (993, 990, "sbx_user1051\n")


def test_its_files_are_not_its_own_where_that_can_be(function):
    owner = 0 if os.geteuid() == 0 else 993
    folders = function.invoke(["owners", ["/var/task", "/opt"]]).payload
    assert folders == [[owner, "drwxr-xr-x"]] * 2
    assert function.invoke(["owners", ["/var/task/app.py"]]).payload == [[owner, "-rw-r--r--"]]
    assert function.invoke(["owners", ["/tmp"]]).payload[0][1] == "drwxrwxrwt"


def test_what_it_makes_others_may_read(function):
    assert function.invoke(["umask"]).payload == "0o644"


def test_it_may_print_to_the_devices(function):
    result = function.invoke(["prints_to_devices"])
    assert result.payload == [0, 0] and result.tail.count("said\n") == 2


def test_the_kernel_refuses_more_processes_than_on_aws(function):
    limit, many, error = function.invoke(["processes"]).payload
    assert limit == [fact("processes")] * 2
    assert (many, error) == (True, "Resource temporarily unavailable")
    assert function.invoke(["umask"]).error is None  # and goes on


@pytest.mark.usefixtures("only_where_possible")
@pytest.mark.parametrize("runtime", ["nodejs24.x", "ruby3.4"])
def test_other_languages_have_them_too(make_function, needs, runtime):
    if runtime == "ruby3.4":
        needs("ruby")
    code = {
        "nodejs24.x": "import fs from 'node:fs';\nexport const handler = async (event) => {\n"
        "  if (event.fail) throw new Error('any');\n"
        "  const found = [process.cwd(), import.meta.url, process.argv[1], fs.readdirSync('/var/task')];\n"
        "  return [...found, process.getuid()];\n};\n",
        "ruby3.4": "def handler(event:, context:)\n  raise 'any' if event['fail']\n"
        "  [Dir.pwd, 'file://' + __FILE__, $0, Dir.children('/var/task'), Process.uid]\nend\n",
    }[runtime]
    file, program = {
        "nodejs24.x": ("app.mjs", "/var/runtime/index.mjs"),
        "ruby3.4": ("app.rb", "/var/runtime/bootstrap.rb"),
    }[runtime]
    function = make_function(code, runtime=runtime)
    assert function.invoke({}).payload == ["/var/task", f"file:///var/task/{file}", program, [file], 993]
    failed = function.invoke({"fail": True}).payload
    trace = "".join(failed.get("trace") or failed["stackTrace"])
    assert f"/var/task/{file}:" in trace and "bootstrap/" not in trace


WRAPPER = '#!/bin/sh\necho "wrapped $1"\nexport OF_WRAPPER=yes\nexec "$@"\n'
ASKS = "import os\ndef handler(event, context):\n    return os.environ.get('OF_WRAPPER')\n"


def wrapped(make_function, clients, path, files, executable=("wrapper",)):
    function = make_function(ASKS, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": path}})
    archive = zipped({"app.py": ASKS, **files}, executable)
    clients("lambda").update_function_code(FunctionName=function.name, ZipFile=archive)
    function.wait()
    return function


def test_a_wrapper_starts_the_runtime(make_function, clients):
    function = wrapped(make_function, clients, "/var/task/wrapper", {"wrapper": WRAPPER})
    assert function.invoke().payload == "yes"
    assert any(message.startswith("wrapped ") for message in function.messages())


def test_a_wrapper_may_be_in_a_layer_and_insert_options_before_the_last_argument(make_function, clients, needs):
    needs("bash")
    script = '#!/bin/bash\nargs=("$@")\nexec "${args[@]:0:$#-1}" -X utf8=1 -W error "${args[@]: -1}"\n'
    layer = clients("lambda").publish_layer_version(
        LayerName="of-wrapper", Content={"ZipFile": zipped({"wrapper": script}, ("wrapper",))}
    )
    code = "import sys\ndef handler(event, context):\n    return sys.warnoptions\n"
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}}
    function = make_function(code, Layers=[layer["LayerVersionArn"]], Environment=variables)
    assert function.invoke().payload == ["error"]


@pytest.mark.parametrize(
    ("wrapper", "files", "status", "said"),
    [
        ("/var/task/none", {}, 127, "/var/task/none: does not exist"),
        ("/var/task/wrapper", {"wrapper": WRAPPER}, 126, "/var/task/wrapper: is not an executable"),
    ],
)
def test_a_wrapper_that_cannot_run_ends_the_runtime(make_function, clients, wrapper, files, status, said):
    """The first was recorded on AWS on 2025-11-24."""
    function = wrapped(make_function, clients, wrapper, files, executable=())
    result = function.invoke()
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(f"Error: Runtime exited with error: exit status {status}")
    assert said in function.text() or not confinement.possible()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/any/task", "/var/task"),
        ("/any/task/lib:/any/task:/any/tasks", "/var/task/lib:/var/task:/any/tasks"),
        ("a=/any/task", "a=/var/task"),
        ("/other/any/task:/any/task/any/task", "/other/any/task:/var/task/any/task"),
        ("/any/task=b", "/any/task=b"),
        ("", ""),
    ],
)
def test_a_folder_is_moved_where_it_is_a_whole_path(text, expected):
    runtime = Runtime("any", (text,))
    assert Places(Path("/any"), {}, moved=True).command(runtime, None) == [expected]


def test_where_namespaces_are_forbidden_they_are_where_this_machine_has_them(tmp_path):
    tmp_path = tmp_path / "a=b"
    task = str(tmp_path / "task" / "bootstrap")
    runtime = Runtime("any", (task, str(tmp_path / "opt"), "-X", f"a={tmp_path}/opt/b:/usr"), {"A": str(BOOTSTRAP)})
    here, moved = (Places(tmp_path, {"": "/usr/lib/any"}, each) for each in (False, True))
    assert (here.task, here.runtime) == (str(tmp_path / "task"), str(BOOTSTRAP))
    assert here.command(runtime, None) == list(runtime.command)
    assert moved.command(runtime, None) == ["/var/task/bootstrap", "/opt", "-X", "a=/opt/b:/usr"]
    assert (here.variables(runtime), moved.variables(runtime)) == ({"A": str(BOOTSTRAP)}, {"A": "/var/runtime"})
    program = Runtime("any", ("/opt/conda/bin/python",))  # of this machine
    assert [each.command(program, None) for each in (here, moved)] == [["/opt/conda/bin/python"]] * 2
    assert here.command(runtime, "/var/task/wrapper")[3] == f"{tmp_path}/task/wrapper"
    assert moved.command(runtime, "/var/task/wrapper")[3] == "/var/task/wrapper"
