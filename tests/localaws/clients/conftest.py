"""Programs that people use with AWS, from the registry, in an environment of their own that is kept between runs."""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

TOOLS = ("awscli==1.46.3", "awslogs==0.15.0", "chalice==1.32.0", "aws-lambda-powertools==3.23.0")


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of an environment that holds TOOLS; without a registry the test is skipped."""
    chosen = hashlib.sha256(f"{TOOLS} {sys.version}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"lambda-workshop-clients-{os.getuid()}-{chosen}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run tests at the same time
        if not (folder / "complete").exists():
            _make(folder / "environment")
            (folder / "complete").touch()
    return folder / "environment"


def _make(environment: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True, capture_output=True)
    command = [environment / "bin" / "pip", "install", "--quiet", *TOOLS]
    installed = subprocess.run(command, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"pip cannot install {', '.join(TOOLS)}: {installed.stderr.strip().splitlines()[-1]}")


@pytest.fixture
def run(tools, embedded_aws, tmp_path):
    """Run one of the tools as a reader does after `eval "$(python3 -m helpers env)"`, and give what it prints."""
    variables = {
        "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
    }

    def call(*command: str, cwd: Path = tmp_path, ok: bool = True) -> str:
        environment = {**variables, **embedded_aws.variables()}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr

    return call
