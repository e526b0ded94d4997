"""The stand-in for AWS's native client module, which Python functions use where AWS ships no such module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from localaws_client import THIS_PYTHON
from served_runtime_api import ServedRuntimeApi

from helpers.localaws.data_plane import runtimes
from helpers.localaws.data_plane.runtime_api import Invocation

CODE = """
def handler(event, context):
    if event == 'fail':
        raise ValueError('failed')
    if event == 'big':
        return 'x' * 7 * 2**20
    custom = context.client_context.custom if context.client_context else None
    arn = context.invoked_function_arn
    return {'event': event, 'id': context.aws_request_id, 'arn': arn, 'custom': custom}
"""
ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def library(tmp_path):
    """What a Python function can import, less the native module."""
    whole = Path(
        runtimes.find(THIS_PYTHON, tmp_path, tmp_path, tmp_path / "library")
        .variables["PYTHONPATH"]
        .split(os.pathsep)[-1]
    )
    native = [path for path in whole.iterdir() if path.name.startswith("runtime_client.")]
    for path in native:
        path.unlink()
    return whole


@pytest.fixture
def start(tmp_path, library):
    """Start the bootstrap on some code, with a Runtime API; what it says comes as messages."""
    api, processes = ServedRuntimeApi(), []

    def start(code):
        (tmp_path / "app.py").write_text(code)
        command = runtimes.find(THIS_PYTHON, tmp_path, tmp_path, tmp_path / "unused").command
        processes.append(
            subprocess.Popen(
                command,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={
                    "PYTHONPATH": str(library),
                    "LAMBDA_TASK_ROOT": str(tmp_path),
                    "_HANDLER": "app.handler",
                    "AWS_LAMBDA_RUNTIME_API": api.address,
                },
            )
        )
        return api, processes[0]

    yield start
    for process in processes:
        process.kill()
        process.communicate()
    api.close()


def heard(api):
    return api.heard()


def invoke(api, event, client_context=""):
    api.give(Invocation(ID, json.dumps(event).encode(), 4102444800000, "arn:of:it", "Root=1", client_context))
    return heard(api)


def test_the_native_module_is_gone(library):
    program = "import awslambdaric, importlib.util as u, sys; sys.exit(u.find_spec('runtime_client') is not None)"
    subprocess.run([sys.executable, "-S", "-c", program], env={"PYTHONPATH": str(library)}, check=True)


def test_invocations_and_an_error_pass_through_the_stand_in(start):
    api, process = start(CODE)
    assert heard(api).kind == "ready"
    answer = invoke(api, "日本", '{"custom": {"a": 1}}')
    assert answer.kind == "response" and answer.request_id == ID
    assert json.loads(answer.body) == {"event": "日本", "id": ID, "arn": "arn:of:it", "custom": {"a": 1}}
    assert heard(api).kind == "ready"
    failed = invoke(api, "fail")
    assert failed.kind == "error"
    assert json.loads(failed.body)["errorMessage"] == "failed"
    assert heard(api).kind == "ready"
    assert json.loads(invoke(api, 3).body)["custom"] is None
    assert process.poll() is None


def test_a_response_that_is_too_large(start):
    api, _ = start(CODE)
    assert heard(api).kind == "ready"
    assert invoke(api, "big").kind == "too-large"


def test_a_failed_import_is_told_as_an_init_error(start):
    api, process = start("import requests\n")
    told = heard(api)
    assert (told.kind, told.error_type) == ("init-error", "Runtime.ImportModuleError")
    assert json.loads(told.body)["errorMessage"] == "Unable to import module 'app': No module named 'requests'"
    assert process.wait(20) != 0
