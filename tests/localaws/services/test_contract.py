"""The contract with MiniStack: what the services replace, call and read is as it was when they were written."""

import ast
import importlib
import importlib.metadata
import importlib.util
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.services import lambda_svc

from helpers import settings
from helpers.localaws import services
from helpers.localaws.services import contract
from helpers.localaws.services.eventbridge import rules

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FOLDER = Path(services.__file__).parent
CONTRACT = contract.gathered()


def test_the_installed_ministack_keeps_the_contract():
    assert contract.verify() is None


def test_the_contract_names_the_executor_that_is_replaced():
    assert (lambda_svc, "_execute_function_dispatch") in CONTRACT


@pytest.mark.parametrize(
    ("module", "name"),
    [key for key, parameters in CONTRACT.items() if parameters is not None],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_changed_signature_is_named(monkeypatch, module, name):
    monkeypatch.setattr(module, name, lambda something, entirely, different: None)
    with pytest.raises(contract.ContractError, match=rf"{module.__name__}\.{name} of MiniStack takes .*'entirely'"):
        contract.verify()


@pytest.mark.parametrize(("module", "name"), list(CONTRACT), ids=lambda part: getattr(part, "__name__", part))
def test_a_name_that_is_gone_is_named(monkeypatch, module, name):
    monkeypatch.delattr(module, name)
    with pytest.raises(contract.ContractError, match=rf"MiniStack has no {module.__name__}\.{name} any more"):
        contract.verify()


def test_two_services_that_expect_different_parameters_are_refused(monkeypatch):
    (key, _), *_ = [item for item in services.sqs.CONTRACT.items() if item[1]]
    monkeypatch.setitem(services.sqs.CONTRACT, key, ("something", "else"))
    monkeypatch.setitem(rules.CONTRACT, key, ("one", "more"))
    with pytest.raises(contract.ContractError, match=key[1]):
        contract.verify()


def used(source: str) -> Iterator[tuple[str, str]]:
    """(module, name) for all that a source says of MiniStack: `module.name`, or a name that it imports."""
    tree, modules = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ministack":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if importlib.util.find_spec(node.module).submodule_search_locations and importlib.util.find_spec(whole):
                    modules[alias.asname or alias.name] = whole
                else:
                    yield node.module, alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def contract_of(path: Path) -> set[tuple[str, str]]:
    name = ".".join((services.__name__, *path.relative_to(FOLDER).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    return {(of.__name__, name) for of, name in getattr(module, "CONTRACT", {})}


SOURCES = sorted(FOLDER.rglob("*.py"))


def test_the_scan_sees_what_a_source_uses():
    found = used(
        "from ministack.core import responses\nfrom ministack.services import sqs as queues, lambda_svc\n"
        "from ministack.core.arn import parse_arn\nqueues._queues = lambda_svc._functions\nresponses.get_region()\n"
    )
    assert set(found) == {
        ("ministack.core.arn", "parse_arn"),
        ("ministack.services.sqs", "_queues"),
        ("ministack.services.lambda_svc", "_functions"),
        ("ministack.core.responses", "get_region"),
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_each_service_says_in_its_contract_all_that_it_uses_of_ministack_and_nothing_else(path):
    assert contract_of(path) == set(used(path.read_text()))


def test_services_alone_touch_ministack_and_the_server_starts_it():
    """Everywhere else in the house it is `ministack.app`, in the module that serves it."""
    outside = [path for path in FOLDER.parent.rglob("*.py") if FOLDER not in path.parents]
    imports = {
        path.name: name
        for path in outside
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.split(".")[0] == "ministack"
    }
    assert imports == {"server.py": "ministack.app"}


def test_install_checks_the_contract_before_it_changes_anything(monkeypatch):
    before = lambda_svc._execute_function_dispatch, lambda_svc._create_esm
    monkeypatch.delattr(lambda_svc, "_resolve_layer_zip")
    with pytest.raises(contract.ContractError):
        services.install(pool=None, databases=None, logs=None, endpoint="", key=None, iam=None, execution_roles=None)
    assert (lambda_svc._execute_function_dispatch, lambda_svc._create_esm) == before


def test_a_new_module_in_a_new_folder_is_found_by_itself(monkeypatch, tmp_path):
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "queue.py").write_text(
        "from ministack.services import sqs\nCONTRACT = {(sqs, '_no_such_name'): ('queue',)}\n"
    )
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    with pytest.raises(contract.ContractError, match=r"MiniStack has no ministack\.services\.sqs\._no_such_name"):
        contract.verify()


def test_ministack_is_pinned_to_the_version_that_is_installed():
    dependencies = tomllib.loads(settings.PYPROJECT.read_text())["project"]["dependencies"]
    assert f"ministack=={importlib.metadata.version('ministack')}" in dependencies
