"""Opens the workshop in JupyterLab, with the embedded AWS behind it for as long as that lasts."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import aws_choice, localaws, own_copies, settings
from ..lessons import lesson
from . import say

JUPYTER = settings.ROOT / "helpers" / "jupyter"  # our defaults for it
STOP_LIMIT_S = 30  # what JupyterLab gets to shut down its kernels


def open_lab(no_browser: bool, hub: bool = False, fresh: bool = False) -> int:
    """Run JupyterLab until it ends, and return its exit code; with `hub` as the server that a JupyterHub starts.

    `fresh`: with nothing in the embedded AWS.
    """
    if fresh and aws_choice.chosen() == "embedded" and localaws.alive(settings.home()):
        say("The embedded AWS runs; stop it first with python3 -m helpers stop, and then open the lab with --fresh.")
        return 1
    prepare_copies()
    with embedded_aws(fresh):
        say(
            "Starting JupyterLab for JupyterHub."
            if hub
            else "Starting JupyterLab; its address follows. Ctrl-C ends it."
        )
        module = "jupyterhub.singleuser" if hub else "jupyterlab"
        return jupyterlab(no_browser, page("00"), workspaces(settings.home() / "jupyterlab"), module=module)


def root() -> Path:
    """The folder that JupyterLab shows: the checkout, or a WORKSHOP_HOME outside of it, where links lead into it."""
    return settings.ROOT if settings.home().is_relative_to(settings.ROOT) else settings.home()


def page(number: str) -> str:
    """The path in JupyterLab's address of the reader's copy of a notebook, e.g. of "00"."""
    return f"/lab/tree/{path(number)}"


def path(number: str) -> str:
    """The path of the same in the folder that JupyterLab shows."""
    return own_copies.path(lesson(number)).relative_to(root()).as_posix()


def prepare_copies() -> None:
    """Make the reader's own notebooks, and say what there is to know of them."""
    if not own_copies.folder().exists():
        say(f"Your notebooks are copies, in {own_copies.folder()}; what you do in them stays.")
    for sentence in own_copies.make():
        say(sentence)
    if newer := [each.number for each in own_copies.newer()]:
        say(
            f"There is something new in {', '.join(newer)}, and your notebooks stay as they are: "
            "`python3 -m helpers update` shows it."
        )


@contextlib.contextmanager
def embedded_aws(fresh: bool = False) -> Iterator[None]:
    """The embedded AWS while JupyterLab runs, if the reader chose no other; one that `start` started stays."""
    if aws_choice.chosen() != "embedded":
        yield
        return
    options = settings.embedded_aws() | {"fresh": fresh}
    with localaws.needed(settings.home(), settings.port(), settings.region(), say, **options):
        yield


def jupyterlab(
    no_browser: bool,
    page: str,
    layout: Path,
    *more: str,
    module: str = "jupyterlab",
    variables: dict[str, str] | None = None,
) -> int:
    """Run JupyterLab on a page, with a folder of its layout and with `more` options, and return its exit code."""
    # a session of its own, so that Ctrl-C reaches this process alone, which then ends JupyterLab in order
    server = subprocess.Popen(
        [*_command(module, no_browser, page, layout), *more],
        cwd=root(),
        env=_variables() | (variables or {}),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _trust_solutions()
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _trust_solutions() -> None:
    """Let JupyterLab show the pictures of the solutions: it shows an SVG in notebooks alone that it trusts.

    They are this checkout's, as the code is that makes them. It takes half a second, while JupyterLab starts.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for file in sorted((settings.NOTEBOOKS / "solutions").glob("*.ipynb")):
        with contextlib.suppress(
            OSError, ValueError, nbformat.ValidationError
        ):  # JupyterLab says what is wrong with it
            notebook = nbformat.read(file, as_version=4)
            if not notary.check_signature(notebook):
                notary.sign(notebook)


def _command(module: str, no_browser: bool, page: str, layout: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        module,
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root()}",
        f"--LabApp.default_url={page}",
        f"--ServerApp.default_url={page}",  # which JupyterHub asks
        f"--LabApp.workspaces_dir={layout}",
        # no question about news, and no call to the network for news, updates or extensions
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        # of custom/custom.css; else JupyterLab takes the one in the reader's own folder of settings
        "--LabApp.custom_css=True",
        f"--ServerApp.tornado_settings=static_custom_path={JUPYTER / 'custom'}",
        "--ServerApp.contents_manager_class=helpers.jupyter.contents.Contents",
        "--ContentsManager.pre_save_hook=helpers.jupyter.notebook_files.before_saving",
        *(["--no-browser"] if no_browser else []),
        # a reader gets the address, and what is wrong; a JupyterHub's log has the rest
        *(["--Application.log_level=ERROR"] if module == "jupyterlab" else []),
        # root is usual in a container, and the server listens to this machine alone
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]


def workspaces(folder: Path, anew: bool = False) -> Path:
    """A folder of JupyterLab's layout: at first, or `anew`, all room is the notebook's; then it is as it was left."""
    if anew or not folder.exists():
        from jupyterlab_server.workspaces_handler import WorkspacesManager  # which takes a moment, so only once

        layout = (JUPYTER / "workspace.json").read_text(encoding="utf-8")
        WorkspacesManager(str(folder)).save("default", layout)
    return folder


def _variables() -> dict[str, str]:
    """The environment of JupyterLab and its kernels: they find helpers from any folder, our defaults and our kernel.

    The defaults keep JupyterLab from asking every reader whether to show news from the network. The kernel is ipykernel
    with helpers.jupyter.notebook_errors from its start.
    """
    ours = {"PYTHONPATH": settings.ROOT, "JUPYTER_PATH": JUPYTER}
    first = {name: os.pathsep.join(filter(None, [str(path), os.environ.get(name)])) for name, path in ours.items()}
    # Without MPLBACKEND, plots go to the notebook, as when notebooks are executed without a browser.
    kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    return {**kept, **first, **configured()}


def configured(*folders: Path) -> dict[str, str]:
    """The variable by which JupyterLab finds its defaults: those of `folders`, ours, and the reader's own."""
    name = "JUPYTER_CONFIG_PATH"
    return {name: os.pathsep.join(filter(None, [*map(str, folders), str(JUPYTER), os.environ.get(name)]))}
