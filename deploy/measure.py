"""Measures what one learner takes of a machine, and writes it into README.md, with what follows for a class.

`.venv/bin/python deploy/measure.py` takes some minutes, on a machine that does nothing else.
"""

import contextlib
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402
import psutil  # noqa: E402
import workshop_hub  # noqa: E402
from jupyter_client import BlockingKernelClient  # noqa: E402

from helpers import localaws  # noqa: E402
from helpers.facts import fact  # noqa: E402
from helpers.files.marks import between  # noqa: E402

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- What a learner takes: `python deploy/measure.py` writes it. -->", "<!-- It ends. -->"
CLASSES = (10, 30, 60)
LOAD = os.getloadavg()[0]
TOGETHER = 3  # learners at once, for what one more takes: pages that all share count once
QUIET_S, PAUSE_S, LIMIT_S = 20, 0.5, 900
UNLIMITED = "notebook 02, without that limit"
NOTEBOOKS = {"notebook 04": "04-cold-start", "notebook 02, with its bursts": "02-scaling"}


@dataclass
class Taken:
    """What processes took while something ran: memory in MB, CPU in seconds of one core."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    memory: list[float] = field(default_factory=list)

    @property
    def most(self) -> float:
        return max(self.memory)

    @property
    def usual(self) -> float:
        return statistics.median(self.memory)


class Learner:
    """JupyterLab with the embedded AWS behind it, as `lab` starts it, and one kernel that is connected."""

    def __init__(self, folder: Path, concurrency: int = workshop_hub.CONCURRENCY) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
        self._runtime = folder / "runtime"
        ours = {"WORKSHOP_HOME": folder / "work", "WORKSHOP_PORT": localaws.free_port(), "WORKSHOP_LEARNER": "learner"}
        ours |= {"WORKSHOP_CONCURRENCY": concurrency}
        jupyter = {"JUPYTER_RUNTIME_DIR": self._runtime, "JUPYTER_CONFIG_DIR": folder / "c", "JUPYTER_DATA_DIR": folder}
        variables = kept | {name: str(value) for name, value in (ours | jupyter).items()}
        command = [sys.executable, "-m", "helpers", "lab", "--no-browser"]
        said = (folder / "said").open("w")
        self.process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=said, stderr=said)

    def connect(self) -> None:
        self.client = self._kernel()
        self.run("from helpers import connect; connect()")

    def run(self, code: str) -> None:
        self.client.execute_interactive(code, timeout=LIMIT_S, output_hook=lambda message: None)

    def run_notebook(self, stem: str) -> None:
        """All code of its solution."""
        notebook = nbformat.read(ROOT / "notebooks" / "solutions" / f"{stem}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                self.run(cell.source)

    def processes(self) -> list[psutil.Process]:
        """The server, the kernel, the embedded AWS and its functions: all begin below one process."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(LIMIT_S)

    def _kernel(self) -> BlockingKernelClient:
        """A kernel that the server starts, as a browser asks for one."""
        [file] = _eventually(lambda: list(self._runtime.glob("jpserver-*.json")))
        server = _eventually(lambda: _json(file))
        url = f"{server['url']}api/kernels?token={server['token']}"
        request = urllib.request.Request(url, data=b"{}", method="POST")
        kernel = _eventually(lambda: _answer(request))["id"]
        client = BlockingKernelClient(connection_file=str(self._runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels(hb=False)  # which would take a kernel that begins for one that has died
        client.wait_for_ready(LIMIT_S)
        return client


def _answer(request: urllib.request.Request) -> dict | None:
    with contextlib.suppress(OSError), localaws.open_url(request, 60) as answer:
        return json.load(answer)
    return None


def _json(file: Path) -> dict | None:
    with contextlib.suppress(ValueError):
        return json.loads(file.read_text())
    return None


def _eventually(condition):
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {LIMIT_S} s")
        time.sleep(PAUSE_S)
    return found


@contextlib.contextmanager
def watched(learners: list[Learner]) -> Iterator[Taken]:
    """What the learners' processes take while this lasts."""
    taken, ended = Taken(), threading.Event()

    def look() -> None:
        while not ended.is_set():
            taken.memory.append(_memory(learners))
            ended.wait(PAUSE_S)

    before, start = _cpu(learners), time.monotonic()
    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield taken
    finally:
        ended.set()
        looking.join()
        taken.seconds, taken.cpu_s = time.monotonic() - start, _cpu(learners) - before


def _memory(learners: list[Learner]) -> float:
    """In MB: the proportional set size, in which a page that several processes share counts once."""
    total = 0
    for process in (each for learner in learners for each in learner.processes()):
        with contextlib.suppress(OSError):
            rolled = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+) kB", rolled, re.MULTILINE)[1])
    return total / 1024


def _cpu(learners: list[Learner]) -> float:
    """In seconds, with the children that have ended, which count with their parents."""
    total = 0.0
    for process in (each for learner in learners for each in learner.processes()):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def measure() -> dict[str, Taken]:
    """Title -> what was taken: one learner idle and at work, several idle together, and one without a limit."""
    taken: dict[str, Taken] = {}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as ends:
        learners: list[Learner] = []

        def begin(**options: int) -> Learner:
            folder = Path(scratch) / str(len(learners))
            folder.mkdir()
            learners.append(Learner(folder, **options))
            ends.callback(learners[-1].end)
            learners[-1].connect()
            return learners[-1]

        first = begin()
        with watched(learners) as taken["idle"]:
            time.sleep(QUIET_S)
        for title, stem in NOTEBOOKS.items():
            with watched([first]) as taken[title]:
                first.run_notebook(stem)
        with watched(learners) as taken["afterwards"]:
            time.sleep(QUIET_S)
        while len(learners) < TOGETHER:
            begin()
        with watched(learners) as taken["together"]:
            time.sleep(QUIET_S)
        last = begin(concurrency=fact("concurrency"))
        with watched([last]) as taken[UNLIMITED]:
            last.run_notebook("02-scaling")
    return taken


def table(taken: dict[str, Taken]) -> str:
    """What was measured, and what follows for classes."""
    more = (taken["together"].usual - taken["afterwards"].usual) / (TOGETHER - 1)
    memory = psutil.virtual_memory().total / 2**30
    busy = "" if LOAD < 0.5 else ": it had other work, so what is below lasted longer than it would alone"
    lines = [
        "",
        f"Measured on {date.today()} by `deploy/measure.py`: {platform.machine()}, {_processor()}, {os.cpu_count()} "
        f"cores, {memory:.0f} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}. "
        f"The load of the machine was {LOAD:.1f} before it began{busy}. `WORKSHOP_CONCURRENCY` was "
        f"{workshop_hub.CONCURRENCY}, as on the hub, and at the last line {fact('concurrency'):,}, as on AWS.",
        "",
        "| one learner | memory, usual | memory, most | CPU | lasted |",
        "|---|---|---|---|---|",
    ]
    named = {"idle": "one kernel, nothing runs", **{title: f"runs all of {title}" for title in (*NOTEBOOKS, UNLIMITED)}}
    for title, text in named.items():
        each = taken[title]
        memories = f"{each.usual:,.0f} MB | {each.most:,.0f} MB"
        lines.append(f"| {text} | {memories} | {each.cpu_s:,.0f} s of one core | {each.seconds:,.0f} s |")
    lines += [
        "",
        f"{TOGETHER} learners together, of whom one had run both notebooks, took {taken['together'].usual:,.0f} MB: "
        f"each more takes {more:,.0f} MB, as pages that all share count once.",
        "",
        "| learners | memory, all idle | memory, all at their most | CPU, all run 04 | CPU, all run 02 |",
        "|---|---|---|---|---|",
    ]
    most = max(taken[title].most for title in NOTEBOOKS) - taken["idle"].usual
    cpu = [taken[title].cpu_s / 60 for title in NOTEBOOKS]
    for number in CLASSES:
        idle = taken["idle"].usual + (number - 1) * more
        minutes = " | ".join(f"{number * each:,.0f} min of one core" for each in cpu)
        lines.append(f"| {number} | {idle / 1024:,.1f} GB | {(idle + number * most) / 1024:,.1f} GB | {minutes} |")
    return "\n".join([*lines, "", ""])


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else "an unnamed processor"


if __name__ == "__main__":
    measured = table(measure())
    README.write_text(between(BEGIN, END).sub(lambda _: measured, README.read_text(), count=1))
    print(measured)
