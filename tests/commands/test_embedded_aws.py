"""What `start` and `lab` say of what the embedded AWS has kept, and --fresh."""

import pytest
from localaws_client import clients_for

from helpers import localaws, settings
from helpers.commands import embedded_aws, lab


@pytest.fixture(autouse=True)
def own_home_and_port(monkeypatch, tmp_path, free_port):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    monkeypatch.setenv("WORKSHOP_PORT", str(free_port()))
    yield
    localaws.stop(settings.home())


@pytest.fixture
def said(capsys):
    return lambda: capsys.readouterr().err.splitlines()


def make_queue(name):
    clients_for(localaws.running(settings.home()))("sqs").create_queue(QueueName=name)


def test_start_says_what_it_found_and_fresh_what_it_put_aside(said):
    assert embedded_aws.start() == 0
    assert len(said()) == 1
    make_queue("kept")
    assert embedded_aws.start() == 0
    assert embedded_aws.start(fresh=True) == 1
    assert said()[1] == "The embedded AWS runs; stop it first, and then start it with --fresh."
    assert embedded_aws.stop() == 0
    assert embedded_aws.start() == 0
    assert said()[-1] == "Found from last time: 1 queue."
    assert embedded_aws.stop() == 0
    assert embedded_aws.start(fresh=True) == 0
    assert said()[-1].startswith("It begins empty, as you asked; what it kept is in ")


def test_lab_says_what_it_found_and_fresh_what_it_put_aside(said, monkeypatch):
    monkeypatch.setattr(lab, "prepare_copies", lambda: None)
    monkeypatch.setattr(lab, "jupyterlab", lambda *_, **__: make_queue("kept") or 0)
    assert lab.open_lab(no_browser=True) == 0
    assert not any("Found" in line for line in said())
    assert lab.open_lab(no_browser=True) == 0
    assert "Found from last time: 1 queue." in said()
    assert lab.open_lab(no_browser=True, fresh=True) == 0
    assert any(line.startswith("It begins empty, as you asked; what it kept is in ") for line in said())
    assert embedded_aws.start() == 0
    assert lab.open_lab(no_browser=True, fresh=True) == 1
