"""Executes a notebook without a browser, in a kernel of this very environment, and says what went wrong."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode
from traitlets import Unicode

from .. import settings
from .source import is_check, is_unsolved, shown_error

CELL_LIMIT_S = 300
# What a notebook before may have left in a kernel: figures, if it drew, that it was a solution, and open connections.
FORGET = """
import os, sys
if "matplotlib.pyplot" in sys.modules:
    sys.modules["matplotlib.pyplot"].close("all")
if "helpers.settings" in sys.modules:
    sys.modules["helpers.settings"].is_solution = False
    sys.modules.pop("helpers.in_a_solution", None)
os.chdir({folder!r})
get_ipython().reset(new_session=True)
__import__("gc").collect()
"""


class _Client(NotebookClient):
    sockets = Unicode(help="How the paths of the kernel's sockets begin.")

    def create_kernel_manager(self) -> AsyncKernelManager:
        # With no folder to look in, "python3" is ipykernel's own, which is this Python. One that the user has
        # installed for all of Jupyter may be another.
        kernels = KernelSpecManager(kernel_dirs=[])
        # Sockets of the file system: a TCP port that is free now may be another program's once the kernel takes it.
        self.km = AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=kernels, transport="ipc", ip=self.sockets
        )
        return self.km


class Kernel:
    """A running kernel, which can execute one notebook after another: each finds it without names and figures."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client
        self.stops: list[int] = []  # the cells of the last notebook at which Run All would stop, numbered from 1
        client.on_cell_executed = self._look

    def _look(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        if execute_reply["content"]["status"] == "error":
            self.stops.append(cell_index + 1)

    def execute(
        self,
        notebook: NotebookNode,
        folder: Path,
        fresh: bool = False,
        on_cell: Callable[[int], None] = lambda number: None,
        go_on: bool = False,
    ) -> list[str]:
        """Execute a notebook in place, as if it stood in `folder`, up to the first cell that goes wrong.

        Returns what that cell did, e.g. ["cell 12: NameError: …"], or nothing. An unsolved exercise and the
        check after it may fail; that check has to on a `fresh` AWS, which holds no reader's solution.
        `on_cell` is told the number of each cell, from 1, before it runs. With `go_on`, the names are there that
        the notebook before has left, as for a reader who runs cells again.
        """
        self.stops.clear()
        self._client.nb = notebook
        self._client.reset_execution_trackers()
        if not go_on:
            self._run_silently(FORGET.format(folder=str(folder)))
        return _execute_cells(self._client, fresh, on_cell)

    def _run_silently(self, code: str) -> None:
        client: Any = self._client.kc  # whose class says less than it can
        reply = run_sync(client.execute_interactive)(code, silent=True, timeout=CELL_LIMIT_S)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the kernel cannot begin a notebook: {reply['content']}")


def execute(
    notebook: NotebookNode,
    folder: Path,
    environment: Mapping[str, str],
    fresh: bool = False,
    on_cell: Callable[[int], None] = lambda number: None,
) -> list[str]:
    """Execute a notebook in a kernel of its own; see `Kernel.execute`."""
    with kernel(environment) as started:
        return started.execute(notebook, folder, fresh, on_cell)


@contextlib.contextmanager
def kernel(environment: Mapping[str, str]) -> Iterator[Kernel]:
    """A kernel of this very environment while the block lasts. `environment` is all of its variables."""
    # The user's own IPython settings and start-up files stay out of it.
    with tempfile.TemporaryDirectory(prefix="ipython-") as ipython:
        client = _Client(
            nbformat.v4.new_notebook(),
            timeout=CELL_LIMIT_S,
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
            shutdown_kernel="immediate",
            sockets=f"{ipython}/socket",
        )
        # setup_kernel rather than execute, which takes the signals away from the command line.
        with client.setup_kernel(env=_kernel_environment(environment, ipython)):
            yield Kernel(client)


def _kernel_environment(environment: Mapping[str, str], ipython: str) -> dict[str, str]:
    path = [str(settings.ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    # without MPLBACKEND, plots go to the notebook; and nobody works in it, whatever notebook started this process
    left_out = ("MPLBACKEND", "JPY_SESSION_NAME")
    kept = {name: value for name, value in environment.items() if name not in left_out}
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "IPYTHONDIR": ipython}


def _execute_cells(client: NotebookClient, fresh: bool, on_cell: Callable[[int], None]) -> list[str]:
    unsolved = False
    for number, cell in enumerate(client.nb.cells, start=1):
        on_cell(number)
        try:
            client.execute_cell(cell, number - 1, execution_count=client.code_cells_executed + 1)
        except CellTimeoutError:
            return [f"cell {number}: did not end within {CELL_LIMIT_S} seconds"]
        except DeadKernelError:
            return [f"cell {number}: the kernel died"]
        unsolved = unsolved or is_unsolved(cell)
        if problem := _unexpected(cell, unsolved, fresh):
            return [f"cell {number}: {problem}"]
        if is_check(cell):
            unsolved = False
    return []


def _unexpected(cell: NotebookNode, unsolved: bool, fresh: bool) -> str | None:
    """What an executed cell did that it should not, if anything."""
    error = next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)
    if name := shown_error(cell):
        if error and error.ename == name:
            return None
        return f"is there to show {name}, and raised {error.ename if error else 'nothing'}"
    if unsolved and is_check(cell):
        return "passes, although its exercise is not solved" if fresh and not error else None
    if error is None or (is_unsolved(cell) and error.ename == "NotImplementedError"):
        return None
    return f"{error.ename}: {error.evalue}".splitlines()[0].removesuffix(": ")
