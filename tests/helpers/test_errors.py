"""An error of the workshop is one sentence, also where a notebook shows it."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers.arguments import ArgumentError, FileError
from helpers.connect import ConnectError
from helpers.deploying.deploy import DeployError
from helpers.deploying.package import PackageError
from helpers.exercises import NotSolved
from helpers.inbox import InboxError
from helpers.localaws import LocalAwsError
from helpers.measuring.reports import ReportsError
from helpers.resources.cleanup import CleanupError
from helpers.resources.ledger import LedgerError
from helpers.session.progress import ProgressError
from helpers.session.starting_points import LabError
from helpers.settings import SettingError

SHOWN = (
    ArgumentError,
    CleanupError,
    ConnectError,
    DeployError,
    FileError,
    InboxError,
    LabError,
    LedgerError,
    LocalAwsError,
    NotSolved,
    PackageError,
    ProgressError,
    ReportsError,
    SettingError,
)


@pytest.mark.parametrize("error", SHOWN, ids=lambda error: error.__name__)
def test_a_notebook_shows_the_sentence_alone(error, capsys):
    shell = InteractiveShell(user_ns={"Error": error})
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as cause:\n    raise Error('Do this.') from cause\n"
    assert isinstance(shell.run_cell(code).error_in_exec, error)
    assert capsys.readouterr().out == "Do this.\n"


def test_a_notebook_shows_any_other_error_in_full(capsys):
    InteractiveShell().run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out
