"""A real kernel of `lab`: it follows the class from its start, and no cell hears of what goes wrong."""

import os
import tempfile

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from localaws_client import eventually

from helpers import settings

LIMIT_S = 60


@pytest.fixture
def kernel(tmp_path):
    """Start a kernel with a setting of WORKSHOP_CLASS; run code as a cell, and give what it prints."""
    kernels = KernelSpecManager(
        kernel_dirs=[str(settings.ROOT / "helpers/jupyter/kernels")], ensure_native_kernel=False
    )
    started = []

    def start(**variables: str):
        own = {"PYTHONPATH": str(settings.ROOT), "JPY_SESSION_NAME": "notebooks/04-cold-start.ipynb"}
        own |= {"WORKSHOP_HOME": str(tmp_path / "learner"), "WORKSHOP_LEARNER": "ada"}
        folder = tempfile.TemporaryDirectory(prefix="ipython-")
        manager = KernelManager(
            kernel_name="python3", kernel_spec_manager=kernels, transport="ipc", ip=f"{folder.name}/socket"
        )
        manager.start_kernel(env=os.environ | own | {"IPYTHONDIR": folder.name} | variables)
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=LIMIT_S)
        started.append((folder, manager, client))

        def run(code: str) -> str:
            shown: list[str] = []

            def look(message):
                shown.append(message["content"].get("text", "") or "\n".join(message["content"].get("traceback", [])))

            client.execute_interactive(code, output_hook=look, timeout=LIMIT_S)
            return "".join(shown)

        return run

    yield start
    for folder, manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        folder.cleanup()


def test_a_kernel_joins_by_its_setting_sends_and_hears(kernel, served):
    run = kernel(WORKSHOP_CLASS=str(served.place))
    assert f"WORKSHOP_CLASS lets you join the class at {served.place.address}." in run("1")
    eventually(lambda: [each.name for each in served.store.members()] == ["ada"], LIMIT_S)
    assert run("from helpers.session import record\nrecord.note('hint', exercise='04.2', number=1)") == ""
    eventually(lambda: [entry["number"] for _, _, entry in served.store.entries() if entry["kind"] == "hint"], LIMIT_S)
    served.store.say("Go on with <b>05</b>.")
    assert eventually(lambda: run("pass"), LIMIT_S) == "Your instructor says: Go on with <b>05</b>.\n"
    assert run("from helpers import hand; hand()") == "Your hand is up; hand(False) lowers it.\n"
    assert served.store.members()[0].hand is not None


def test_two_kernels_are_one_learner(kernel, served):
    first, second = (kernel(WORKSHOP_CLASS=str(served.place)) for _ in range(2))
    note = (
        "from helpers.session import record\nfor number in range(20): record.note('hint', exercise='04.2', number={})"
    )
    for run in (first, second):
        run(note.format("number"))
    eventually(lambda: len([1 for _, _, entry in served.store.entries() if entry["kind"] == "hint"]) == 40, LIMIT_S)
    assert len(served.store.members()) == 1
    served.store.say("hello")
    for run in (first, second):
        assert "Your instructor says: hello" in eventually(lambda run=run: run("pass"), LIMIT_S)


def test_without_a_class_nothing_is_there(kernel, tmp_path):
    run = kernel(WORKSHOP_CLASS="")
    assert (
        run("import threading; print([each.name for each in threading.enumerate() if each.name == 'class'])") == "[]\n"
    )
    assert not (tmp_path / "learner" / "class.json").exists()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("abc", "You are not in the class of WORKSHOP_CLASS: The word of a class has 4 to 40 letters and digits"),
        ("tiger@no such host", "You are not in the class of WORKSHOP_CLASS: The address 'no such host' of the class"),
        ("tiger@127.0.0.1:1", "WORKSHOP_CLASS lets you join the class at 127.0.0.1:1."),
    ],
)
def test_a_class_that_is_not_there_disturbs_no_cell(kernel, setting, told):
    run = kernel(WORKSHOP_CLASS=setting)
    assert run("first = 1").startswith(told)
    assert run("print(first)") == "1\n"


def test_who_has_left_is_not_let_in_again_by_the_setting(kernel, served):
    run = kernel(WORKSHOP_CLASS=str(served.place))
    eventually(lambda: served.store.members(), LIMIT_S)
    assert "You have left the class" in run("from helpers import join; join().leave()")
    again = kernel(WORKSHOP_CLASS=str(served.place))
    assert "class" not in again("1")
    assert not served.store.members()
