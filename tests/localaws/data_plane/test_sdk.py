"""Functions in Node.js and Ruby find the AWS SDK, as on AWS, after the packages that they bring along."""

import json
import re
import subprocess
import sys

import pytest
from localaws_client import zipped

from helpers import __main__ as command_line
from helpers import settings
from helpers.commands import doctor
from helpers.localaws.data_plane import confinement, node_sdk, runtimes
from helpers.localaws.data_plane import npm as npm_files

LOCK = json.loads((node_sdk.FOLDER / node_sdk.LOCK).read_text())
PACKAGE = '{"name": "%s", "exports": {"import": "./module.mjs", "require": "./common.cjs"}}'


def package(name: str, says: str) -> dict[str, str]:
    """A package for `import` and `require`, as files of node_modules."""
    folder = f"node_modules/{name}"
    return {
        f"{folder}/package.json": PACKAGE % name,
        f"{folder}/module.mjs": f"export const says = 'import of {says}';\n",
        f"{folder}/common.cjs": f"exports.says = 'require of {says}';\n",
    }


def node_code(expression: str, statement: str = "") -> str:
    return (
        'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n'
        f"{statement}\nexport const handler = async (event) => {expression};\n"
    )


@pytest.fixture
def node(make_function):
    def make(code, **configuration):
        files = code if isinstance(code, dict) else {"index.mjs": code}
        usual = {"Handler": "index.handler", "Timeout": 10, "MemorySize": 256}
        return make_function(files, "nodejs24.x", **usual | configuration)

    return make


@pytest.fixture
def layer(clients):
    """Publish a layer of these files and give its ARN."""
    made = []

    def make(files: dict[str, str]) -> str:
        answer = clients("lambda").publish_layer_version(
            LayerName=f"tested-sdk-{len(made)}", Content={"ZipFile": zipped(files)}
        )
        made.append(answer)
        return answer["LayerVersionArn"]

    yield make
    for answer in made:
        name = answer["LayerArn"].rpartition(":")[2]
        clients("lambda").delete_layer_version(LayerName=name, VersionNumber=answer["Version"])


# Where Node.js looks


@pytest.mark.parametrize("found", ["nodejs/", "nodejs/node24/"])
def test_import_and_require_find_the_packages_of_a_layer(node, layer, found):
    files = {f"{found}{name}": text for name, text in package("tool", "a layer").items()}
    function = node(node_code("[says, require('tool').says]", 'import { says } from "tool";'), Layers=[layer(files)])
    assert function.invoke().payload == ["import of a layer", "require of a layer"]


def test_a_function_s_own_package_goes_before_that_of_a_layer(node, layer):
    files = {f"nodejs/{name}": text for name, text in package("tool", "a layer").items()}
    code = node_code("[says, require('tool').says]", 'import { says } from "tool";')
    function = node({"index.mjs": code, **package("tool", "its own")}, Layers=[layer(files)])
    assert function.invoke().payload == ["import of its own", "require of its own"]


@pytest.mark.parametrize(
    "statement", ['import "no-such-package";', 'import "@aws-sdk/no-such-client";', 'import "./no-such-file.mjs";']
)
def test_what_is_nowhere_fails_and_names_the_file_that_asked_for_it(node, statement):
    result = node(node_code("1", statement)).invoke()
    assert result.payload["errorType"] == "Error"
    assert "no-such" in result.payload["errorMessage"] and "task/index.mjs" in result.payload["errorMessage"]


@pytest.mark.parametrize("code", ["import '@aws-sdk/client-nowhere';", "require('@aws-sdk/client-nowhere');"])
def test_a_client_of_the_sdk_that_is_not_here_says_what_to_do(node, code):
    file = "index.mjs" if code.startswith("import") else "index.cjs"
    message = node({file: code}).invoke().payload["errorMessage"]
    assert "add @aws-sdk/client-nowhere to the package or to a layer, with npm install." in message


def test_a_package_that_is_broken_says_so(node, layer):
    broken = {"nodejs/node_modules/tool/package.json": '{"name": "tool", "exports": "./missing.mjs"}'}
    result = node(node_code("1", 'import "tool";'), Layers=[layer(broken)]).invoke()
    assert result.payload["errorType"] == "Error"
    assert "tool" in result.payload["errorMessage"]


# The SDK for Node.js


@pytest.fixture
def with_node_sdk(needs_sdk):
    needs_sdk("node")


def test_the_lock_is_exact_and_names_no_host():
    packages = {folder: package for folder, package in LOCK["packages"].items() if folder}
    asked = json.loads((node_sdk.FOLDER / "package.json").read_text())["dependencies"]
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for folder, each in packages.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"]), folder
        assert each["integrity"].startswith("sha512-"), folder
        assert "resolved" not in each, folder
    assert "://" not in (node_sdk.FOLDER / node_sdk.LOCK).read_text()


@pytest.mark.usefixtures("with_node_sdk")
def test_a_function_in_node_imports_and_requires_the_sdk_and_calls_aws(node, clients):
    clients("s3").create_bucket(Bucket="tested-sdk")
    try:
        function = node(
            node_code(
                "[(await new S3Client().send(new ListBucketsCommand())).Buckets.map((b) => b.Name), "
                "S3Client === require('@aws-sdk/client-s3').S3Client, process.env.NODE_PATH]",
                'import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";',
            )
        )
        names, same, path = function.invoke().payload
        assert "tested-sdk" in names and same is True
        ends = ["node24/node_modules", "nodejs/node_modules", "/node_modules", "/bootstrap", "/task"]
        if confinement.possible():  # as recorded on AWS on 2026-01-12
            layers, runtime = "/opt/nodejs/node24/node_modules:/opt/nodejs/node_modules", "/var/runtime"
            assert path == f"{layers}:{runtime}/node_modules:{runtime}:/var/task"
        assert all(each.endswith((end, "/runtime")) for each, end in zip(path.split(":"), ends, strict=True))
        assert len(function.streams()) == 1
    finally:
        clients("s3").delete_bucket(Bucket="tested-sdk")


# Installing it


@pytest.fixture
def sdk_folder(monkeypatch, tmp_path):
    """A copy of the folder of the SDK, with nothing installed, and what makes a pretended npm."""
    for name in ("package.json", node_sdk.LOCK):
        (tmp_path / name).write_text((node_sdk.FOLDER / name).read_text())
    monkeypatch.setattr(node_sdk, "FOLDER", tmp_path)

    def npm(code: str) -> None:
        monkeypatch.setattr(npm_files, "_npm", lambda: [sys.executable, "-c", code])

    return tmp_path, npm


INSTALLS = """
import json, pathlib
lock = json.loads(pathlib.Path("package-lock.json").read_text())
del lock["packages"][""]
pathlib.Path("node_modules").mkdir(exist_ok=True)
pathlib.Path("node_modules/.package-lock.json").write_text(json.dumps(lock))
with open("calls", "a") as calls:
    calls.write("called\\n")
"""


def test_it_is_installed_once_and_again_when_the_lock_changes(sdk_folder):
    folder, npm = sdk_folder
    npm(INSTALLS)
    assert not node_sdk.ready()
    node_sdk.install()
    assert node_sdk.ready()
    node_sdk.install()
    assert (folder / "calls").read_text() == "called\n"
    lock = (folder / node_sdk.LOCK).read_text()
    (folder / node_sdk.LOCK).write_text(lock.replace("sha512-", "sha512-x", 1))
    assert not node_sdk.ready()
    node_sdk.install()
    assert node_sdk.ready()


def test_two_commands_install_it_once(sdk_folder):
    folder, _ = sdk_folder
    code = (
        "import pathlib, sys\nfrom helpers.localaws.data_plane import node_sdk, npm\n"
        "node_sdk.FOLDER = pathlib.Path(sys.argv[1])\n"
        "npm._npm = lambda: [sys.executable, '-c', sys.argv[2]]\nnode_sdk.install()\n"
    )
    command = [sys.executable, "-c", code, folder, INSTALLS]
    started = [subprocess.Popen(command, cwd=settings.ROOT) for _ in range(3)]
    assert [each.wait(60) for each in started] == [0, 0, 0]
    assert (folder / "calls").read_text() == "called\n"


@pytest.mark.parametrize(
    ("npm_code", "why"),
    [
        ("import sys; sys.exit('npm error code ENOTFOUND\\nnpm error network request to x')", "ENOTFOUND"),
        ("import sys; sys.exit(7)", "exit code 7"),
        ("", "exit code 0"),  # npm was content, and installed nothing
    ],
)
def test_a_failing_npm_is_one_sentence_and_nothing_else_fails(sdk_folder, npm_code, why, capsys):
    _, npm = sdk_folder
    npm(npm_code)
    with pytest.raises(node_sdk.NodeSdkError, match=rf"works without it: npm failed \({why}\); .*\.$"):
        node_sdk.install()
    command_line._add_node_sdk()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "Adding the AWS SDK for functions in Node.js, once."
    assert "could not be installed" in second
    assert doctor._node_sdk() == ("note", "Functions in Node.js lack AWS SDK v3; python3 -m helpers start installs it.")


def test_an_npm_that_does_not_end_is_one_sentence(sdk_folder, monkeypatch):
    _, npm = sdk_folder
    npm("import threading; threading.Event().wait()")
    monkeypatch.setattr(npm_files, "LIMIT_S", 0.2)
    with pytest.raises(node_sdk.NodeSdkError, match=r"npm did not end within 0\.2 s\.$"):
        node_sdk.install()


def test_without_node_it_is_one_sentence(sdk_folder, monkeypatch):
    def missing():
        raise runtimes.MissingRuntime("Node.js is not installed on this machine (get it)")

    monkeypatch.setattr(runtimes, "node_program", missing)
    with pytest.raises(node_sdk.NodeSdkError, match=r"Node\.js is not installed .* \(get it\)\.$"):
        node_sdk.install()


@pytest.mark.usefixtures("with_node_sdk")
def test_doctor_names_the_version(needs):
    assert doctor._node_sdk() == (
        "ok",
        f"Functions in Node.js find AWS SDK v3 (@aws-sdk/client-s3 {node_sdk.version()}).",
    )


# Ruby


@pytest.fixture
def ruby(make_function, needs):
    needs("ruby")

    def make(files, **configuration):
        files = files if isinstance(files, dict) else {"app.rb": files}
        return make_function(files, "ruby3.4", **{"Timeout": 10, "MemorySize": 256} | configuration)

    return make


def gem(name: str, says: str, version: str = "1.0.0") -> dict[str, str]:
    """A gem, as files of a folder of gems."""
    return {
        f"specifications/{name}-{version}.gemspec": "Gem::Specification.new { |s| "
        f's.name = s.summary = "{name}"; s.version = "{version}"; '
        's.authors = ["tests"]; s.files = []; s.require_paths = ["lib"] }\n',
        f"gems/{name}-{version}/lib/{name}.rb": f'SAYS = "{says}"\n',
    }


def ruby_folder(needs) -> str:
    """The folder that bundler and Lambda name after the version of Ruby, such as 3.4.0."""
    program = [needs("ruby"), "-e", "print RbConfig::CONFIG['ruby_version']"]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


def test_a_function_in_ruby_finds_its_own_gems_before_those_of_a_layer(ruby, layer, needs):
    version = ruby_folder(needs)
    arn = layer({f"ruby/gems/{version}/{name}": text for name, text in gem("tool", "a layer").items()})
    code = "require 'tool'\ndef handler(event:, context:)\n  SAYS\nend\n"
    assert ruby(code, Layers=[arn]).invoke().payload == "a layer"
    own = gem("tool", "its own", "2.0.0")
    files = {f"vendor/bundle/ruby/{version}/{name}": text for name, text in own.items()}
    assert ruby({"app.rb": code, **files}, Layers=[arn]).invoke().payload == "its own"


def test_a_function_in_ruby_sees_none_of_the_reader_s_environment(ruby):
    code = "def handler(event:, context:)\n  [ENV['HOME'], ENV['GEM_HOME'], ENV['GEM_PATH']]\nend\n"
    home, gem_home, path = ruby(code).invoke().payload
    assert (home, gem_home) == (None, None)
    assert path.split(":")[0].startswith("/") and "/vendor/bundle/ruby/" in path.split(":")[0]


@pytest.fixture
def with_ruby_sdk(needs_sdk):
    needs_sdk("ruby")


@pytest.mark.usefixtures("with_ruby_sdk")
def test_a_function_in_ruby_calls_the_embedded_aws_whatever_the_version_of_its_sdk(ruby, clients):
    clients("s3").create_bucket(Bucket="tested-sdk")
    try:
        function = ruby(
            "require 'aws-sdk-s3'\nS3 = Aws::S3::Client.new\n"
            "def handler(event:, context:)\n  S3.list_buckets.buckets.map(&:name)\nend\n"
        )
        assert "tested-sdk" in function.invoke().payload
    finally:
        clients("s3").delete_bucket(Bucket="tested-sdk")


def test_an_sdk_that_the_function_brings_along_is_used_and_set_up_as_well(ruby, needs, embedded_aws):
    core = "module Aws\n  def self.config = @config ||= {}\nend\nSAYS = 'its own'\n"
    own = f"vendor/bundle/ruby/{ruby_folder(needs)}"
    files = {f"{own}/{name}": text for name, text in gem("aws-sdk-core", "", "99.0.0").items()}
    files[f"{own}/gems/aws-sdk-core-99.0.0/lib/aws-sdk-core.rb"] = core
    files["app.rb"] = (
        "require 'aws-sdk-core'\nFOUND = Aws.config[:endpoint]\nAws.config[:endpoint] = 'chosen'\n"
        "def handler(event:, context:)\n  [SAYS, FOUND, Aws.config[:endpoint]]\nend\n"
    )
    says, found, chosen = ruby(files).invoke().payload
    assert (says, chosen) == ("its own", "chosen")
    assert found == embedded_aws.url


def test_doctor_says_how_to_add_the_sdk_for_ruby(tmp_path):
    program = tmp_path / "ruby"
    cases = ("exit 1", "note", "apt install ruby-aws-sdk-s3"), ("printf 1.2.3", "ok", "aws-sdk-s3 1.2.3")
    for script, grade, words in cases:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        found, text = doctor._ruby_sdk(runtimes.Runtime("ruby:3.4.v1", (str(program),)))
        assert found == grade and words in text
