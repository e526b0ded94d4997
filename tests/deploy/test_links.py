"""What a link opens: devcontainer.json and Binder's files are valid, and their commands do what they are for."""

import json
import os
import re
import stat
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from own_checkout import checkout

from helpers import localaws, repository, settings
from helpers.authoring import badges

DEVCONTAINER = settings.ROOT / ".devcontainer" / "devcontainer.json"
BINDER = settings.ROOT / ".binder"
REPO2DOCKER = "jupyter-repo2docker==2026.4.0"

# What containers.dev/implementors/json_schema says of what we use, and nothing else is allowed.
COMMAND = {"type": "string"}
PORT = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "onAutoForward": {"enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]},
    },
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string"},
        "hostRequirements": {
            "type": "object",
            "properties": {
                "cpus": {"type": "integer", "minimum": 1},
                "memory": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
            },
            "additionalProperties": False,
        },
        "updateContentCommand": COMMAND,
        "postCreateCommand": COMMAND,
        "postAttachCommand": COMMAND,
        "forwardPorts": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 65535}},
        "portsAttributes": {"type": "object", "additionalProperties": PORT},
        "otherPortsAttributes": PORT,
        "customizations": {"type": "object"},
    },
    "additionalProperties": False,
}


def devcontainer() -> dict:
    """The file, without its comments, which that format allows on lines of their own."""
    return json.loads(re.sub(r"(?m)^\s*//.*$", "", DEVCONTAINER.read_text()))


def test_devcontainer_json_is_valid():
    Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(devcontainer())] == []


def test_the_image_is_one_and_the_same_for_ever():
    image = devcontainer()["image"]
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+-3\.\d+-\w+@sha256:[0-9a-f]{64}", image)
    python = re.search(r"-(3\.\d+)-", image)[1]
    assert python in [f"3.{minor}" for minor in range(11, 15)]


def test_jupyterlabs_port_is_forwarded_and_no_other():
    ports = devcontainer()["forwardPorts"]
    assert ports == [8888] and settings.DEFAULT_PORT not in ports
    assert devcontainer()["otherPortsAttributes"] == {"onAutoForward": "ignore"}


def test_the_commands_of_devcontainer_json_are_commands_of_the_workshop():
    for name in ("updateContentCommand", "postCreateCommand", "postAttachCommand"):
        words = devcontainer()[name].split()
        assert words[:3] == ["python3", "-m", "helpers"], name
        asked = subprocess.run(
            [sys.executable, *words[1:4], "--help"], cwd=settings.ROOT, capture_output=True, text=True
        )
        assert asked.returncode == 0 and all(option in asked.stdout for option in words[4:]), name


def test_binders_scripts_can_be_run_and_are_bash():
    for name in ("postBuild", "start"):
        script = BINDER / name
        assert script.stat().st_mode & stat.S_IXUSR, name
        assert script.read_text().startswith("#!/usr/bin/env bash\n"), name
        assert subprocess.run(["bash", "-n", str(script)]).returncode == 0, name


def test_binders_python_is_one_that_the_workshop_takes():
    assert re.fullmatch(r"python-3\.1[1-4]\n", (BINDER / "runtime.txt").read_text())


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A checkout with an environment of its own in a folder with a space, and the variables of a terminal in it."""
    root = checkout(tmp_path / "a checkout")
    for name in [name for name in os.environ if name.startswith(("WORKSHOP_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKSHOP_PORT", str(localaws.free_port()))
    monkeypatch.setenv("PATH", f"{root / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    yield root
    localaws.stop(root / "work")


@pytest.mark.slow
def test_the_commands_of_devcontainer_json_make_the_environment_and_find_nothing_wrong(own):
    for name in ("updateContentCommand", "postCreateCommand"):
        done = subprocess.run(["sh", "-c", devcontainer()[name]], cwd=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_binders_scripts_find_the_lock_installed_and_start_the_embedded_aws(own):
    built = subprocess.run([own / ".binder" / "postBuild"], cwd=own.parent, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    code = "import os, helpers; print(helpers.__file__, os.getcwd(), os.environ['JUPYTER_PATH'])"
    command = [own / ".binder" / "start", "python3", "-c", code]
    started = subprocess.run(command, cwd=own.parent, capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    assert started.stdout.split(str(own))[1:] == ["/helpers/__init__.py ", " ", "/helpers/jupyter\n"]
    assert localaws.running(own / "work")


@pytest.mark.slow
def test_repo2docker_makes_the_steps_of_an_image_of_binders_files(own, tmp_path):
    """Without Docker it reads them, and writes what Docker would be told."""
    python = tmp_path / "repo2docker" / "bin" / "python"
    venv.create(tmp_path / "repo2docker", with_pip=True)
    installed = subprocess.run([python, "-m", "pip", "install", "--quiet", REPO2DOCKER], capture_output=True, text=True)
    if installed.returncode and not os.environ.get("CI"):
        pytest.skip(f"repo2docker cannot be installed here: {installed.stderr[-500:]}")
    command = [python, "-m", "repo2docker", "--no-build", "--debug", str(own)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = done.stdout + done.stderr
    assert "environment-2epy-2d3-2e13" in steps, "the Python of runtime.txt"
    assert "RUN ./.binder/postBuild" in steps
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/.binder/start"' in steps
    assert re.search(r"apt-get install [^\n]*\bruby\b", steps), "what apt.txt names"


# The badges


@pytest.fixture
def readme(tmp_path, monkeypatch):
    """A README with a place for the badges, and what says where the workshop is published."""
    monkeypatch.setattr(settings, "PYPROJECT", tmp_path / "pyproject.toml")
    file = tmp_path / "README.md"
    file.write_text(f"before\n\n{badges.BEGIN}\n{badges.END}\n\nafter\n")

    def published(url: str = "") -> Path:
        urls = f'[project.urls]\nRepository = "{url}"\n' if url else ""
        settings.PYPROJECT.write_text(f'[project]\nname = "x"\n{urls}')
        return file

    return published


def linked(text: str) -> list[str]:
    return re.findall(r"\[!\[[^]]+\]\([^)]+\)\]\(([^)]+)\)", text)


def test_the_badges_of_this_readme_are_what_pyproject_says():
    page = settings.ROOT / "README.md"
    assert badges.BEGIN in page.read_text()
    assert badges.problems(page) == []
    assert bool(linked(page.read_text())) == bool(repository.name())


@pytest.mark.parametrize("url", ["https://github.com/ada/the.workshop", "https://github.com/ada/the.workshop.git"])
def test_the_badges_open_the_repository_that_is_named(readme, url):
    page = readme(url)
    assert badges.problems(page) != []
    badges.write(page)
    assert badges.problems(page) == []
    assert linked(page.read_text()) == [
        "https://codespaces.new/ada/the.workshop",
        "https://mybinder.org/v2/gh/ada/the.workshop/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F00-start-here.ipynb",
    ]
    assert page.read_text().startswith("before\n") and page.read_text().endswith("\nafter\n")


def test_without_a_repository_no_badge_is_a_link_and_the_page_says_so(readme):
    page = readme()
    badges.write(page)
    assert badges.problems(page) == []
    assert linked(page.read_text()) == []
    assert "open nothing yet" in page.read_text()
    assert page.read_text().count("![Open in ") == 2


@pytest.mark.parametrize("url", ["https://example.org/ada/workshop", "https://github.com/ada", "github.com/ada/x"])
def test_an_address_that_these_services_cannot_open_is_said(readme, url):
    page = readme(url)
    before = page.read_text()
    badges.write(page)
    assert page.read_text() == before
    [problem] = badges.problems(page)
    assert problem.startswith(f"pyproject.toml has {url!r} as Repository; ")


def test_each_badge_has_its_picture():
    for picture in badges.PICTURES.values():
        assert (settings.ROOT / picture).read_text().startswith("<svg ")
