"""Deployment packages: what AWS refuses when they are uploaded, and what a function may read of them."""

import io
import json
import os
import stat
import zipfile

import pytest
from localaws_client import ROLE, eventually, refused, zipped

UNREADABLE = (
    "InvalidParameterValueException",
    "Could not unzip uploaded file. Please check your file, then try to upload again.",
)
CODE = """
import os, subprocess
def handler(event, context):
    return globals()[event[0]](*event[1:])
def read(path):
    try:
        return open(path).read()
    except OSError as error:
        return error.strerror
def links(paths):
    return [os.readlink(path) for path in paths]
def run(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
"""


def package(*entries):
    """With the code, and entries as (name, content, mode as of stat(2))."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in (("app.py", CODE, stat.S_IFREG | 0o644), *entries):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


WRONG_CHECKSUM = package().replace(
    zipfile.ZipFile(io.BytesIO(package())).infolist()[0].CRC.to_bytes(4, "little"), b"abcd"
)
BROKEN = {
    "no zip": b"def handler(event, context): pass",
    "a wrong checksum": WRONG_CHECKSUM,
    "a file where a folder stands": package(("a", "", stat.S_IFREG | 0o644), ("a/b", "", stat.S_IFREG | 0o644)),
    "a name that leads out": package(("../../any", "", stat.S_IFREG | 0o644)),
    "a name that is too long": package(("a" * 300, "", stat.S_IFREG | 0o644)),
}


@pytest.mark.parametrize("archive", BROKEN.values(), ids=BROKEN)
def test_one_that_cannot_be_unpacked_is_refused(make_function, clients, archive):
    client, function = clients("lambda"), make_function(CODE)
    made = {"FunctionName": "tested-broken", "Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE}
    assert refused(client.create_function, Code={"ZipFile": archive}, **made) == UNREADABLE
    assert refused(client.update_function_code, FunctionName=function.name, ZipFile=archive) == UNREADABLE
    layer = {"LayerName": "tested-broken", "Content": {"ZipFile": archive}}
    assert refused(client.publish_layer_version, **layer) == UNREADABLE
    assert function.invoke(["read", "/var/task/none"]).payload == "No such file or directory"


def test_one_without_any_file_is_refused(clients):
    made = {"FunctionName": "tested-empty", "Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE}
    code, message = refused(clients("lambda").create_function, Code={"ZipFile": zipped({})}, **made)
    assert (code, message) == ("InvalidParameterValueException", "Uploaded file must be a non-empty zip")


@pytest.fixture
def function(make_function, clients):
    """A function whose code is such a package."""

    def make(*entries, **configuration):
        made = make_function(CODE, **configuration)
        clients("lambda").update_function_code(FunctionName=made.name, ZipFile=package(*entries))
        made.wait()
        return made

    return make


@pytest.mark.parametrize("mode", [0o600, 0o000, 0o400, 0o660])
def test_a_function_does_not_read_what_not_everybody_may(function, mode):
    made = function(("own.txt", "own", stat.S_IFREG | mode), ("open.txt", "open", stat.S_IFREG | 0o644))
    assert made.invoke(["read", "own.txt"]).payload == "Permission denied"
    assert made.invoke(["read", "open.txt"]).payload == "open"


def test_a_handler_that_not_everybody_may_read_is_an_error(make_function, clients):
    made = make_function(CODE)
    archive = package().replace(
        (0o644 | stat.S_IFREG).to_bytes(2, "little"), (0o600 | stat.S_IFREG).to_bytes(2, "little")
    )
    clients("lambda").update_function_code(FunctionName=made.name, ZipFile=archive)
    made.wait()
    error = made.invoke(["read", "app.py"]).payload
    assert error["errorMessage"].endswith("Permission denied: '/var/task/app.py'")


def test_programs_and_links_are_there(function):
    made = function(
        ("bin/hello-1", "#!/bin/sh\necho hello\n", stat.S_IFREG | 0o755),
        ("bin/hello", "hello-1", stat.S_IFLNK | 0o777),
        ("outside", "/etc/shadow", stat.S_IFLNK | 0o777),
    )
    assert made.invoke(["links", ["bin/hello", "outside"]]).payload == ["hello-1", "/etc/shadow"]
    assert made.invoke(["run", "bin/hello"]).payload == "hello"
    assert made.invoke(["read", "outside"]).payload in ("", "Permission denied")


def test_a_link_to_a_file_of_whoever_runs_the_server_leads_nowhere(function, embedded_home):
    secret = embedded_home / "secret.txt"
    secret.write_text("secret")
    made = function(("outside", os.fspath(secret), stat.S_IFLNK | 0o777))
    assert made.invoke(["read", "outside"]).payload == "No such file or directory"


def test_the_code_of_a_template_can_be_read(clients):
    code, name = "def handler(event, context):\n    return 'read'\n", "tested-template"
    made = {"Runtime": "python3.13", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": code}}
    resource = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": name, **made}}
    stacks = clients("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Any": resource}}))
    try:
        stack = lambda: stacks.describe_stacks(StackName=name)["Stacks"][0]  # noqa: E731
        eventually(lambda: stack()["StackStatus"] == "CREATE_COMPLETE")
        assert clients("lambda").invoke(FunctionName=name)["Payload"].read() == b'"read"'
    finally:
        stacks.delete_stack(StackName=name)
