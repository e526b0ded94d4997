"""Measures a class on loopback: `python3 -m helpers.classroom.load` plays its learners, and writes what came of it.

A learner asks as a kernel does, over a new connection each time, and asks again where it was told to wait. The class is
served by a process of its own, whose CPU time and memory are read; the instructor's page is loaded all the while.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import requests

from .. import localaws, settings
from ..bench import machine
from ..files.marks import between
from ..files.whole_file import write_whole
from .instructor.store import FILE, ClassStore
from .learner.connection import Refused, Unreachable, ask
from .learner.kernel import PAUSE_S
from .place import HERE, Place

LEARNERS = 60
SECONDS = 60
ENTRIES = 3  # of each request: more than a learner makes in five seconds
PAGE_S = 2.0  # as the page's script asks
BEGIN = "<!-- The class's figures: `python3 -m helpers.classroom.load` writes them. -->"
END = "<!-- The class's figures end. -->"
PART = between(BEGIN, END)
SERVE = """
import json, sys, threading
from helpers.classroom.instructor import server
with server.serving("green tiger", port=int(sys.argv[1])) as served:
    print(json.dumps(served.page), flush=True)
    sys.stdin.read()
"""


@dataclass
class Crowd:
    """What learners have sent, and how long each answer took; several threads fill it."""

    sent: set[tuple[int, int]] = field(default_factory=set)  # the number of a learner, and an offset
    answered_s: list[float] = field(default_factory=list)
    told_to_wait: int = 0
    not_reached: int = 0

    def learn(self, place: Place, number: int, turns: int, pause_s: float) -> None:
        """Be one learner: join, and then send some entries at each turn, until each has arrived."""
        key = f"{number:k>32}"
        asked = {"word": place.word, "name": f"Learner {number}", "key": key}
        learner = self._ask(place, "POST", "/learners", asked)["learner"]
        time.sleep(pause_s * number / LEARNERS)  # they did not start at the same moment
        for turn in range(turns):
            began = time.monotonic()
            offsets = range(turn * ENTRIES, (turn + 1) * ENTRIES)
            entries = [[offset, _entry(offset)] for offset in offsets]
            body = {"now": time.time(), "entries": entries, "heard": 0}
            self._ask(place, "POST", f"/learners/{learner}/sync", body, key)
            self.sent.update((number, offset) for offset in offsets)
            time.sleep(max(0.0, pause_s - (time.monotonic() - began)))

    def _ask(self, place: Place, method: str, path: str, body: dict[str, Any], key: str = "") -> dict[str, Any]:
        while True:
            began = time.monotonic()
            try:
                answer = ask(place, method, path, body, key)
            except Refused as refused:
                if not refused.wait_s:
                    raise
                self.told_to_wait += 1
                time.sleep(refused.wait_s)
            except Unreachable:
                self.not_reached += 1
                time.sleep(0.1)
            else:
                self.answered_s.append(time.monotonic() - began)
                return answer


def play(place: Place, learners: int, turns: int, pause_s: float) -> Crowd:
    """Let so many learners send at so many turns, all at once."""
    crowd = Crowd()
    with ThreadPoolExecutor(learners) as pool:
        for done in [pool.submit(crowd.learn, place, number, turns, pause_s) for number in range(learners)]:
            done.result()
    return crowd


def arrived(store: ClassStore) -> list[tuple[str, float]]:
    """Each entry that a class has: the name of its learner, and its own time, which says which one it is."""
    names = {each.id: each.name for each in store.members()}
    return [(names[id], entry["at"]) for id, _, entry in store.entries()]


def expected(crowd: Crowd) -> list[tuple[str, float]]:
    """The same, by what was sent."""
    return [(f"Learner {number}", _entry(offset)["at"]) for number, offset in crowd.sent]


def _entry(offset: int) -> dict[str, Any]:
    """An entry as long as check() makes one when it says no."""
    sentence = "Not yet. " + "What a check says has some hundred letters. " * 3
    about = {"kind": "attempt", "at": 1000.0 + offset, "notebook": "04"}
    return about | {"exercise": "04.2", "solved": False, "sentence": sentence}


def measure() -> list[str]:
    """The class of sixty in sentences, for a page. Raises AssertionError where an entry is lost or there twice."""
    began = machine.load("When the measurement began")
    turns = int(SECONDS / PAUSE_S)
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        with _served(Path(folder)) as (process, page, place):
            pages: list[float] = []
            with _looking(page, pages):
                crowd = play(place, LEARNERS, turns, PAUSE_S)
            used = psutil.Process(process.pid)
            cpu_s, memory_mb = sum(used.cpu_times()[:2]), used.memory_info().rss / 2**20
            took_s = time.time() - used.create_time()
        store = ClassStore(Path(folder) / FILE)
        assert sorted(arrived(store)) == sorted(expected(crowd)), "an entry was lost, or is there twice"
        store.close()
    *_, p95 = quantiles(crowd.answered_s, n=20)
    asked_ms, pages_ms = ([1000 * each for each in times] for times in (crowd.answered_s, pages))
    return [
        f"{LEARNERS} learners sent {ENTRIES} entries every {PAUSE_S:g} s for {SECONDS} s, on loopback, with the page",
        f"open. All {len(crowd.sent):,} arrived, each once. A request took {median(asked_ms):.0f} ms in the median;",
        f"95 of 100 took {p95 * 1000:.0f} ms at most; the longest {max(asked_ms):.0f} ms. The page took",
        f"{median(pages_ms):.0f} ms, and {max(pages_ms):.0f} ms at most. Learners were told to wait",
        f"{crowd.told_to_wait} times. The class took {100 * cpu_s / took_s:.0f}% of one core, its start included, and",
        f"{memory_mb:.0f} MB of memory. It was measured with the learners on the same machine: {machine.described()}",
        began,
    ]


@contextlib.contextmanager
def _served(home: Path) -> Iterator[tuple[subprocess.Popen[str], str, Place]]:
    """A class in a process of its own."""
    port = localaws.free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        cwd=settings.ROOT,
        env=os.environ | {"WORKSHOP_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield process, json.loads(process.stdout.readline()), Place("green tiger", HERE, port)
    finally:
        process.stdin.close()
        process.wait(30)


@contextlib.contextmanager
def _looking(page: str, took_s: list[float]) -> Iterator[None]:
    """Load the page again and again, as its script does."""
    over = threading.Event()

    def look() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.get(page, timeout=30)
            while not over.wait(PAGE_S):
                began = time.monotonic()
                session.get(page.partition("/enter")[0], timeout=30).raise_for_status()
                took_s.append(time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def write(sentences: list[str]) -> None:
    """Put the figures into README.md."""
    file = settings.ROOT / "README.md"
    figures = "\n".join(["", *sentences, "", ""])
    write_whole(file, PART.sub(lambda _: figures, file.read_text(encoding="utf-8"), count=1))


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python3 -m helpers.classroom.load", description=__doc__).parse_args()
    write(measure())
