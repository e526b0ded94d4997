"""What is measured: each scenario gives figures. Where there are several subjects, they take turns, call by call.

So what else the machine does slows all of them alike, and only their ratios mean anything on another machine.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from .. import localaws, settings
from ..measuring.report_lines import parse_report
from ..measuring.reports import reports
from .bare_runtime_api import BareRuntimeApi
from .embedded_aws import EmbeddedAws
from .figures import Figure
from .plain_ministack import PlainMiniStack
from .serverless_offline import ServerlessOffline
from .subject import BenchError, Served, Subject

SUBJECTS: tuple[type[Subject], ...] = (EmbeddedAws, PlainMiniStack, ServerlessOffline, BareRuntimeApi)
WARM, COLD, NO_OP = "a warm call", "a cold call", "GetCallerIdentity, which does nothing"
COMPARED = "a warm call, compared with GetCallerIdentity"
CPU, CPU_COMPARED = "CPU time of a warm call", "CPU time of a warm call, compared with GetCallerIdentity"
LIMIT_S = 300  # for what is waited for

HELLO = "import time\ndef handler(event, context):\n    return time.process_time()\n"
BOTO3 = f"import boto3\n{HELLO}"
# What it returns is one for each execution environment.
SLEEP = "import time, uuid\nME = str(uuid.uuid4())\ndef handler(event, context):\n    time.sleep(1)\n    return ME\n"
COUNT = "def handler(event, context):\n    return len(event['Records'])\n"

START = "START RequestId: {id} Version: $LATEST\n"
END = "END RequestId: {id}\n"
REPORT = (
    "REPORT RequestId: {id}\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t\n"
)


@dataclass(frozen=True)
class Sizes:
    """How often, or how many."""

    warm: int = 300
    cold: int = 20
    at_once: tuple[int, ...] = (20, 100, 1_000)
    environments: int = 10
    reports: int = 10_000
    readings: int = 5
    messages: int = 1_000
    puts: int = 500
    starts: int = 5
    labs: int = 3


FULL = Sizes()
QUICK = Sizes(20, 3, (5,), 2, 300, 2, 50, 20, 1, 1)


@dataclass
class Bench:
    """The subjects that run, and what scenarios have to say beside their figures."""

    sizes: Sizes
    folder: Path
    running: dict[type[Subject], Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def embedded(self) -> EmbeddedAws:
        embedded: EmbeddedAws = self.running[EmbeddedAws]
        return embedded

    @property
    def served(self) -> list[Served]:
        return [each for each in self.running.values() if isinstance(each, Served)]

    def having(self, *services: str) -> list[Served]:
        return [each for each in self.served if each.services >= {*services}]


Scenario = Callable[[Bench], Iterator[Figure]]


def measure(names: Sequence[str], sizes: Sizes, say: Callable[[str], None]) -> tuple[list[Figure], list[str]]:
    """The figures of these scenarios, and sentences on what was left out or done less of."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="lambda-bench-") as folder:
        bench = Bench(sizes, Path(folder))
        there = list(_there(bench.remarks))
        with contextlib.ExitStack() as ends:
            for kind in there if set(names) - ON_THEIR_OWN else ():
                say(f"Starting {kind.name}.")
                bench.running[kind] = ends.enter_context(kind(bench.folder / kind.__name__, _functions(sizes)))
            for name in SCENARIOS:
                if name in ON_THEIR_OWN:
                    ends.close()  # nothing else is to run then
                if name in names:
                    say(f"Measuring {name}.")
                    figures += list(SCENARIOS[name](bench))
    return figures, bench.remarks


def _there(remarks: list[str]) -> Iterator[type[Subject]]:
    for kind in SUBJECTS:
        if missing := kind.missing():
            remarks.append(missing)
        else:
            yield kind


def _functions(sizes: Sizes) -> dict[str, str]:
    """Of all scenarios, as serverless-offline cannot get one later."""
    numbered = {f"{kind}-{number}": HELLO for kind in ("cold", "init") for number in range(sizes.cold)}
    many = {f"sleep-{number}": SLEEP for number in sizes.at_once}
    memory = {"memory": SLEEP, "memory-boto3": f"import boto3\n{SLEEP}"}
    return {"hello": HELLO, "count": COUNT, **numbered, **many, **memory}


def _in_turns(times: int, calls: Mapping[str, Callable[[int], object]]) -> dict[str, list[float]]:
    """Milliseconds that each call took, one after the other, so many rounds."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(times):
        for name, call in calls.items():
            began = time.perf_counter()
            call(number)
            took[name].append((time.perf_counter() - began) * 1000)
    return took


def _calls(subjects: Iterable[Subject], call: Callable[[Any, int], object]) -> dict[str, Callable[[int], object]]:
    """Of a call of a subject: that of each, by its name."""
    return {each.name: partial(call, each) for each in subjects}


def _ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(of, to, strict=True)]


def _warm(bench: Bench) -> Iterator[Figure]:
    subjects = bench.running.values()
    calls = _calls(subjects, lambda each, _: each.invoke("hello"))
    no_ops = _calls(bench.having("sts"), lambda each, _: each.client("sts").get_caller_identity())
    no_op = {f"{name} no-op": call for name, call in no_ops.items()}
    _in_turns(3, calls | no_op)  # so that all are warm, and all connections open
    took = _in_turns(bench.sizes.warm, calls | no_op)
    for each in subjects:
        yield Figure.of(WARM, each.name, "ms", took[each.name])
    for each in bench.having("sts"):
        yield Figure.of(NO_OP, each.name, "ms", took[f"{each.name} no-op"])
    for each in bench.having("sts"):
        ratios = _ratios(took[each.name], took[f"{each.name} no-op"])
        yield Figure.of(COMPARED, each.name, "×", ratios)
    yield from _warm_cpu(bench)


def _warm_cpu(bench: Bench) -> Iterator[Figure]:
    """Of all that computes for a call, its client and its function included; many calls in a row are one reading."""
    subject, number = bench.embedded, bench.sizes.warm
    calls = {CPU: partial(subject.invoke, "hello"), NO_OP: subject.client("sts").get_caller_identity}
    took: dict[str, list[float]] = {what: [] for what in calls}
    for _ in range(bench.sizes.readings):
        for what, call in calls.items():
            before = _computed(subject)
            for _ in range(number):
                call()
            took[what].append((_computed(subject) - before) * 1000 / number)
    yield Figure.of(CPU, subject.name, "ms", took[CPU])
    yield Figure.of(CPU_COMPARED, subject.name, "×", _ratios(took[CPU], took[NO_OP]))


def _computed(subject: Served) -> float:
    """Seconds of CPU so far: of this process, the subject's server, and what runs for it."""
    times = [each.cpu_times() for each in (psutil.Process(), psutil.Process(subject.pid), *subject.processes())]
    return float(sum(each.user + each.system for each in times))


def _cold(bench: Bench) -> Iterator[Figure]:
    calls = _calls(bench.running.values(), lambda each, number: each.invoke(f"cold-{number}"))
    for name, took in _in_turns(bench.sizes.cold, calls).items():
        yield Figure.of(COLD, name, "ms", took)


def _init(bench: Bench) -> Iterator[Figure]:
    """By the REPORT line, and by what the handler says its process has computed so far."""
    bare = bench.running.get(BareRuntimeApi)
    inits, cpu, bare_inits, bare_cpu = [], [], [], []
    for number in range(bench.sizes.cold):
        returned, log = bench.embedded.invoked(f"init-{number}", LogType="Tail")
        report = next(filter(None, map(parse_report, log.splitlines(keepends=True))))
        inits.append(report["init_ms"])
        cpu.append(returned * 1000)
        if bare:
            bare_inits.append(bare.begin(f"init-{number}") * 1000)
            bare_cpu.append(bare.invoke(f"init-{number}") * 1000)
    for what, ours, theirs in (("Init", inits, bare_inits), ("CPU time of a process until its handler", cpu, bare_cpu)):
        yield Figure.of(what, bench.embedded.name, "ms", ours)
        if bare:
            yield Figure.of(what, bare.name, "ms", theirs)
            yield Figure.of(f"{what}, compared with the bare", bench.embedded.name, "×", _ratios(ours, theirs))


def _at_once(bench: Bench) -> Iterator[Figure]:
    for number in bench.sizes.at_once:
        for subject in bench.served:
            called = number
            if subject is bench.embedded and number > subject.most_at_once:
                called = subject.most_at_once
                bench.remarks.append(
                    f"This machine carries {called:,} invocations at a time, so they were called instead of {number:,}."
                )
            elif number > subject.most_at_once:
                continue
            for state in ("cold", "warm"):
                answers = subject.at_once(f"sleep-{number}", called)
                what = f"{number:,} at once, {state}"
                yield Figure.of(f"{what}: all have answered", subject.name, "s", [answers.seconds])
                yield Figure.of(f"{what}: execution environments", subject.name, "", [float(len({*answers.returned}))])
                bench.remarks += [
                    f"Not answered by the {subject.name}: {count:,} of {what} ({reason})."
                    for reason, count in answers.refused.items()
                ]


def _memory(bench: Bench) -> Iterator[Figure]:
    if sys.platform != "linux":
        bench.remarks.append("The memory of an environment is left out: Linux alone tells what processes share.")
        return
    number, server = bench.sizes.environments, psutil.Process(bench.embedded.pid)
    open_before = server.num_fds()
    for function, what in (("memory", "memory of an idle environment"), ("memory-boto3", "the same, with boto3")):
        for subject in bench.served:
            before = subject.processes()
            answers = subject.at_once(function, number)
            own = [pss for pss in map(_pss_mb, subject.processes() - before) if pss is not None]
            yield Figure.of(what, subject.name, "MB", [sum(own) / len({*answers.returned})])
    opened = (server.num_fds() - open_before) / (2 * number)
    yield Figure.of("descriptors of the server for an idle environment", bench.embedded.name, "", [opened])


def _pss_mb(process: psutil.Process) -> float | None:
    """Proportional set size: what is shared counts for each in part. None where it has ended or may not be asked.

    https://docs.kernel.org/filesystems/proc.html
    """
    try:
        told = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return None
    return int(re.findall(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)[0]) / 1024


def _reports(bench: Bench) -> Iterator[Figure]:
    logs, number = bench.embedded.client("logs"), bench.sizes.reports
    group, streams = "/aws/lambda/reported", 10
    logs.create_log_group(logGroupName=group)
    now = int(time.time() * 1000) - 3_600_000
    for stream in range(streams):
        name = f"2026/11/02/[$LATEST]{stream:032x}"
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        events = []
        for each in range(stream, number, streams):
            request = f"{each:08x}-0000-4000-8000-000000000000"
            lines = (line.format(id=request) for line in (START, END, REPORT))
            events += [{"timestamp": now + each * 10 + at, "message": line} for at, line in enumerate(lines)]
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=events)
    took = []
    for _ in range(bench.sizes.readings):
        began = time.perf_counter()
        reports(logs, "reported", at_least=number)
        took.append(time.perf_counter() - began)
    yield Figure.of(f"{number:,} REPORT lines to a DataFrame", bench.embedded.name, "s", took)


def _sqs(bench: Bench) -> Iterator[Figure]:
    number = bench.sizes.messages
    for subject in bench.having("sqs"):
        sqs, client = subject.client("sqs"), subject.client("lambda")
        url = sqs.create_queue(QueueName="bench", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for first in range(0, number, 10):
            batch = [{"Id": str(each), "MessageBody": str(each)} for each in range(first, min(first + 10, number))]
            sqs.send_message_batch(QueueUrl=url, Entries=batch)
        began = time.perf_counter()
        mapping = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="count", BatchSize=10)["UUID"]
        _wait(partial(_is_empty, sqs, url), f"the messages of {subject.name}")
        yield Figure.of(f"{number:,} messages of SQS", subject.name, "s", [time.perf_counter() - began])
        client.delete_event_source_mapping(UUID=mapping)
        sqs.delete_queue(QueueUrl=url)


def _is_empty(sqs: Any, url: str) -> bool:
    """Whether a queue has no message any more, those included that a function has just got."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(int(number) == 0 for number in found.values())


def _s3(bench: Bench) -> Iterator[Figure]:
    subjects, body = bench.having("s3"), b"x" * 1024
    for each in subjects:
        each.client("s3").create_bucket(Bucket="bench")
    calls = _calls(
        subjects, lambda each, number: each.client("s3").put_object(Bucket="bench", Key=str(number), Body=body)
    )
    for name, took in _in_turns(bench.sizes.puts, calls).items():
        yield Figure.of("a put of 1 KB to S3", name, "ms", took)


def _start(bench: Bench) -> Iterator[Figure]:
    kinds = [kind for kind in _there([]) if issubclass(kind, Served)]
    took: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for number in range(bench.sizes.starts):
        for kind in kinds:
            began = time.perf_counter()
            with kind(bench.folder / f"start-{number}-{kind.__name__}", {}):
                took[kind.name].append(time.perf_counter() - began)
    for name, seconds in took.items():
        yield Figure.of("start of the server", name, "s", seconds)


def _lab(bench: Bench) -> Iterator[Figure]:
    """Of what a reader types: JupyterLab with the embedded AWS behind it, until its page answers."""
    took = []
    for number in range(bench.sizes.labs):
        began = time.perf_counter()
        with _lab_that_answers(bench.folder / f"lab-{number}"):
            took.append(time.perf_counter() - began)
    yield Figure.of("start of the lab", EmbeddedAws.name, "s", took)


@contextlib.contextmanager
def _lab_that_answers(home: Path) -> Iterator[None]:
    ours = {"WORKSHOP_HOME": str(home), "WORKSHOP_PORT": str(localaws.free_port()), "WORKSHOP_TARGET": "embedded"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    command = [sys.executable, "-m", "helpers", "lab", "--no-browser"]
    lab = subprocess.Popen(
        command,
        cwd=settings.ROOT,
        env=kept | ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert lab.stderr
    try:
        pages = (re.search(r"http://127\.0\.0\.1:\d+/\S*token=\S+", line) for line in lab.stderr)
        page = next(filter(None, pages), None)
        if page is None:
            raise BenchError("The lab did not start; python3 -m helpers lab says why.")
        threading.Thread(target=lab.stderr.read, daemon=True).start()  # it must not wait for somebody to read on
        _wait(lambda: _is_there(page[0]), "the page of the lab")
        yield
    finally:
        lab.terminate()
        lab.wait()


def _is_there(page: str) -> bool:
    try:
        with localaws.open_url(urllib.request.Request(page), timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


def _wait(done: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + LIMIT_S
    while not done():
        if time.monotonic() > limit:
            raise BenchError(f"Waited {LIMIT_S} s for {what}, without a result.")
        time.sleep(0.02)


SCENARIOS: dict[str, Scenario] = {
    "warm": _warm,
    "cold": _cold,
    "init": _init,
    "memory": _memory,
    "at-once": _at_once,
    "reports": _reports,
    "sqs": _sqs,
    "s3": _s3,
    "start": _start,
    "lab": _lab,
}
ON_THEIR_OWN = {"start", "lab"}  # the last: they start what they measure
