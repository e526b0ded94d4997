"""What each learner on a JupyterHub gets: a name of their own, a port of their own, and the files that say so."""

import importlib.util
import json
import re
import socket

import pytest
from packaging.requirements import Requirement

from helpers import __main__ as command_line
from helpers import settings
from helpers.installing import environment

DEPLOY = settings.ROOT / "deploy"


def module(name: str):
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


hub = module("workshop_hub")

ALIKE = ["grace-hopper", "grace.hopper", "grace_hopper", "grace--hopper", "-grace-hopper", "grace-hopper@example.org"]
USERS = [*ALIKE, "ada", "Ada", "a" * 20, "a" * 21, "a" * 22, "7", "名前", "日本", "ß", "x-0123abcd", "x"]


@pytest.mark.parametrize("user", USERS)
def test_a_learners_prefix_is_one_that_the_workshop_takes_as_it_is(monkeypatch, user):
    monkeypatch.setenv("WORKSHOP_LEARNER", hub.learner(user))
    assert settings.learner() == hub.learner(user)
    assert [remark for remark in settings.remarks() if "WORKSHOP_LEARNER" in remark] == []


def test_two_users_never_have_one_prefix():
    made = [hub.learner(user) for user in USERS]
    # who takes for a name what another's was made to
    users = [*USERS, *made]
    names = {user: hub.learner(user) for user in users}
    assert len(set(names.values())) == len(names)
    assert hub.learner("ada") == "ada" and hub.learner("grace-hopper") == "grace-hopper"


@pytest.fixture
def taken(monkeypatch):
    """The ports that count as taken, whatever this machine does meanwhile."""
    ports: set[int] = set()
    monkeypatch.setattr(hub, "_is_free", lambda port: port not in ports)
    return ports


def test_each_user_has_a_port_of_their_own_the_same_each_time(taken):
    ports = [hub.port(number) for number in range(1, 200)]
    assert len(set(ports)) == len(ports)
    assert ports == [hub.port(number) for number in range(1, 200)]
    assert all(hub.FIRST_PORT <= port < hub.FIRST_PORT + hub.PORTS for port in ports)


def test_a_port_that_is_taken_is_not_given(taken):
    usual = hub.port(1)
    taken.add(usual)
    assert hub.FIRST_PORT <= hub.port(1) < hub.FIRST_PORT + hub.PORTS and hub.port(1) != usual


def test_it_is_said_when_all_ports_are_taken(taken):
    taken |= set(range(hub.FIRST_PORT, hub.FIRST_PORT + hub.PORTS))
    with pytest.raises(RuntimeError, match="No port is free for user 7"):
        hub.port(7)


def test_a_port_where_something_listens_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not hub._is_free(other.getsockname()[1])


def test_hub_is_refused_outside_of_a_hub(monkeypatch, capsys):
    monkeypatch.setattr(environment, "enter", lambda arguments: None)
    monkeypatch.setattr(command_line, "_add_node_sdk", lambda: None)
    monkeypatch.setattr(command_line, "_watch_signals", lambda: None)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_URL", raising=False)
    monkeypatch.chdir(settings.ROOT)
    assert command_line.main(["lab", "--hub"]) == 2
    assert "--hub is for a JupyterHub" in capsys.readouterr().err


def test_the_lock_of_the_hub_agrees_with_that_of_the_workshop():
    """One environment holds both."""
    ours, theirs = environment.locked(), environment.locked(settings.HUB_LOCK)
    assert {name: theirs[name].version for name in ours.keys() & theirs.keys()} == {
        name: ours[name].version for name in ours.keys() & theirs.keys()
    }
    asked = environment.tomllib.loads(settings.PYPROJECT.read_text())["dependency-groups"]["hub"]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(theirs[requirement.name].version), requirement.name
    assert all(package.hashes for package in theirs.values())
    assert not re.search(r"://|--index-url|--find-links|^-|[ =]/\w", settings.HUB_LOCK.read_text(), re.MULTILINE)


def test_the_lock_of_the_proxy_is_exact_and_names_no_host():
    lock = json.loads((settings.HUB_PROXY / "package-lock.json").read_text())
    packages = {folder: package for folder, package in lock["packages"].items() if folder}
    asked = json.loads((settings.HUB_PROXY / "package.json").read_text())["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
    assert all(each["integrity"].startswith("sha512-") and "resolved" not in each for each in packages.values())
