"""The contract with MiniStack: what the seam replaces and calls is as it was when it was written."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from ministack.services import lambda_svc

from helpers import settings
from helpers.localaws.control_plane import seam

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_installed_ministack_keeps_the_contract():
    assert seam.verify() is None


def test_the_contract_names_the_executor_that_the_seam_replaces():
    assert (lambda_svc, "_execute_function_dispatch") in seam.CONTRACT


@pytest.mark.parametrize(
    ("module", "name"), [key for key, parameters in seam.CONTRACT.items() if parameters is not None],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_changed_signature_is_named(monkeypatch, module, name):
    monkeypatch.setattr(module, name, lambda something, entirely, different: None)
    with pytest.raises(seam.SeamError, match=rf"{module.__name__}\.{name} of MiniStack takes .*'entirely'"):
        seam.verify()


@pytest.mark.parametrize(
    ("module", "name"), list(seam.CONTRACT), ids=lambda part: getattr(part, "__name__", part)
)
def test_a_name_that_is_gone_is_named(monkeypatch, module, name):
    monkeypatch.delattr(module, name)
    with pytest.raises(seam.SeamError, match=rf"MiniStack has no {module.__name__}\.{name} any more"):
        seam.verify()


def test_the_contract_names_everything_of_ministack_that_is_touched():
    """What our modules say as `service._name`, or import by name, is in the contract."""
    services = {module.__name__.rpartition(".")[2]: module for module, _ in seam.CONTRACT}
    ours = Path(seam.__file__).parents[1]  # helpers/localaws
    for path in (*ours.glob("*.py"), *ours.glob("*_plane/*.py"), *ours.glob("rds/*.py")):
        for service, name in re.findall(r"\b(\w+)\.(_[A-Za-z]\w*)", path.read_text()):
            if service in services and hasattr(services[service], name):
                assert (services[service], name) in seam.CONTRACT, f"{path.name}: {service}.{name}"


def test_install_checks_the_contract_before_it_changes_anything(monkeypatch):
    before = lambda_svc._execute_function_dispatch
    monkeypatch.delattr(lambda_svc, "_resolve_layer_zip")
    with pytest.raises(seam.SeamError):
        seam.install(pool=None)
    assert lambda_svc._execute_function_dispatch is before


def test_ministack_is_pinned_to_the_version_that_is_installed():
    dependencies = tomllib.loads(settings.PYPROJECT.read_text())["project"]["dependencies"]
    assert f"ministack=={importlib.metadata.version('ministack')}" in dependencies
