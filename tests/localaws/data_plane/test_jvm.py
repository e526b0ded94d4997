"""The JVM of a function: the options that it gets, and the archive of classes that lets it start sooner."""

import re
import subprocess
from pathlib import Path

import pytest

from helpers.localaws.data_plane import jvm
from helpers.localaws.data_plane.runtime_api import RuntimeApi


@pytest.fixture(autouse=True)
def nothing_made():
    """Each test makes an archive of its own."""
    jvm._made.cache_clear()


@pytest.mark.parametrize(
    ("memory_mb", "heap", "initial"), [(128, "111411k", "8m"), (512, "445645k", "8m"), (10_240, "8912896k", "160m")]
)
def test_the_heap_follows_from_the_memory(memory_mb, heap, initial):
    options = jvm.options(memory_mb, {}, None)
    assert {f"-XX:MaxHeapSize={heap}", f"-XX:InitialHeapSize={initial}"} < set(options)


@pytest.mark.parametrize(
    ("asked", "left_out"),
    [
        ("-Xmx64m", ("-XX:MaxHeapSize=", "-XX:InitialHeapSize=")),  # Java refuses to begin with more than the most
        ("-XX:MaxRAMPercentage=50", ("-XX:MaxHeapSize=", "-XX:InitialHeapSize=")),
        ("-Xms64m", "-XX:InitialHeapSize="),
        ("-XX:+UseG1GC", "-XX:+UseSerialGC"),
        ("-XX:-TieredCompilation", "-XX:TieredStopAtLevel="),
        ("-Xshare:off", ("-Xshare:auto", "-XX:SharedArchiveFile=")),
        ("-XX:AOTCache=/var/task/own.aot", "-XX:SharedArchiveFile="),
    ],
)
def test_what_the_function_asks_for_comes_in_place_of_ours(asked, left_out):
    usual = jvm.options(128, {"OTHER": asked}, Path("/library/java/any.jsa"))
    chosen = jvm.options(128, {"JAVA_TOOL_OPTIONS": asked}, Path("/library/java/any.jsa"))
    assert [option for option in usual if option not in chosen] == [
        option for option in usual if option.startswith(left_out)
    ]


def test_the_archive_is_made_once_and_has_the_classes_of_the_runtime(tmp_path, needs):
    java = needs("java")
    archive = jvm.class_archive(java, tmp_path)
    assert list((tmp_path / "java").iterdir()) == [archive]
    made = archive.stat().st_mtime_ns
    jvm._made.cache_clear()  # as when the server starts again
    assert jvm.class_archive(java, tmp_path) == archive and archive.stat().st_mtime_ns == made
    loaded = _loaded(java, archive)
    assert re.search(r"localaws\.Main source: shared objects file", loaded)
    assert re.search(r"java\.net\.Socket source: shared objects file", loaded)


def _loaded(java: str, archive: Path) -> str:
    """What Java says of the classes that a start of the runtime loads, which then finds no Runtime API."""
    api = RuntimeApi()
    address = api.address
    api.close()
    variables = {"AWS_LAMBDA_RUNTIME_API": address, "_LAMBDA_TELEMETRY_LOG_FD": "2"}
    command = [java, *jvm.options(128, {}, archive), "-Xlog:class+load", *jvm.MAIN, "/opt"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert "Connection refused" in done.stderr
    return done.stdout


def test_another_java_makes_another_archive_in_its_place(tmp_path, needs):
    java = needs("java")
    first = jvm.class_archive(java, tmp_path)
    other = tmp_path / "bin" / "java"
    other.parent.mkdir()
    other.write_text(f'#!/bin/sh\nexec {java} "$@"\n')
    other.chmod(0o755)
    second = jvm.class_archive(str(other), tmp_path)
    assert first != second
    assert list((tmp_path / "java").iterdir()) == [second]


def test_without_an_archive_functions_run_all_the_same(tmp_path, capsys):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    for _ in range(2):
        assert jvm.class_archive(str(java), tmp_path / "library") is None
    assert list((tmp_path / "library" / "java").iterdir()) == []
    assert capsys.readouterr().err.count("no archive of classes could be made") == 1  # it is tried once
