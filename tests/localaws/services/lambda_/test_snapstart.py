"""SnapStart as clients see it: a snapshot when a version is published, and environments that begin from it.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest
from localaws_client import (
    ROLE,
    UUID,
    TestedFunction,
    clients_for,
    eventually,
    processes_of,
    refused,
    start_server,
    zipped,
)
from ministack.services import lambda_svc

from helpers import localaws
from helpers.facts import fact
from helpers.localaws.data_plane import confinement
from helpers.localaws.services.lambda_ import snapstart
from helpers.settings import ROOT

SNAPSTART = {"ApplyOn": "PublishedVersions"}
# Whatever it is asked for. With "sleep" it lasts, so that two invocations need two environments.
CODE = """
import ctypes, os, random, signal, subprocess, time, uuid
print("init")
number, name = random.random(), uuid.uuid4().hex
big = b"x" * 60_000_000
with open("/tmp/of-init", "w") as file:
    file.write("abcdef")
opened = open("/tmp/of-init", "r+")
opened.read(2)
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return globals()[event.get("do", "chance")](*event.get("with", ()))
def chance():
    return {"number": number, "name": name, "next": random.random(), "system": os.urandom(8).hex()}
def write(name):
    open("/tmp/" + name, "w").close()
    os.lseek(opened.fileno(), 0, os.SEEK_CUR)
    return sorted(name for name in os.listdir("/tmp") if os.path.isfile("/tmp/" + name))
def read_on():
    part = opened.read(2)
    return [part, opened.tell()]
def end(code):
    os._exit(code)
def fail():
    raise ValueError("of the handler")
def fill(megabytes):
    return len(b"x" * (megabytes * 10**6))
def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
def rights():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return [lines[name].strip() for name in ("CapPrm", "CapEff", "CapInh", "CapAmb", "NoNewPrivs")]
def uncover(paths):
    libc, new_user, new_mounts = ctypes.CDLL(None), 0x10000000, 0x20000
    undone = [libc.umount2(path.encode(), 2) for path in ("/tmp", "/proc", "/root", "/home")]
    libc.unshare(new_user | new_mounts)
    undone += [libc.umount2(path.encode(), 2) for path in ("/tmp", "/proc", "/root", "/home")]
    return [set(undone) == {-1}, [path for path in paths if os.path.lexists(path)]]
def kill_all():
    for pid in (-1, 1):  # all that it may, but itself; and its guard
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    return "lives"
def run():
    return subprocess.check_output(["/bin/echo", "out"], text=True)
def variables():
    return dict(os.environ)
def who():
    import boto3
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
HOOKS = """
from snapshot_restore_py import register_after_restore, register_before_snapshot
done = []
register_before_snapshot(done.append, "before 1")
register_before_snapshot(done.append, "before 2")
@register_after_restore
def again():
    print("after restore")
    done.append("after 1")
register_after_restore(done.append, "after 2")
def handler(event, context):
    return done
"""
# This Python's, or the oldest that has SnapStart.
RUNTIME = f"python3.{max(12, sys.version_info.minor)}"
REPORT = re.compile(
    rf"REPORT RequestId: {UUID}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: \d+ MB\t"
    r"Max Memory Used: (\d+) MB\tRestore Duration: (\d+\.\d\d) ms\tBilled Restore Duration: (\d+) ms\t\n"
)


@pytest.fixture(autouse=True)
def only_where_possible():
    if not confinement.snapshots_possible():
        pytest.skip("this machine lets us take no snapshots")


@pytest.fixture
def publish(make_function, clients):
    """Make a function with SnapStart, and publish version 1; gives both, once there is a snapshot or will be none."""

    def publish(code=CODE, **configuration):
        function = make_function(code, RUNTIME, **{"SnapStart": SNAPSTART, "Timeout": 20, **configuration})
        return function, published(function, clients)

    return publish


def published(function, clients):
    """The configuration of a version that is published now."""
    made = clients("lambda").publish_version(FunctionName=function.name)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")

    def configuration():
        found = clients("lambda").get_function_configuration(FunctionName=function.name, Qualifier=made["Version"])
        return found if found["State"] != "Pending" else None

    return eventually(configuration)


def ask(function, do, *arguments, version="1", **more):
    return function.invoke({"do": do, "with": arguments, **more}, Qualifier=version)


def ask_both(function, do, *arguments):
    """The payloads of two invocations at the same time, each in an environment of its own."""
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda _: ask(function, do, *arguments, sleep=1).payload, range(2)))


def stopped(processes):
    return [process for process in processes if process.status() == psutil.STATUS_STOPPED]


def test_a_version_says_that_it_has_a_snapshot(publish, clients):
    function, version = publish()
    assert version["State"] == "Active"
    assert "StateReason" not in version
    assert version["SnapStart"] == {**SNAPSTART, "OptimizationStatus": "On"}
    latest = clients("lambda").get_function_configuration(FunctionName=function.name)
    assert latest["SnapStart"] == {**SNAPSTART, "OptimizationStatus": "Off"}
    assert "Init Duration" in function.invoke().tail  # on demand, as on AWS


def test_an_environment_begins_by_a_restore(publish):
    function, _ = publish()
    events = function.logged()
    assert [event["message"].split()[0] for event in events] == ["INIT_START", "init", "INIT_REPORT"]
    assert re.fullmatch(r"INIT_REPORT Init Duration: \d+\.\d\d ms\n", events[-1]["message"])
    tail = ask(function, "chance").tail
    duration, billed, _, restore, billed_restore = map(float, REPORT.search(tail).groups())
    assert f"RESTORE_REPORT Restore Duration: {restore:.2f} ms\n" in function.messages()
    assert tail.startswith("START RequestId: ")
    assert billed == pytest.approx(duration + billed_restore, abs=1)
    assert 0 < billed_restore < restore + 1
    assert "Restore" not in ask(function, "chance").tail
    streams = {}
    for event in function.logged():
        streams.setdefault(event["logStreamName"], []).append(event["message"].split()[0])
    init = ["INIT_START", "init", "INIT_REPORT"]
    assert sorted(streams.values()) == [init, ["RESTORE_START", "RESTORE_REPORT", *["START", "END", "REPORT"] * 2]]
    assert all("[1]" in stream for stream in streams)


def test_in_json_there_are_events_of_the_platform(publish):
    function, _ = publish(LoggingConfig={"LogFormat": "JSON"})
    ask(function, "chance")
    lines = [event["message"] for event in function.logged()]
    events = {event["type"]: event["record"] for event in map(json.loads, filter(lambda line: line[0] == "{", lines))}
    names = ("initStart", "initReport", "restoreStart", "restoreReport", "start", "report")
    assert list(events) == [f"platform.{name}" for name in names]
    assert events["platform.initReport"]["initializationType"] == "snap-start"
    restored, report = events["platform.restoreReport"], events["platform.report"]["metrics"]
    assert restored["status"] == "success"
    assert report["restoreDurationMs"] == restored["metrics"]["durationMs"]
    assert "initDurationMs" not in report


def test_what_init_drew_by_chance_is_the_same_in_all_environments(publish):
    function, _ = publish()
    one, other = ask_both(function, "chance")
    for same in ("number", "name", "next"):  # Python's own generator goes on from where it was at the snapshot
        assert one[same] == other[same]
    assert one["system"] != other["system"]


def test_a_hook_after_the_restore_mends_that(publish):
    code = CODE + "from snapshot_restore_py import register_after_restore\nregister_after_restore(random.seed)\n"
    one, other = ask_both(publish(code)[0], "chance")
    assert one["number"] == other["number"]
    assert one["next"] != other["next"]


def test_hooks_run_before_the_snapshot_backwards_and_after_the_restore_in_order(publish):
    function, _ = publish(HOOKS)
    found = function.invoke(Qualifier="1")
    assert found.payload == ["before 2", "before 1", "after 1", "after 2"]
    text = function.text()
    assert text.index("after restore") < text.index("RESTORE_REPORT") < text.index("START Request")


def test_a_new_version_has_a_new_snapshot_and_the_old_one_stays(publish, clients):
    function, _ = publish()
    before = ask(function, "chance").payload["name"]
    function.update_code(CODE + "# changed\n")
    assert published(function, clients)["Version"] == "2"
    assert ask(function, "chance", version="2").payload["name"] != before
    assert ask(function, "chance").payload["name"] == before


def test_tmp_and_open_files_are_copies(publish):
    function, _ = publish()
    with ThreadPoolExecutor(2) as threads:
        names = threads.map(lambda name: ask(function, "write", name, sleep=1).payload, ["one", "two"])
    assert list(names) == [["of-init", "one"], ["of-init", "two"]]
    assert ask_both(function, "read_on") == [["cd", 4], ["cd", 4]]


# All in /tmp of 512 MB, where nothing may take more room in a copy than it has taken before.
ODD = """
import os, socket
os.chdir("/tmp")
os.umask(0o777)
os.mkfifo("pipe", 0o600)
socket.socket(socket.AF_UNIX).bind("name")
with open("sparse", "wb") as file:
    file.seek(2**30)
    file.write(b"end")
os.chmod("sparse", 0o600)
os.close(os.open("large", os.O_CREAT | os.O_WRONLY, 0))
os.chmod("large", 0o600)
with open("large", "wb") as file:
    for _ in range(300):
        file.write(b"x" * 2**20)
os.link("large", "again")
os.symlink("large", "link")
os.umask(0o022)
os.makedirs("a/b", 0o500)
lock = os.open("lock", os.O_CREAT | os.O_RDWR, 0o400)
os.mkdir("gone")
os.chdir("gone")
os.rmdir("/tmp/gone")
def handler(event, context):
    os.write(lock, b"mine")
    found = {name: os.lstat("/tmp/" + name) for name in sorted(os.listdir("/tmp"))}
    with open("/tmp/sparse", "rb") as file:
        file.seek(2**30)
        end = file.read().decode()
    return {
        "kinds": {name: oct(each.st_mode) for name, each in found.items()},
        "same": found["large"].st_ino == found["again"].st_ino,
        "sizes": [found["large"].st_size, found["sparse"].st_size, found["lock"].st_size],
        "end": end,
        "text": open("/tmp/link").read(3),
        "folder": os.getcwd(),
    }
"""


def test_whatever_lies_in_tmp_is_there_in_a_copy_and_takes_no_more_room(publish):
    function, told = publish(ODD)
    assert told["State"] == "Active"
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: function.invoke(Qualifier="1").payload, range(2)))
    kinds = {"pipe": "0o10000", "large": "0o100600", "again": "0o100600", "lock": "0o100400", "sparse": "0o100600"}
    for each in found:
        assert each["kinds"].items() >= kinds.items() and each["kinds"]["name"].startswith("0o14")
        assert (each["same"], each["end"], each["text"], each["folder"]) == (True, "end", "xxx", "/")
        assert each["sizes"] == [300 * 2**20, 2**30 + 3, 4]


def test_an_environment_sees_and_signals_its_own_processes_alone_and_has_no_rights(publish):
    function, _ = publish()
    assert ask_both(function, "processes") == [[1, 2], [1, 2]]
    assert ask_both(function, "kill_all") == ["lives", "lives"]
    assert ask(function, "rights").payload == [*["0000000000000000"] * 4, "1"]
    assert ask(function, "run").payload == "out\n"


def test_an_environment_is_where_and_who_it_is_on_aws(publish):
    code = (
        "import os, resource\ndef handler(event, context):\n"
        "    limits = resource.getrlimit(resource.RLIMIT_NPROC)\n"
        "    return [os.getcwd(), __file__, os.getuid(), os.getgid(), os.environ['LAMBDA_TASK_ROOT'], *limits]\n"
    )
    function, _ = publish(code)
    expected = ["/var/task", "/var/task/app.py", 993, 990, "/var/task", fact("processes"), fact("processes")]
    assert function.invoke(Qualifier="1").payload == expected


def test_an_environment_gets_at_nothing_that_is_hidden(publish):
    function, _ = publish()
    hidden = [str(ROOT / "pyproject.toml"), os.path.expanduser("~/.profile"), "/run/lock"]
    assert any(map(os.path.lexists, hidden))
    assert ask(function, "uncover", hidden).payload == [True, []]


def test_it_is_frozen_between_invocations_and_goes_on_alone(publish):
    function, _ = publish()
    ask_both(function, "chance")
    eventually(lambda: len(stopped(function.processes())) == 4)  # of each its guard and its runtime
    frozen = stopped(function.processes())
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(ask, function, "chance", sleep=2)
        eventually(lambda: len(stopped(frozen)) == 2)
        assert not running.done()
    eventually(lambda: stopped(frozen) == frozen)


def test_an_error_of_the_handler_keeps_it_and_a_crash_ends_it_alone(publish):
    function, _ = publish()
    ask_both(function, "write", "mine")
    assert ask(function, "fail").payload["errorMessage"] == "of the handler"
    crash = ask(function, "end", 3)
    assert (crash.error, crash.payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 3" in crash.payload["errorMessage"]
    assert ask(function, "write", "other").payload == ["mine", "of-init", "other"]  # that of the sibling
    with ThreadPoolExecutor(2) as threads:
        tails = list(threads.map(lambda _: ask(function, "chance", sleep=1).tail, range(2)))
    assert sorted("Restore Duration" in tail for tail in tails) == [False, True]


def test_memory_of_the_snapshot_counts_for_each_environment(publish):
    function, _ = publish(MemorySize=128)
    used = int(REPORT.search(ask(function, "chance").tail)[3])
    assert 60 < used < 128
    assert ask(function, "fill", 10).error is None
    assert ask(function, "fill", 100).payload["errorType"] == "Runtime.OutOfMemory"


def test_its_time_limit_is_that_of_the_function(publish):
    function, _ = publish(Timeout=1)
    assert ask(function, "chance", sleep=20).payload["errorType"] == "Sandbox.Timedout"
    assert ask(function, "chance").error is None


def test_variables_are_those_of_snapstart_and_credentials_come_from_a_port(publish):
    function, _ = publish()
    one, other = ask_both(function, "variables")
    assert one["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert not {"AWS_ACCESS_KEY_ID", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"} & set(one)
    differ = {"AWS_LAMBDA_RUNTIME_API", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}
    differ |= {"_X_AMZN_TRACE_ID"}
    assert {name for name in one if one[name] != other[name]} == differ
    assert ask(function, "who").payload == f"arn:aws:sts::000000000000:assumed-role/anything/{function.name}"


def test_a_client_that_init_has_used_goes_on(publish):
    code = """
import boto3, time
client = boto3.client("sts")
client.get_caller_identity()
def handler(event, context):
    time.sleep(event["sleep"])
    return client.get_caller_identity()["Arn"]
"""
    function, _ = publish(code)
    arn = f"arn:aws:sts::000000000000:assumed-role/anything/{function.name}"
    assert ask_both(function, "anything") == [arn, arn]


def test_a_restore_takes_a_part_of_an_init_that_imports_boto3(publish):
    function, _ = publish("import boto3\nboto3.client('s3')\ndef handler(event, context): pass\n")
    init = float(
        re.search(r"INIT_REPORT Init Duration: ([\d.]+) ms", "".join(e["message"] for e in function.logged()))[1]
    )
    restore = float(REPORT.search(function.invoke(Qualifier="1").tail)[4])
    assert restore < init / 2


@pytest.mark.parametrize(
    ("code", "reason", "reason_code"),
    [
        ("raise ValueError('of init')", "ValueError: of init", "RuntimeInitError"),
        ("import absent", "No module named 'absent'", "RuntimeInitError"),
        ("import os\nos._exit(3)", "exit status 3", "RuntimeInitError"),
        ("big = b'x' * 300_000_000", "signal: killed", "InitResourceExhausted"),
        (f"{HOOKS}register_before_snapshot(lambda: 1 / 0)", "ZeroDivisionError", "RuntimeInitError"),
        ("import threading\nthreading.Thread(target=threading.Event().wait).start()", "threads", "RuntimeInitError"),
        ("import subprocess\nchild = subprocess.Popen(['/bin/sleep', '60'])", "one process", "RuntimeInitError"),
        ("import os\npipe = os.pipe()", "no copy of pipe:", "RuntimeInitError"),
    ],
)
def test_a_version_whose_init_fails_is_failed(publish, clients, code, reason, reason_code):
    function, version = publish(f"{code}\ndef handler(event, context): pass\n")
    assert version["State"] == "Failed"
    assert reason in version["StateReason"]
    assert version["StateReasonCode"] == f"FunctionError.{reason_code}"
    code, message = refused(clients("lambda").invoke, FunctionName=function.name, Qualifier="1")
    assert (code, message.rpartition(": ")[2]) == ("ResourceConflictException", "Failed")
    assert "INIT_REPORT" in function.logged()[-1]["message"]
    assert not function.processes()


def test_a_hook_that_fails_after_the_restore_is_an_error_of_the_call(publish, clients):
    function, _ = publish(HOOKS + "register_after_restore(lambda: 1 / 0)\n")
    code, message = refused(clients("lambda").invoke, FunctionName=function.name, Qualifier="1")
    assert (code, message) == ("SnapStartException", "ZeroDivisionError: division by zero")
    assert re.fullmatch(
        r"RESTORE_REPORT Restore Duration: [\d.]+ ms\tStatus: error\tError Type: \S+\n",
        function.logged()[-1]["message"],
    )


def test_a_hook_that_lasts_too_long_after_the_restore_is_one_too(publish, clients):
    function, _ = publish(HOOKS + "import time\nregister_after_restore(time.sleep, 60)\n")
    code, message = refused(clients("lambda").invoke, FunctionName=function.name, Qualifier="1")
    assert (code, message) == (
        "SnapStartTimeoutException",
        "Lambda couldn't restore the snapshot within the timeout limit.",
    )
    assert function.logged()[-1]["message"].endswith(" ms\tStatus: timeout\n")


def test_a_snapshot_that_is_lost_is_taken_anew(publish):
    function, _ = publish()
    before = ask(function, "chance").payload["name"]
    its = {process.pid for process in function.processes()}
    (guard,) = {process.ppid() for process in function.processes()} - its  # it guards the guards of the environments
    psutil.Process(guard).kill()
    eventually(lambda: not function.processes())
    ask(function, "chance")  # in the environment that has ended with it
    after = ask(function, "chance")
    assert after.payload["name"] != before


@pytest.mark.parametrize("deleted", ["version", "function"])
def test_with_a_version_or_its_function_its_processes_end(publish, clients, deleted):
    function, _ = publish()
    ask_both(function, "chance")
    assert len(function.processes()) == 5  # the snapshot, and of each environment its guard and its runtime
    clients("lambda").delete_function(
        FunctionName=function.name, **({"Qualifier": "1"} if deleted == "version" else {})
    )
    eventually(lambda: not function.processes())


def test_with_the_server_all_end(tmp_path, free_port):
    endpoint = start_server(tmp_path, free_port())
    clients = clients_for(endpoint)
    clients("lambda").create_function(
        FunctionName="f",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Timeout=20,
        Code={"ZipFile": zipped({"app.py": CODE})},
        SnapStart=SNAPSTART,
    )
    function = TestedFunction("f", clients)
    function.wait()
    published(function, clients)
    ask_both(function, "chance")
    assert localaws.stop(tmp_path)
    eventually(lambda: not processes_of(tmp_path))


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"Runtime": "python3.11"}, "python3.11 is not supported for SnapStart enabled functions."),
        ({"Runtime": "nodejs22.x"}, "nodejs22.x is not supported for SnapStart enabled functions."),
        ({"Runtime": "java21"}, "SnapStart is in the embedded AWS for Python functions alone; leave SnapStart out."),
        ({"EphemeralStorage": {"Size": 513}}, "SnapStart is not supported with ephemeral storage greater than 512 MB."),
    ],
)
def test_what_cannot_have_it_is_refused(clients, configuration, message):
    parameters = {
        "FunctionName": "snapstart-refused",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": zipped({"app.py": CODE})},
        "SnapStart": SNAPSTART,
        **configuration,
    }
    assert refused(clients("lambda").create_function, **parameters) == ("InvalidParameterValueException", message)


def test_a_machine_that_cannot_take_snapshots_refuses_it(monkeypatch):
    for name in ("_validate_snapstart", "_snapstart_provision_version_async", "_invoke"):
        monkeypatch.setattr(lambda_svc, name, getattr(lambda_svc, name))
    monkeypatch.setattr(confinement, "snapshots_possible", lambda: False)
    snapstart.install(pool=None)
    asked = {"runtime": "python3.13", "package_type": "Zip", "ephemeral_size": 512}
    assert lambda_svc._validate_snapstart({"ApplyOn": "None"}, **asked) is None
    status, _, body = lambda_svc._validate_snapstart(SNAPSTART, **asked)
    assert (status, "SnapStart is not in the embedded AWS on this machine" in body.decode()) == (400, True)


def test_the_snapshot_of_a_version_that_was_deleted_before_it_was_taken_ends():
    retired = []
    pool = SimpleNamespace(
        take_snapshot=lambda function: None, retire=lambda *version: retired.append(version), closed=False
    )
    arn = "arn:aws:lambda:us-east-1:000000000000:function:deleted"
    config = {"FunctionName": "deleted", "FunctionArn": f"{arn}:1", "Version": "1", "Runtime": "python3.13"}
    version = {"config": config, "code_zip": zipped({"app.py": CODE})}
    snapstart.take(pool, version)
    assert (version["config"]["State"], retired) == ("Active", [(arn, "1")])


def test_a_snapshot_that_a_stop_interrupts_is_taken_when_the_server_is_there_again(tmp_path, free_port):
    slow = "import time\ntime.sleep(4)\ndef handler(event, context):\n    return 'well'\n"
    made = {"Runtime": RUNTIME, "Role": ROLE, "Handler": "app.handler", "SnapStart": SNAPSTART}
    function = TestedFunction("interrupted", clients_for(start_server(tmp_path, free_port())))
    client = function._lambda
    client.create_function(FunctionName=function.name, Code={"ZipFile": zipped({"app.py": slow})}, **made)
    function.wait()
    client.publish_version(FunctionName=function.name)
    eventually(function.processes)
    localaws.stop(tmp_path)
    try:
        function = TestedFunction("interrupted", clients_for(start_server(tmp_path, free_port())))
        its = {"FunctionName": function.name, "Qualifier": "1"}
        eventually(lambda: function._lambda.get_function_configuration(**its)["State"] != "Pending")
        assert function.invoke(Qualifier="1").payload == "well"
    finally:
        localaws.stop(tmp_path)
    eventually(lambda: not processes_of(tmp_path))
