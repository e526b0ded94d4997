"""How a Java virtual machine runs a function: its options, and its archive of classes.

The options are those of Lambda's Java runtimes, as functions have printed the command line that they run by; that
compilation stops at level 1, and that JAVA_TOOL_OPTIONS can change it, is documented:
https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html.
"""

import contextlib
import hashlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from .runtime_api import Invocation, RuntimeApi

JAR = Path(__file__).with_name("bootstrap") / "java" / "runtime.jar"  # helpers/authoring/jars.py makes it
MAIN = ("-cp", str(JAR), "localaws.Main")  # its argument: the folder of the layers
LIMIT_S = 60  # for a step of making an archive, which takes about a second

_HEAP_PART = 0.85  # of the function's memory
_SMALLEST_HEAP_MB = 8
_FIXED = (
    "-XX:+ErrorFileToStderr",
    "-XX:-UsePerfData",  # /tmp belongs to the function
    "-Dfile.encoding=UTF-8",  # as LANG says, which this machine may not have
)
_SERIAL = "-XX:+UseSerialGC"
_making = threading.Lock()  # the first calls of all may come together


def options(memory_mb: int, variables: Mapping[str, str], archive: Path | None) -> list[str]:
    """The options for a function with this memory; what its own JAVA_TOOL_OPTIONS say comes in place of ours.

    A command line counts more than that variable, so what is asked for there is left out here. `archive`: of
    class_archive.
    """
    asked = variables.get("JAVA_TOOL_OPTIONS", "")
    ours = {
        r"-Xmx|MaxHeapSize|MaxRAM": f"-XX:MaxHeapSize={round(memory_mb * 1024 * _HEAP_PART)}k",
        # what a Java takes by itself on a machine with this memory, a 64th; this one may have more
        r"-Xm[sx]|HeapSize|MaxRAM|InitialRAM": f"-XX:InitialHeapSize={max(_SMALLEST_HEAP_MB, memory_mb // 64)}m",
        r"Use\w+GC": _SERIAL,
        r"Tiered": "-XX:TieredStopAtLevel=1",
        r"Xshare": "-Xshare:auto",
    }
    if archive:
        ours[r"Xshare|SharedArchiveFile|AOT"] = f"-XX:SharedArchiveFile={archive}"
    return [option for pattern, option in ours.items() if not re.search(pattern, asked)] + list(_FIXED)


def class_archive(java: str, library: Path) -> Path | None:
    """An archive of the classes that each start needs, as AWS's runtime has one; made once, below `library`.

    A new process maps it instead of reading the classes one by one. None where this Java cannot make one.
    """
    with _making:
        return _made(java, library)


@lru_cache
def _made(java: str, library: Path) -> Path | None:
    jar = JAR.stat()
    made_of = f"{java} {Path(java).resolve().stat().st_mtime_ns} {JAR} {jar.st_mtime_ns} {jar.st_size}"
    archive = library / "java" / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.jsa"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        _make(java, archive)
    return archive if archive.exists() else None


def _make(java: str, archive: Path) -> None:
    names, new = archive.with_suffix(".names"), archive.with_suffix(".new")
    make = [java, _SERIAL, "-Xshare:dump", f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={new}", *MAIN]
    try:
        _list_classes(java, names)
        subprocess.run(make, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=True)
        for old in archive.parent.glob("*.jsa"):
            old.unlink()
        new.replace(archive)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Functions in Java start more slowly, as no archive of classes could be made: {error}", file=sys.stderr)
    finally:
        for file in (names, new):
            file.unlink(missing_ok=True)


def _list_classes(java: str, names: Path) -> None:
    """Let the runtime serve one invocation, and Java write down which classes that took."""
    command = [java, _SERIAL, "-Xshare:off", f"-XX:DumpLoadedClassList={names}", *MAIN, str(names.parent)]
    with contextlib.closing(RuntimeApi()) as api:
        variables = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(names.parent),
            "_HANDLER": "java.util.Map::copyOf",  # what every Java has
            "_LAMBDA_TELEMETRY_LOG_FD": "2",
        }
        none = subprocess.DEVNULL
        process = subprocess.Popen(command, env=variables, stdin=none, stdout=none, stderr=none)
        api.give(Invocation("one", b'{"name": "Ada"}', 0, "arn:aws:lambda:::function:any"))
        limit = time.monotonic() + LIMIT_S
        while process.poll() is None and time.monotonic() < limit:
            api.wait(0.1)
            if any(message.kind != "ready" for message in api.messages):
                break
    try:
        process.wait(LIMIT_S)  # its Runtime API has ended, so it ends, too, and has then written all
    finally:
        process.kill()
