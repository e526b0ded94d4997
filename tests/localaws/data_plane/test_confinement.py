"""What a function can see, change, signal and use up of this machine: its own /tmp and processes, and no more."""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest
from localaws_client import eventually, zipped

from helpers import localaws
from helpers.facts import fact
from helpers.localaws.data_plane import confinement
from helpers.settings import ROOT

FILES = """
import os, time
def handler(event, context):
    what, *arguments = event
    return globals()[what](*arguments)
def write(name, megabytes=0):
    with open('/tmp/' + name, 'wb') as file:
        if megabytes:
            os.posix_fallocate(file.fileno(), 0, megabytes * 2**20)
def seen():
    return sorted(os.listdir('/tmp'))
def write_and_wait(name):
    write(name)
    time.sleep(1)
    return seen()
def change_code():
    open(os.path.join(os.environ['LAMBDA_TASK_ROOT'], 'app.py'), 'w')
def change_layer():
    import of_layer
    open(of_layer.__file__, 'w')
def end():
    os._exit(1)
"""


# What would end, or could read, all that runs here. It first makes sure that it is alone in a namespace.
DANGER = """
import ctypes, os, resource
def handler(event, context):
    name, outside, *arguments = event
    if os.readlink('/proc/self/ns/pid') == outside or b'keeper.py' not in open('/proc/1/cmdline', 'rb').read():
        raise AssertionError('this is not a namespace of its own, so nothing was tried')
    return globals()[name](*arguments)
def kill_parent():
    try:
        os.kill(os.getppid(), 9)
    except PermissionError:  # as on AWS, where the parent is another user's
        pass
def kill_all():
    child = os.fork()
    if child == 0:
        while True: pass
    os.kill(-1, 9)
    return os.waitpid(child, 0)[1]
def trace(pid):
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    seize = 0x4206
    return [ptrace(seize, pid, None, None), ctypes.get_errno()]
def seen():
    return sorted(int(name) for name in os.listdir('/proc') if name.isdigit())
def fork_without_end():
    while True:
        try:
            os.fork()
        except OSError:
            pass
def start_threads(number):
    import threading
    end = threading.Event()
    for _ in range(number):
        threading.Thread(target=end.wait, daemon=True).start()
    return number
def fill(megabytes):
    file = os.memfd_create('any')
    for _ in range(megabytes):
        os.write(file, bytes(2**20))
    return os.fstat(file).st_size
def exist(paths):
    return [path for path in paths if os.path.lexists(path)]
def sizes(paths):
    return [len(open(path, 'rb').read()) for path in paths]
def listed(folders):
    return [os.listdir(folder) for folder in folders if os.path.isdir(folder)]
def refusal(path, mode):
    try:
        with open(path, mode):
            return 'opened'
    except OSError as error:
        return error.strerror
def refusals(paths, mode):
    return [refusal(path, mode) for path in paths]
def rights():
    lines = dict(line.split(':', 1) for line in open('/proc/self/status'))
    return [lines[name].strip() for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb', 'NoNewPrivs')]
def files():
    return resource.getrlimit(resource.RLIMIT_NOFILE)
def remount():
    libc = ctypes.CDLL(None)
    new_user, new_mounts, read_only, remount, bind = 0x10000000, 0x20000, 1, 32, 4096
    libc.unshare(new_user | new_mounts)
    flags = [ctypes.c_ulong(remount | bind), ctypes.c_ulong(remount)]
    return [libc.mount(None, b'/', None, each, None) for each in flags] + [libc.umount2(b'/dev', 2)]
"""
OUTSIDE = os.readlink("/proc/self/ns/pid") if psutil.LINUX else ""
COUNT = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"


@pytest.fixture(autouse=True)
def only_where_possible():
    if not confinement.possible():
        unshare = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "true"]
        if shutil.which("unshare") and subprocess.run(unshare, capture_output=True).returncode == 0:
            pytest.fail("this machine lets us make namespaces, and possible() says that it does not")
        pytest.skip("this machine lets us make no namespaces")


def test_it_is_kept_with_its_environment(make_function):
    function = make_function(FILES)
    function.invoke(["write", "mine"])
    assert "mine" in function.invoke(["seen"]).payload
    assert function.invoke(["end"]).payload["errorType"] == "Runtime.ExitError"
    assert "mine" in function.invoke(["seen"]).payload  # the process is new, its environment is not
    function.update(Description="new")
    assert "mine" not in function.invoke(["seen"]).payload


def test_no_environment_sees_that_of_another(make_function):
    function = make_function(FILES)
    with ThreadPoolExecutor(4) as threads:
        names = {f"of-{number}" for number in range(4)}
        seen = list(threads.map(lambda name: function.invoke(["write_and_wait", name]).payload, names))
    assert sorted(len(names & set(each)) for each in seen) == [1] * 4


def test_machine_and_environment_do_not_see_each_others(make_function):
    function = make_function(FILES)
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        function.invoke(["write", function.name])
        seen = function.invoke(["seen"]).payload
        assert function.name in seen and Path(file.name).name not in seen
        assert not Path("/tmp", function.name).exists()


@pytest.mark.parametrize(("size_mb", "configuration"), [(512, {}), (700, {"EphemeralStorage": {"Size": 700}})])
def test_its_size(make_function, size_mb, configuration):
    function = make_function(FILES, MemorySize=1769, Timeout=30, **configuration)
    assert function.invoke(["write", "most", size_mb - 1]).error is None
    full = function.invoke(["write", "rest", 2]).payload
    assert (full["errorType"], full["errorMessage"]) == ("OSError", "[Errno 28] No space left on device")


def test_a_new_size_is_a_new_environment(make_function):
    function = make_function(FILES, MemorySize=1769, Timeout=30)
    function.invoke(["write", "mine"])
    function.update(EphemeralStorage={"Size": 600})
    assert "mine" not in function.invoke(["seen"]).payload
    assert function.invoke(["write", "more", 550]).error is None


def test_it_is_not_counted_as_memory(make_function):
    function = make_function(FILES, MemorySize=128, Timeout=30)
    assert function.invoke(["write", "large", 300]).error is None
    assert int(function.reports()[0]["used"]) < 64


def test_code_and_layers_cannot_be_written_to(make_function, clients):
    layer = clients("lambda").publish_layer_version(
        LayerName="any", Content={"ZipFile": zipped({"python/of_layer.py": ""})}
    )
    function = make_function(FILES, Layers=[layer["LayerVersionArn"]])
    for event in (["change_code"], ["change_layer"]):
        assert function.invoke(event).payload["errorMessage"].startswith("[Errno 30] Read-only file system")


@pytest.mark.parametrize("runtime", ["nodejs24.x", "ruby3.4"])
def test_other_languages_have_it_too(make_function, needs, runtime):
    if runtime == "ruby3.4":
        needs("ruby")
    code = {
        "nodejs24.x": "import fs from 'node:fs';\nexport const handler = async () => {\n"
        "  fs.writeFileSync('/tmp/mine', '');\n  return fs.existsSync(process.env.HOST_FILE);\n};\n",
        "ruby3.4": "def handler(event:, context:)\n  File.write('/tmp/mine', '')\n"
        "  File.exist?(ENV['HOST_FILE'])\nend\n",
    }[runtime]
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        function = make_function(code, runtime=runtime, Environment={"Variables": {"HOST_FILE": file.name}})
        assert function.invoke().payload is False


@pytest.fixture
def danger(make_function):
    """Call what is dangerous in a function of its own; another one, which is warm, must not notice."""
    other = make_function(COUNT)
    calls = iter(range(1, 100))

    def call(name, *arguments, **configuration):
        function = make_function(DANGER, **{"MemorySize": 1769, "Timeout": 60} | configuration)
        assert other.invoke().payload == next(calls)
        result = function.invoke([name, OUTSIDE, *arguments])
        assert other.invoke().payload == next(calls)
        assert function.invoke(["exist", OUTSIDE, []]).payload == []
        return result

    return call


def test_a_function_that_kills_its_parent_ends_nothing(danger):
    result = danger("kill_parent")
    assert (result.error, result.payload) == (None, None)


def test_a_function_that_kills_all_processes_ends_its_own(danger):
    assert danger("kill_all").payload == 9


def test_a_function_sees_its_own_processes_alone(danger):
    assert danger("seen").payload == [1, 2]


def test_a_function_cannot_trace_its_guard(danger):
    assert danger("trace", 1).payload == [-1, errno.EPERM]
    assert danger("refusals", ["/proc/1/mem", "/proc/1/environ"], "rb").payload == ["Permission denied"] * 2


def test_a_function_that_forks_without_end_is_ended(danger):
    result = danger("fork_without_end", Timeout=20)
    # A busy machine may come to the time limit first, or to that of memory.
    assert result.payload["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout", "Runtime.OutOfMemory")


def test_a_function_has_as_many_threads_as_on_aws(danger):
    assert danger("start_threads", 1000).error is None
    result = danger("start_threads", 1100)
    assert (result.payload["errorType"], result.payload["errorMessage"]) == ("RuntimeError", "can't start new thread")


def test_memory_in_a_file_without_a_name_is_counted(danger):
    assert danger("fill", 60, MemorySize=128).payload == 60 * 2**20
    assert danger("fill", 300, MemorySize=128).payload["errorType"] == "Runtime.OutOfMemory"


def test_a_function_does_not_see_another_ones_code(danger, make_function, embedded_home):
    other = make_function("def handler(event, context):\n    return __file__\n")
    assert other.invoke().payload == "/var/task/app.py"
    tasks = [str(path) for path in embedded_home.glob("localaws/environments/*/task")]
    assert tasks and danger("exist", [*tasks, *map(os.path.dirname, tasks)]).payload == []


def test_a_function_does_not_see_the_files_of_whoever_runs_it(danger, embedded_home):
    home = [str(path) for path in Path.home().iterdir() if path.is_file()]
    paths = [str(embedded_home / localaws.STATE_FILE), str(ROOT / "pyproject.toml"), str(ROOT / ".git"), *home]
    assert all(map(os.path.lexists, paths))
    assert danger("exist", [*paths, "/dev/shm"]).payload == []


@pytest.mark.skipif(os.geteuid() != 0, reason="what only root may read is hidden by the system")
def test_a_function_of_roots_does_not_read_what_only_root_may(danger):
    secrets = ["/etc/shadow", "/etc/gshadow"]
    assert all(Path(path).read_bytes() for path in secrets)
    size = len(f"sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n{Path('/etc/passwd').read_text()}")
    assert danger("sizes", [*secrets, "/etc/passwd"]).payload == [0, 0, size]
    assert danger("listed", ["/var/log", "/var/spool"]).payload == [[], []]


def test_a_function_can_change_nothing(danger):
    """What all functions share, what belongs to root, who may run the tests, and what is the kernel's."""
    shared = localaws.__file__.replace("__init__.py", "data_plane/bootstrap/python.py")
    read_only = [
        shared,
        boto3.__file__,
        "/etc/any",
        "/usr/any",
        "/var/any",
        "/root/any",
        "/dev/any",
        "/proc/sys/vm/swappiness",
    ]
    *files, _ = read_only
    assert danger("refusals", files, "wb").payload == ["Read-only file system"] * len(files)
    # What is root's is refused as such to who appends to it, where root runs this.
    assert set(danger("refusals", read_only, "ab").payload) <= {"Read-only file system", "Permission denied"}


def test_a_function_has_no_rights_of_root_and_cannot_get_them_by_a_namespace(danger):
    assert danger("rights").payload == ["0" * 16] * 4 + ["1"]
    assert danger("remount").payload == [-1] * 3


def test_a_function_can_open_as_many_files_as_on_aws(danger):
    assert danger("files").payload == [fact("open_files")] * 2


def views_held_by(keeper: psutil.Process) -> int:
    """How many namespaces of mounts it has open; other environments may end meanwhile, and their numbers come again."""
    held = 0
    for descriptor in Path(f"/proc/{keeper.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            held += os.readlink(descriptor).startswith("mnt:")
    return held


def test_nothing_is_left_of_it(make_function, clients, embedded_aws):
    keeper = psutil.Process(embedded_aws.pid).children()[0]
    mounts = Path(f"/proc/{embedded_aws.pid}/mounts").read_text(), Path("/proc/self/mounts").read_text()
    make_function(FILES).invoke(["seen"])  # what many environments share is made once, and stays
    function = make_function(FILES)
    before = views_held_by(keeper)
    function.invoke(["write", "large", 100])
    clients("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: views_held_by(keeper) <= before)
    assert mounts == (Path(f"/proc/{embedded_aws.pid}/mounts").read_text(), Path("/proc/self/mounts").read_text())


# With a keeper of the test's own, in a process of its own: a process with a keeper becomes the parent of all orphans.
OWN_KEEPER = """
import os, pathlib, sys, tempfile
from helpers.localaws.data_plane.sandbox import Keeper, View
from helpers.localaws.data_plane.confinement import OPT, TASK, possible
keeper = Keeper()
folder = tempfile.TemporaryDirectory()
def view(tmp_mb=1, shown=(), name='any', files=1024):
    return View(name, tmp_mb, [], list(shown), {}, {TASK: folder.name, OPT: folder.name}, files, 1024)
def run(view, *argv, **variables):
    sandbox = keeper.start(list(argv), variables, pathlib.Path('/'), view)
    code = int(os.read(sandbox.status, 16) or -9)
    sandbox.kill()
    return code
"""


def with_keeper(code, *arguments, command=()):
    program = [sys.executable, "-c", OWN_KEEPER + code + "keeper.close()\n", *map(str, arguments)]
    done = subprocess.run([*command, *program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_keeper_holds_a_view_until_it_is_to_forget_it():
    code = (
        "def held():\n"
        "    folder = f'/proc/{keeper._process.pid}/fd'\n"
        "    return sum(os.readlink(f'{folder}/{each}').startswith('mnt:') for each in os.listdir(folder))\n"
        "def one():\n    run(view(), '/bin/true')\n    return held()\n"
        "def none():\n    keeper.forget('any')\n    return held()\n"
        "print(one() - none(), one() - none(), one() - one())\n"
    )
    assert with_keeper(code) == ["1", "1", "0"]


@pytest.fixture
def forbidden(needs):
    """A command that runs a program where no namespaces of mounts can be made: what a container may be like."""
    forbid = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"'
    return [needs("unshare"), "--user", "--map-root-user", "sh", "-c", forbid, "sh"]


def test_where_it_is_not_possible_the_machines_own_is_used(forbidden):
    code = "print(possible(), run(view(), '/bin/ls', sys.argv[1]))\n"
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        assert with_keeper(code, file.name, command=forbidden) == ["False", "0"]


def test_where_it_is_not_possible_a_function_signals_itself_alone_all_the_same(forbidden):
    """By Landlock. What could be hit if that failed is in a namespace of processes that the test makes around it."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 12):
        pytest.skip("Linux before 6.12 cannot keep signals to a process's own")
    around = [forbidden[0], "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
    script = '[ "$(readlink /proc/self/ns/pid)" != "$0" ] || exit 99; kill -9 -1; kill -9 $PPID; exit 3'
    code = "print(run(view(), '/bin/sh', '-c', *sys.argv[1:]), run(view(), '/bin/true'))\n"
    assert with_keeper(code, script, OUTSIDE, command=around + forbidden[3:]) == ["3", "0"]


def test_where_it_is_not_possible_a_function_that_kills_its_parent_does_not_end_the_keeper(forbidden):
    code = "print(run(view(), '/bin/sh', '-c', 'kill -9 $PPID || exit 3; sleep 600'), run(view(), '/bin/true'))\n"
    ended, next_one = with_keeper(code, command=forbidden)
    assert ended in ("3", "-9")  # refused; or its guard has ended, and with it this function
    assert next_one == "0"


def test_it_needs_no_root(needs):
    command = [needs("unshare"), "--user", "--map-user=1000", "--map-group=1000"]
    code = "print(os.getuid(), run(view(), '/bin/sh', '-c', sys.argv[1]))\n"
    script = "test $$ = 2 && test -w /tmp && ! test -w /etc && ! test -e /proc/3"
    assert with_keeper(code, script, command=command) == ["1000", "0"]


def test_what_is_needed_stays_to_be_seen_below_it():
    code = (
        "kept, other = sys.argv[1:]\n"
        "seen = view(1, [kept, '/usr', '/tmp', '/tmp/nowhere'])\n"
        "print(run(seen, '/bin/ls', kept + '/file'), run(seen, '/bin/ls', other + '/file') > 0)\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as kept, tempfile.TemporaryDirectory(dir="/tmp") as other:
        for folder in (kept, other):
            (Path(folder) / "file").touch()
        assert with_keeper(code, kept, other) == ["0", "True"]


def test_what_the_keeper_has_open_for_others_counts_for_no_function():
    code = (
        "few = [view(name=str(number), files=20) for number in range(40)]\n"
        "telemetry = {'_LAMBDA_TELEMETRY_LOG_FD': '10'}\n"
        "print(*[run(each, '/bin/true', **telemetry) for each in few])\n"
    )
    assert with_keeper(code) == ["0"] * 40


def test_a_machine_need_not_have_the_folders_of_aws():
    """Without such a folder at its top, a namespace has a root of its own; the machine's stays as it is."""
    program = (
        "from helpers.localaws.data_plane import confinement; confinement.OPT = '/opt-of-nobody'\n"
        "confinement.enter(); import os, tempfile; folder = tempfile.mkdtemp()\n"
        "open(folder + '/of_layer', 'w').close(); own = {confinement.TASK: folder, confinement.OPT: folder}\n"
        "with confinement.View(1, [], [], {}, own, {}):\n"
        "    folders = [os.listdir(each) for each in ('/opt-of-nobody', '/var/task', '/tmp')]\n"
        "    print(*folders, os.path.exists('/usr/bin'))\n"
        "print(os.path.exists('/opt-of-nobody'))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["['of_layer'] ['of_layer'] [] True", "False"], done.stderr


def test_a_view_that_cannot_be_made_is_an_error_and_the_keeper_goes_on(tmp_path):
    code = (
        "try:\n    run(view(-1), '/bin/true')\nexcept OSError as error:\n    print(error)\n"
        "print(run(None, '/bin/ls', sys.argv[1]))\n"
    )
    *sentence, code = with_keeper(code, tmp_path)
    assert " ".join(sentence).endswith("mount: Invalid argument") and code == "0"


def test_macos_has_none(monkeypatch):
    monkeypatch.setattr(confinement.sys, "platform", "darwin")
    assert not confinement.possible()
