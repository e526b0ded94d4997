"""A /tmp of its own for each environment, of the size that is asked for, and code that cannot be written to."""

import contextlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from localaws_client import eventually, zipped

from helpers.localaws.data_plane import own_tmp
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
def namespace():
    return os.readlink('/proc/self/ns/mnt')
def end():
    os._exit(1)
"""


@pytest.fixture(autouse=True)
def only_where_possible():
    if not own_tmp.possible():
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


def held_by(process: psutil.Process) -> set[str]:
    """What the process has open; other environments may come and go meanwhile."""
    held = set()
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            held.add(os.readlink(descriptor))
    return held


def test_nothing_is_left_of_it(make_function, clients, embedded_aws):
    (keeper,) = psutil.Process(embedded_aws.pid).children()[:1]
    mounts = Path(f"/proc/{embedded_aws.pid}/mounts").read_text(), Path("/proc/self/mounts").read_text()
    function = make_function(FILES)
    function.invoke(["write", "large", 100])
    namespace = function.invoke(["namespace"]).payload
    assert namespace in held_by(keeper)
    clients("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: namespace not in held_by(keeper))
    assert mounts == (Path(f"/proc/{embedded_aws.pid}/mounts").read_text(), Path("/proc/self/mounts").read_text())


# With a keeper of the test's own, in a process of its own: a process with a keeper becomes the parent of all orphans.
OWN_KEEPER = """
import os, pathlib, sys
from helpers.localaws.data_plane.sandbox import Keeper, View
from helpers.localaws.data_plane.own_tmp import possible
keeper = Keeper()
def run(view, *argv):
    sandbox = keeper.start(list(argv), {}, pathlib.Path('/'), view)
    code = int(os.read(sandbox.status, 16))
    sandbox.kill()
    return code
"""


def with_keeper(code, *arguments, command=()):
    program = [sys.executable, "-c", OWN_KEEPER + code + "keeper.close()\n", *map(str, arguments)]
    done = subprocess.run([*command, *program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_where_it_is_not_possible_the_machines_own_is_used(needs):
    """In a namespace of users that may make no namespaces of mounts: what a container may be like."""
    forbidden = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"'
    command = [needs("unshare"), "--user", "--map-root-user", "sh", "-c", forbidden, "sh"]
    code = "print(possible(), run(View('any', 1, [], []), '/bin/ls', sys.argv[1]))\n"
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        assert with_keeper(code, file.name, command=command) == ["False", "0"]


def test_what_is_needed_stays_to_be_seen_below_it():
    code = (
        "kept, other = sys.argv[1:]\n"
        "view = View('any', 1, [], [kept, '/usr', '/tmp', '/tmp/nowhere'])\n"
        "print(run(view, '/bin/ls', kept + '/file'), run(view, '/bin/ls', other + '/file') > 0)\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as kept, tempfile.TemporaryDirectory(dir="/tmp") as other:
        for folder in (kept, other):
            (Path(folder) / "file").touch()
        assert with_keeper(code, kept, other) == ["0", "True"]


def test_a_view_that_cannot_be_made_is_an_error_and_the_keeper_goes_on(tmp_path):
    code = (
        "try:\n    run(View('any', 1, [sys.argv[1]], []), '/bin/true')\nexcept OSError as error:\n    print(error)\n"
        "print(run(None, '/bin/ls', sys.argv[2]))\n"
    )
    *sentence, code = with_keeper(code, tmp_path / "nowhere", tmp_path)
    assert "nowhere" in " ".join(sentence) and code == "0"


def test_macos_has_none(monkeypatch):
    monkeypatch.setattr(own_tmp.sys, "platform", "darwin")
    assert not own_tmp.possible()
