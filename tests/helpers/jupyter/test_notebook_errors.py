"""What a notebook shows where an exercise is not solved, or a cell above has not run, in a kernel of `lab`."""

import os
import tempfile
from types import SimpleNamespace

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from helpers import lessons, settings
from helpers.jupyter.notebook_errors import exercises_of

EXERCISES = [each for lesson in lessons.lessons() for each in exercises_of(lesson)]
CHECK = "from helpers.exercises.exercise import NotSolved\nraise NotSolved('Not yet.')"


@pytest.fixture(scope="module")
def run():
    """Run code as a cell of notebook 14; give the kernel's answer, and the traceback that it shows."""
    kernels = KernelSpecManager(
        kernel_dirs=[str(settings.ROOT / "helpers/jupyter/kernels")], ensure_native_kernel=False
    )
    own = {"PYTHONPATH": str(settings.ROOT), "JPY_SESSION_NAME": "notebooks/14-event-driven-pdf.ipynb"}
    with tempfile.TemporaryDirectory(prefix="ipython-") as folder:
        # not a TCP port, which another test may take before the kernel does
        manager = KernelManager(
            kernel_name="python3", kernel_spec_manager=kernels, transport="ipc", ip=f"{folder}/socket"
        )
        manager.start_kernel(env=os.environ | own | {"IPYTHONDIR": folder})
        yield from _running(manager)


def _running(manager: KernelManager):
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code: str) -> SimpleNamespace:
        shown: list[str] = []

        def look(message):
            shown.extend(message["content"].get("traceback", []))

        reply = client.execute_interactive(code, output_hook=look, timeout=60)
        return SimpleNamespace(status=reply["content"]["status"], shown=shown)

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def raising(task: str) -> str:
    return f"raise NotImplementedError({task!r})"


def test_every_exercise_is_found_by_its_task():
    assert sorted(each.number for each in EXERCISES) == sorted(lessons.exercises())
    assert len({each.task for each in EXERCISES}) == len(EXERCISES)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_run_all_goes_on_past_an_unsolved_exercise_with_one_sentence(exercise, run):
    result = run(raising(exercise.task))
    assert result.status == "ok"
    assert result.shown == [f'Exercise {exercise.number} is yours. {exercise.task} (hint("{exercise.number}") helps.)']


def test_a_function_that_is_not_written_says_so_where_it_is_called(run):
    task = next(each.task for each in EXERCISES if each.number == "14.2")
    result = run(f"def where_is(page):\n    {raising(task)}\n\n\nwhere_is(1)")
    assert result.status == "ok"
    assert result.shown[0].startswith("Exercise 14.2 is yours.")


def test_a_wait_that_a_cell_ends_shows_its_sentence_and_stops_run_all(run):
    wait = "def watch(limit):\n    raise TimeoutError(f'Not within {limit} s; the log may say why.')"
    assert vars(run(f"{wait}\n\n\nwatch(9)")) == {"status": "error", "shown": ["Not within 9 s; the log may say why."]}


def test_any_other_time_limit_shows_a_traceback(run):
    result = run("import concurrent.futures\nconcurrent.futures.Future().result(timeout=0)")
    assert result.status == "error" and "Traceback" in "".join(result.shown)


def test_run_all_goes_on_past_a_check_that_says_no(run):
    assert vars(run(CHECK)) == {"status": "ok", "shown": ["Not yet."]}


def test_a_cell_that_needs_an_exercise_says_which(run):
    exercise = next(each for each in EXERCISES if each.number == "13.2")
    run(raising(exercise.task))
    result = run("careful_source")
    assert result.status == "ok"
    assert result.shown == ['This needs exercise 13.2: solve it, or run solution("13.2", use=True).']


def test_after_a_restart_a_name_of_a_cell_above_is_one_sentence_and_run_all_stops(run):
    result = run("sqs.list_queues()")
    assert result.status == "error"
    assert result.shown == [
        "There is no sqs yet: the cell above that makes it has not run since this kernel started. "
        "Choose Run → Run All Above Selected Cell."
    ]


@pytest.mark.parametrize("name", ["14-event-driven-pdf-Copy1", "14-event-driven-pdf.bak", "14-event-driven-pdf.bak2"])
def test_a_copy_of_a_notebook_says_so_too(run, name):
    own = "import os; mine, os.environ['JPY_SESSION_NAME'] = os.environ['JPY_SESSION_NAME'], "
    run(f"{own}'work/notebooks/{name}.ipynb'")
    try:
        assert run("sqs.list_queues()").shown[0].startswith("There is no sqs yet: ")
    finally:
        run("os.environ['JPY_SESSION_NAME'] = mine")


@pytest.mark.parametrize(
    ("code", "name"),
    [("nosuchname", "NameError"), (raising("of other code"), "NotImplementedError"), ("1 / 0", "Zero")],
)
def test_any_other_error_is_an_error_with_its_traceback(code, name, run):
    result = run(code)
    assert result.status == "error"
    assert len(result.shown) > 1
    assert name in "".join(result.shown)


def test_a_good_cell_after_all_that_is_a_good_cell(run):
    assert vars(run("1 + 1")) == {"status": "ok", "shown": []}
