"""The server process: it starts once, listens on 127.0.0.1 alone, and leaves no process, however it ends."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError
from broken_disk import full_disk
from localaws_client import (
    ROLE,
    TestedFunction,
    clients_for,
    eventually,
    processes_of,
    public_url,
    start_server,
    zipped,
)

from helpers import localaws, settings
from helpers.localaws import access_key, server_process
from helpers.localaws.data_plane import confinement
from helpers.localaws.slack_stand_in import SlackStandIn

# Starts a child, one in a session of its own, one that is stopped, and one whose parent is gone.
FAMILY = """
import os, signal, subprocess, sys, time

SLEEP = [sys.executable, '-S', '-c', 'import time; time.sleep(600)']
ORPHAN = '''
import subprocess as s, sys
s.Popen(sys.argv[1:], start_new_session=True, stdout=s.DEVNULL, stderr=s.DEVNULL)
'''

def handler(event, context):
    subprocess.Popen(SLEEP)
    subprocess.Popen(SLEEP, start_new_session=True)
    stopped = subprocess.Popen(SLEEP, start_new_session=True).pid
    os.kill(stopped, signal.SIGSTOP)
    subprocess.run([sys.executable, '-S', '-c', ORPHAN, *SLEEP])
    print('started')
    time.sleep(event)
"""
FAMILY_SIZE = 5


class Server:
    """An embedded AWS of a test's own."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.start()

    def start(self):
        self.endpoint = start_server(self.home, self.port)
        self.clients = clients_for(self.endpoint)
        self.process = psutil.Process(self.endpoint.pid)
        (self.keeper,) = self.process.children()

    def function(self, code, name="own", **configuration):
        self.clients("lambda").create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Role": ROLE,
                "Handler": "app.handler",
                "Timeout": 60,
                "MemorySize": 512,
                "Code": {"ZipFile": zipped({"app.py": code})},
                **configuration,
            }
        )
        function = TestedFunction(name, self.clients)
        function.wait()
        return function

    def family(self):
        """The process ids of a function, on this machine, that has answered and left four processes behind."""
        function = self.function(FAMILY)
        assert function.invoke(0).error is None
        return pids_of_family(function)


def pids_of_family(function):
    return eventually(lambda: len(found := function.processes()) == FAMILY_SIZE and [each.pid for each in found])


@pytest.fixture
def server(tmp_path, free_port):
    server = Server(tmp_path / "home", free_port())
    yield server
    localaws.stop(server.home)
    eventually(lambda: not processes_of(server.home))


def test_the_first_calls_of_all_may_come_together(server):
    function = server.function("def handler(event, context):\n    return event\n")
    with ThreadPoolExecutor(10) as threads:
        results = list(threads.map(function.invoke, range(10)))
    assert [(result.error, result.payload) for result in results] == [(None, number) for number in range(10)]


def test_it_listens_on_127_0_0_1_alone(server):
    function = server.function("def handler(event, context):\n    return 'seen'\n")
    url = public_url(server.clients("lambda"), "own")
    server.clients("s3").create_bucket(Bucket="bucket")
    server.clients("sqs").create_queue(QueueName="queue")
    server.clients("events").put_rule(Name="rule", ScheduleExpression="rate(1 minute)")
    server.clients("dynamodb").list_tables()
    server.clients("ec2").describe_instances()
    server.clients("cloudwatch").list_metrics()
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url).text == "seen"
    assert function.invoke().payload == "seen"
    processes = [server.process, *server.process.children(recursive=True)]
    assert len(processes) >= 3  # server, keeper, function
    bound = [
        connection
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    assert len(bound) >= 3  # the port, a function URL, a Runtime API
    assert {connection.laddr.ip for connection in bound} == {"127.0.0.1"}


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_stop_ends_every_process(server, busy):
    function = server.function(FAMILY)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 600 if busy else 0)
        eventually(lambda: "started\n" in function.messages())
        if not busy:
            running.result()
        pids_of_family(function)
        assert localaws.stop(server.home)
        running.exception()
    assert processes_of(server.home) == []
    assert not psutil.pid_exists(server.endpoint.pid)
    assert localaws.running(server.home) is None
    assert not (server.home / localaws.STATE_FILE).exists()
    assert localaws.stop(server.home) is False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_no_process_survives_a_signal_to_the_server(server, number):
    pids = server.family()
    assert {process.pid for process in processes_of(server.home)} >= {*pids, server.endpoint.pid, server.keeper.pid}
    server.process.send_signal(number)
    server.process.wait(20)
    eventually(lambda: not processes_of(server.home))
    assert localaws.running(server.home) is None


def test_no_process_survives_a_kill_of_the_keeper(server):
    pids = server.family()
    server.keeper.kill()
    eventually(lambda: not {process.pid for process in processes_of(server.home)} & set(pids))
    localaws.stop(server.home)
    eventually(lambda: not processes_of(server.home))


def test_the_end_of_the_keeper_is_told_in_the_log(server):
    server.function("def handler(event, context): pass\n").invoke()
    server.keeper.kill()
    server.process.wait(20)
    log = (server.home / localaws.LOG_FILE).read_text()
    assert "The keeper of function processes has ended (exit code -9), and the embedded AWS ends with it.\n" in log


def test_a_keeper_that_hangs_does_not_hold_up_a_stop(server):
    pids = server.family()
    server.keeper.suspend()
    assert localaws.stop(server.home)
    assert (server.home / localaws.LOG_FILE).read_text().count("Traceback") == 0
    eventually(lambda: not any(map(psutil.pid_exists, [*pids, server.keeper.pid])))


def test_a_keeper_that_hangs_ends_the_server_and_no_call_waits_for_ever(server):
    function = server.function("def handler(event, context): pass\n")
    server.keeper.suspend()
    with pytest.raises((ClientError, BotoCoreError)):
        function.invoke()
    server.process.wait(60)
    assert "gave no answer for 20 s" in (server.home / localaws.LOG_FILE).read_text()
    eventually(lambda: not processes_of(server.home))


def test_a_full_disk_is_said_before_the_server_starts(tmp_path, free_port):
    with full_disk(tmp_path / "none"), pytest.raises(localaws.LocalAwsError, match="^Cannot write to .*; make room on"):
        localaws.start(tmp_path, free_port())
    assert processes_of(tmp_path) == []
    assert sorted(os.listdir(tmp_path)) == ["localaws", "localaws.lock"]


def test_the_next_start_ends_what_a_kill_of_server_and_keeper_left(server):
    pids = server.family()
    server.process.suspend()  # so that neither can clean up after the other
    server.keeper.suspend()
    server.keeper.kill()
    server.process.kill()
    if confinement.possible():  # with the guard all are gone
        eventually(lambda: not any(map(psutil.pid_exists, pids)))
    else:
        assert any(map(psutil.pid_exists, pids))
    server.start()
    eventually(lambda: not any(map(psutil.pid_exists, pids)))


def test_a_server_that_another_process_started_is_stopped_at_its_first_signal(server):
    # Its starter, this process, lives on: a server that has ended must not stay as its zombie.
    program = "import sys, pathlib\nfrom helpers.localaws import server_process\nserver_process.STOP_LIMIT_S = 10**6\n"
    program += "print(server_process.stop(pathlib.Path(sys.argv[1])))\n"
    command = [sys.executable, "-c", program, str(server.home)]
    done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\n"
    assert not psutil.pid_exists(server.endpoint.pid)


def test_after_a_kill_the_next_start_finds_its_port_free_and_clears_up(server):
    server.function("def handler(event, context): pass\n").invoke()
    environments = server.home / "localaws" / "environments"
    assert len(os.listdir(environments)) == 1
    server.process.kill()
    eventually(lambda: not processes_of(server.home))
    killed = server.endpoint.pid
    server.start()
    assert server.endpoint.pid != killed
    assert not environments.exists() or os.listdir(environments) == []
    assert server.function("def handler(event, context):\n    return 1\n", "another").invoke().payload == 1


def test_starting_twice_is_harmless(server):
    server.clients("s3").create_bucket(Bucket="still-there")
    assert localaws.start(server.home, server.port) == server.endpoint == localaws.running(server.home)
    # It runs already, whatever the port.
    assert localaws.start(server.home, server.port + 1) == server.endpoint
    assert [bucket["Name"] for bucket in server.clients("s3").list_buckets()["Buckets"]] == ["still-there"]


def test_two_starts_at_the_same_time_give_one_server(tmp_path, free_port):
    port, barrier = free_port(), threading.Barrier(2)

    def start(_):
        barrier.wait()
        return localaws.start(tmp_path, port)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(start, range(2))
    try:
        assert first == second
    finally:
        assert localaws.stop(tmp_path)


def test_a_second_server_in_another_folder_is_independent(server, tmp_path, free_port):
    other = Server(tmp_path / "other", free_port())
    try:
        other.clients("s3").create_bucket(Bucket="other")
        assert server.clients("s3").list_buckets()["Buckets"] == []
        localaws.stop(server.home)
        assert localaws.running(other.home) == other.endpoint
    finally:
        localaws.stop(other.home)


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            localaws.LocalAwsError, match=f"^Port {port} on 127.0.0.1 is taken by another program; .*WORKSHOP_PORT="
        ):
            localaws.start(tmp_path, port)
    assert processes_of(tmp_path) == []


def test_a_file_in_the_place_of_the_folder(tmp_path, free_port):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(localaws.LocalAwsError, match="WORKSHOP_HOME"):
        localaws.start(tmp_path / "home", free_port())


def test_a_folder_that_may_not_be_written_to(tmp_path, free_port, monkeypatch):
    def refuse(path, **_):  # root, which tests may run as, is never refused
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    home = tmp_path / "home"
    with pytest.raises(localaws.LocalAwsError, match=f"^Cannot write to {home} .Permission denied.; .*WORKSHOP_HOME"):
        localaws.start(home, free_port())


def test_a_server_that_dies_at_its_start_says_why(tmp_path, free_port):
    (tmp_path / localaws.STATE_FILE).mkdir()  # so that it cannot write it
    with pytest.raises(
        localaws.LocalAwsError, match=r"^The embedded AWS did not start: .*localaws\.json \(Is a dir.*localaws\.log"
    ):
        localaws.start(tmp_path, free_port())
    eventually(lambda: not processes_of(tmp_path))


def test_a_start_that_is_interrupted_leaves_nothing(tmp_path, free_port, monkeypatch):
    def interrupt(process, home):
        raise KeyboardInterrupt

    monkeypatch.setattr(server_process, "_wait_until_ready", interrupt)
    with pytest.raises(KeyboardInterrupt):
        localaws.start(tmp_path, free_port())
    eventually(lambda: not processes_of(tmp_path))
    assert localaws.running(tmp_path) is None


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "\udcff",
        '{"port": "x"}',
        '{"pid": "x", "port": "y"}',
        '{"pid": -1, "port": 9}',
        '{"pid": 1, "port": 9, "region": "us-east-1"}',
        '{"pid": 1, "port": 99999}',
        '{"pid": 1, "port": [9]}',
        '{"pid": 1, "port": 9, "region": 3}',
        f'{{"pid": {2**70}, "port": 9}}',
    ],
)
def test_a_state_file_that_says_nothing_true(tmp_path, state):
    (tmp_path / localaws.STATE_FILE).write_text(state, errors="surrogateescape")
    assert localaws.running(tmp_path) is None
    assert localaws.alive(tmp_path) is None
    assert localaws.stop(tmp_path) is False


def empty(file):
    file.write_text("")


def cut(file):
    file.write_bytes(file.read_bytes()[:-20])


def no_json(file):
    file.write_text("hello")


def wrong_types(file):
    file.write_text(json.dumps(json.loads(file.read_text()) | {"access_key_id": 5}))


def of_another_process(file):
    file.write_text(json.dumps(json.loads(file.read_text()) | {"pid": os.getpid()}))


def put_aside(file):
    file.rename(file.with_suffix(".old"))


def closed(file):
    file.chmod(0)


DAMAGES = [empty, cut, no_json, wrong_types, of_another_process, put_aside, closed]


@pytest.fixture
def modes_count(monkeypatch):
    """A file of mode 0000 cannot be read, also by root."""
    read_text = Path.read_text

    def refuse(path, *arguments, **named):
        if path.exists() and path.stat().st_mode & 0o777 == 0:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_text(path, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", refuse)


@pytest.mark.usefixtures("modes_count")
def test_a_server_whose_state_file_is_damaged_is_found_and_writes_it_anew(server):
    state = server.home / localaws.STATE_FILE
    for damage in DAMAGES:
        damage(state)
        assert localaws.alive(server.home).pid == server.endpoint.pid, damage
        assert localaws.running(server.home) == server.endpoint, damage
        assert localaws.start(server.home, server.port) == server.endpoint, damage
        assert state.stat().st_mode & 0o777 == 0o600, damage
    closed(state)
    assert localaws.is_at(server.endpoint.url, server.home, server.port)
    closed(state)
    assert localaws.stop(server.home)
    eventually(lambda: not processes_of(server.home))


def test_a_state_file_that_cannot_be_written_anew_is_said_and_does_not_hold_up_a_stop(server, monkeypatch):
    state = server.home / localaws.STATE_FILE
    state.unlink()
    state.mkdir()
    monkeypatch.setattr(server_process, "TELL_LIMIT_S", 0.1)
    with pytest.raises(localaws.LocalAwsError, match=rf"runs \(process {server.endpoint.pid}\).* neither be read nor "):
        localaws.running(server.home)
    assert localaws.stop(server.home)
    assert not psutil.pid_exists(server.endpoint.pid)


def test_a_port_that_another_folder_has(server, tmp_path):
    said = rf"is taken by another folder's embedded AWS \(process {server.endpoint.pid}\); "
    with pytest.raises(localaws.LocalAwsError, match=said):
        localaws.start(tmp_path / "other", server.port)


def test_a_server_of_another_user_is_named(server, monkeypatch):
    def refuse(pid, number):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", refuse)
        with pytest.raises(localaws.LocalAwsError, match="was started by another user"):
            localaws.stop(server.home)


@pytest.mark.parametrize("file", ["access-key.json", "inbox.jsonl", "inbox-address.json", "localaws.users"])
@pytest.mark.parametrize("text", ["", "{", "[[", "\udcff", '{"port": []}', "[" * 100_000], ids=range(6))
def test_the_other_files_may_be_damaged(tmp_path, file, text, monkeypatch):
    (tmp_path / file).write_text(text, errors="surrogateescape")
    if file == "access-key.json":
        assert access_key.access_key_of(tmp_path).access_key_id.startswith("AKIA")
    elif file == "localaws.users":
        monkeypatch.setattr(server_process, "start", lambda *_, **__: server_process.Endpoint(1, 2))
        with localaws.needed(tmp_path, 1, "us-east-1", lambda text: None):
            pass
    else:
        stand_in = SlackStandIn(tmp_path)
        stand_in.listener.close()
        assert localaws.read_posts(tmp_path / localaws.MESSAGES_FILE) == []


def test_a_state_file_whose_port_another_program_has(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other, ThreadPoolExecutor(1) as thread:

        def answer():
            with other.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"no HTTP\n")

        answered = thread.submit(answer)
        texts = dict.fromkeys(("region", "inbox_url", "access_key_id", "secret_access_key", "life"), "x")
        state = {"pid": os.getpid(), "port": other.getsockname()[1], **texts}
        (tmp_path / localaws.STATE_FILE).write_text(json.dumps(state))
        assert localaws.running(tmp_path) is None
        assert localaws.stop(tmp_path) is False
        answered.result()


@pytest.mark.parametrize("limit", [20, 0], ids=["ended by SIGTERM", "ended by SIGKILL"])
def test_a_server_that_hangs_is_stopped_and_can_be_started_again(server, monkeypatch, limit):
    pids = server.family()
    server.process.suspend()
    monkeypatch.setattr(server_process, "running", lambda home: None)  # as it says after 5 seconds
    assert localaws.alive(server.home) == server.endpoint
    with pytest.raises(localaws.LocalAwsError, match=r"process \d+. does not answer; end it with .* stop"):
        localaws.start(server.home, server.port)
    monkeypatch.setattr(server_process, "STOP_LIMIT_S", limit)
    assert localaws.stop(server.home)
    monkeypatch.undo()
    assert not psutil.pid_exists(server.endpoint.pid)
    eventually(lambda: not {process.pid for process in processes_of(server.home)} & set(pids))
    server.start()
    assert server.function("def handler(event, context):\n    return 1\n", "another").invoke().payload == 1


def test_which_addresses_are_the_embedded_aws(server, tmp_path, free_port):
    port, other = server.port, free_port()
    for url in (f"http://127.0.0.1:{port}", f"http://localhost:{port}/"):
        assert localaws.is_at(url, server.home, other)
        assert not localaws.is_at(url, tmp_path / "elsewhere", port)  # another folder's is another emulator
    for url in (f"http://192.0.2.1:{port}", f"http://127.0.0.1:{other}", "http://127.0.0.1:x", "", "http://[", "x"):
        assert not localaws.is_at(url, server.home, other)
    localaws.stop(server.home)
    assert localaws.is_at(f"http://127.0.0.1:{port}", server.home, port)


def test_the_last_who_needs_it_stops_it_unless_it_was_started_for_nobody(tmp_path, free_port):
    said: list[str] = []
    home, port = tmp_path / "home", free_port()

    def needed():
        return localaws.needed(home, port, "us-east-1", said.append)

    with needed():
        with needed():
            endpoint = localaws.running(home)
        assert localaws.running(home) == endpoint
    assert localaws.running(home) is None
    assert said == ["Starting the embedded AWS.", "The embedded AWS is stopped."]

    endpoint = localaws.start(home, port)
    try:
        with needed():
            assert localaws.running(home) == endpoint
        assert localaws.running(home) == endpoint
    finally:
        localaws.stop(home)
    assert len(said) == 2


def test_a_state_file_of_another_server(server, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    state = json.loads((server.home / localaws.STATE_FILE).read_text())
    (other / localaws.STATE_FILE).write_text(json.dumps({**state, "pid": os.getpid()}))
    assert localaws.running(other) is None


def test_a_proxy_in_the_environment_does_not_matter(tmp_path, free_port, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = Server(tmp_path, free_port())
    try:
        function = server.function(
            "import os\ndef handler(event, context):\n    return [name for name in os.environ if 'proxy' in name]\n"
        )
        assert function.invoke().payload == []
    finally:
        assert localaws.stop(tmp_path)


def test_a_folder_with_a_space_and_letters_of_every_kind(tmp_path, free_port):
    server = Server(tmp_path / "my work 日本 'é'", free_port())
    try:
        function = server.function("def handler(event, context):\n    import boto3\n    return open(__file__).read()\n")
        assert "return open(__file__).read()" in function.invoke().payload
    finally:
        assert localaws.stop(server.home)


def test_the_readers_credentials_do_not_reach_the_server(tmp_path, free_port, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    server = Server(tmp_path, free_port())
    try:
        assert server.clients("sts").get_caller_identity()["Account"] == "000000000000"
        assert server.function("def handler(event, context):\n    return 1\n").invoke().payload == 1
    finally:
        assert localaws.stop(tmp_path)
