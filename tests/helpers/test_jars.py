"""The jars of Java classes: made of their sources, for the oldest Java, and the same whenever they are made."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from helpers import lessons
from helpers.authoring import jars
from helpers.authoring.jars import Jar, function_jars, runtime_jar

JARS = [runtime_jar(), *function_jars(lessons.functions())]
SOURCE = """package tested;

public class Answer {
    public static void main(String[] arguments) {
        System.out.println(arguments.length + 42);
    }
}
"""


@pytest.fixture
def jar(tmp_path) -> Jar:
    folder = tmp_path / "java" / "tested"
    folder.mkdir(parents=True)
    (folder / "Answer.java").write_text(SOURCE)
    return Jar(tmp_path / "java" / "lib" / "tested.jar", tmp_path / "java")


def answer(jar: Jar, java: str) -> str:
    command = [java, "-cp", str(jar.path), "tested.Answer", "one"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("made", JARS, ids=[made.path.name for made in JARS])
def test_each_jar_is_made_of_its_sources_for_the_oldest_java(made):
    assert made.problem(check=True) is None
    with zipfile.ZipFile(made.path) as opened:
        classes = [name for name in opened.namelist() if name.endswith(".class")]
        versions = {int.from_bytes(opened.read(name)[6:8]) for name in classes}
    assert classes and versions == {int(jars.RELEASE) + 44}  # the Java Virtual Machine Specification, table 4.1-A


@pytest.mark.parametrize("made", JARS, ids=[made.path.name for made in JARS])
def test_the_sources_of_each_jar_compile_to_its_classes(made, needs, tmp_path):
    needs("javac")
    again = Jar(tmp_path / made.path.name, made.sources, made.needs)
    assert again.problem(check=False) is None
    names = [zipfile.ZipFile(each.path).namelist() for each in (made, again)]
    assert names[0] == names[1]


def test_a_jar_is_made_once_and_again_when_its_source_has_changed(jar, needs):
    needs("javac")
    java = needs("java")
    stale = f"tested.jar is not made of {jar.sources}; run `python3 -m helpers build`"
    assert jar.problem(check=True) == stale and not jar.path.exists()
    assert jar.problem(check=False) is None
    assert answer(jar, java) == "43\n"
    first = jar.path.read_bytes()
    jar.path.unlink()
    assert jar.problem(check=False) is None and jar.path.read_bytes() == first
    source = jar.sources / "tested" / "Answer.java"
    source.write_text(SOURCE.replace("42", "1"))
    assert jar.problem(check=True) == stale and answer(jar, java) == "43\n"
    assert jar.problem(check=False) is None
    assert answer(jar, java) == "2\n"


def test_a_source_that_does_not_compile_is_told_and_the_jar_stays_as_it_was(jar, needs):
    needs("javac")
    jar.problem(check=False)
    before = jar.path.read_bytes()
    (jar.sources / "tested" / "Answer.java").write_text(SOURCE.replace(";", ""))
    problem = jar.problem(check=False)
    assert problem.startswith("tested.jar cannot be made: ") and "Answer.java:1: error: ';' expected" in problem
    assert jar.path.read_bytes() == before


def test_without_a_compiler_it_is_one_sentence(jar, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert jar.problem(check=False) == (
        "tested.jar cannot be made, as no javac is on this machine: apt install default-jdk-headless"
    )


def test_the_compiler_of_java_home_comes_first(jar, monkeypatch, tmp_path):
    compiler = Path(tmp_path / "home" / "bin" / "javac")
    compiler.parent.mkdir(parents=True)
    compiler.write_text("#!/bin/sh\necho this one >&2; exit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert jar.problem(check=False) == "tested.jar cannot be made: this one"
