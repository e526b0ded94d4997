"""An error of the workshop is one sentence, also where a notebook shows it."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers.arguments import ArgumentError, FileError
from helpers.cleanup import CleanupError
from helpers.connect import ConnectError
from helpers.deploy import DeployError
from helpers.exercises import NotSolved
from helpers.inbox import InboxError
from helpers.ledger import LedgerError
from helpers.localaws import LocalAwsError
from helpers.package import PackageError
from helpers.progress import ProgressError
from helpers.reports import ReportsError
from helpers.settings import SettingError
from helpers.starting_points import LabError

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
