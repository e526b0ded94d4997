"""Makes the notebooks and README's map from the lessons, and runs notebooks without a browser; jars.py makes jars.

A lesson's `notebook.py` (jupytext's py:percent) becomes `notebooks/NN-slug.ipynb`, the starter, and
`notebooks/solutions/NN-slug.ipynb`, solved and executed. Never the other way round. In a source,

    # %% [markdown]        begins prose, in plain CommonMark, and `# %%` begins code. Cells have no tags.
    # %% make-queue        begins code that has a name, which becomes its id: tests run cells by it.
    # %% draw-it folded    begins code that is folded away until the reader opens it, such as what only draws.
    # solution: Say what.  ends what the starter keeps of a code cell; in place of this line and the rest,
                           `raise NotImplementedError("Say what.")` stands there. It may be indented.
    # check                is the first line of the cell that checks the exercise before it, one for each.
                           It fails while the exercise is unsolved; all other cells work nevertheless.
    # raises KeyError      is the first line of a cell that is there to show this exception.
    # picture: name.png    is the first line of a cell whose first picture goes to notebooks/images/name.png.
    # %% notes [markdown]  begins what an instructor says in a section, which is in no notebook; see below.
    {{timeout}}            in prose is a fact about AWS, from helpers/facts.toml: "1,800 s". {{timeout.since}} is one of
                           its other parts. In code, fact("timeout") is its value.

The cell after prose that says **Predict** is `predict("02.a")`, which keeps what the reader expects; further down
`predicted("02.a", measured)` shows it beside the measurement. What the text says of a measurement is a condition,
too: `claim("a cold start takes longer", cold > warm)`. Where it is not met, `build` measures again.

A section is what stands under a heading `## …`, and the opening before the first one. Its notes follow the prose that
the heading is in; where that prose has several headings, their notes follow it one after the other. Each of their
paragraphs begins with a label, in this order. All but the first two may be missing, and a label may come again:

    # %% notes [markdown]
    # Minutes: 6
    #
    # Say: One or more sentences, in CommonMark.
    #
    # Goes wrong: What usually goes wrong here, and what to say or do.
    #
    # Answer 04.a: What answers the prediction that the section asks for, and why.
    #
    # Skip: What may be left out when time is short.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode

from .. import localaws, own_copies, settings
from ..lessons import LessonError, functions_in, lessons, numbered
from ..measuring import claims
from . import badges, calls, lint, outputs, readme, source, work
from .execution import execute
from .jars import function_jars, runtime_jar
from .source import Source, sources

__all__ = ["build", "fresh_aws", "run", "sources"]

MEASUREMENTS = 3  # how often a solution is executed, at most, for figures that show what its text says
CLEAN = "from helpers import clean\nclean()"
QUIET_PERCENT, QUIET_LIMIT_S = 20, 300

# Makes an AWS ready for one notebook, and gives the environment of the kernel that uses it.
Aws = Callable[[], AbstractContextManager[Mapping[str, str]]]


def build(
    check: bool = False, force: bool = False, *, folder: Path = settings.NOTEBOOKS, aws: Aws | None = None
) -> list[str]:
    """Write the notebooks of every source, the map in README.md and the jars; return one sentence per problem.

    A solution is executed when its code is not the source's, each on an AWS of its own: `aws`, or `fresh_aws`,
    gives the kernel's environment. Where only its prose is another, its outputs stay. A starter that holds
    somebody's work stays as it is. With `force`, all is made anew, work or not. With `check`, nothing is changed or
    executed.
    """
    try:
        made_of = sources(folder)
        functions = functions_in(folder)
    except LessonError as problem:
        return [str(problem)]
    problems = lint.stray_problems(folder, made_of)
    jars = ([runtime_jar()] if folder.parent == settings.ROOT else []) + function_jars(functions)
    problems += filter(None, [jar.problem(check) for jar in jars])
    problems += _map_problems(folder.parent / "README.md", made_of, check)
    for each in made_of:
        found = lint.source_problems(each)
        if not found and not check:
            found = _write(each, force, aws or fresh_aws)
        problems += found or lint.starter_problems(each) + lint.solution_problems(each)
    return problems


def run(
    numbers: Sequence[str] = (),
    solutions: bool = False,
    *,
    fresh: bool = False,
    own: bool = False,
    folder: Path = settings.NOTEBOOKS,
    environment: Mapping[str, str] = os.environ,
) -> list[str]:
    """Execute notebooks, all or those of `numbers` ("04"), and return one sentence per problem.

    The files stay as they are. With `own`, the reader's copies are executed in place of the starters. An unsolved
    exercise may fail, and its check too; the check has to on a `fresh` AWS, which holds no reader's solution.
    `environment` is the kernel's: it says which AWS.
    """
    paths = sorted((folder / "solutions" if solutions else folder).glob("[0-9][0-9]-*.ipynb"))
    there = {path.name[:2]: path for path in paths}
    if own:
        there |= {each.number: path for each in lessons() if (path := own_copies.path(each)).exists()}
    wanted = [numbered(number) for number in numbers] or list(there)
    if not there:
        return [f"There is no notebook in {folder}; run `python3 -m helpers build`."]
    if unknown := [number for number in wanted if number not in there]:
        return [f"There is no notebook {', '.join(unknown)}; there is {', '.join(there)}."]
    problems = []
    for path in (there[number] for number in dict.fromkeys(wanted)):
        notebook = lint.read(path)
        if notebook is None:
            problems.append(f"{path.stem}: cannot be read as a notebook of format 4")
            continue
        with _progress(path.stem, len(notebook.cells)) as on_cell:
            found = execute(notebook, path.parent, environment, fresh, on_cell)
        problems += [f"{path.stem}: {problem}" for problem in found]
    return problems


@contextlib.contextmanager
def fresh_aws() -> Iterator[dict[str, str]]:
    """An embedded AWS with nothing in it, while the block lasts; gives the environment of a kernel for it."""
    with tempfile.TemporaryDirectory(prefix="lambda-workshop-") as folder:
        home = Path(folder).resolve()
        # not the reader's AWS, nor the reader's Slack
        theirs = ("AWS_", "WORKSHOP_", "WEBHOOK_URL")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        try:
            chosen = settings.embedded_aws() | {"iam": True}
            endpoint = localaws.start(home, localaws.free_port(), **chosen, access_activity=True)
            ours = {"WORKSHOP_HOME": str(home), "WORKSHOP_PORT": str(endpoint.port), "WORKSHOP_LEARNER": "learner"}
            ours["WORKSHOP_CLEAN"] = "yes"  # what is in it is nobody's
            yield kept | ours | {"TZ": "UTC"}
        finally:
            localaws.stop(home)


def _map_problems(path: Path, made_of: list[Source], check: bool) -> list[str]:
    """Write the map, unless this is a check, and say what is wrong with it then."""
    if any(lint.opening_problems(each) for each in made_of):  # which is said of each source
        return []
    lessons = [each.lesson for each in made_of]
    if not check:
        readme.write(path, lessons)
        badges.write(path)
    return [*readme.problems(path, lessons), *badges.problems(path)]


def _write(made_of: Source, force: bool, aws: Aws) -> list[str]:
    """Write what is stale of one source's notebooks."""
    if lint.starter_problems(made_of):
        if not force and work.is_there(made_of.starter_path):
            return [
                f"{made_of.starter_path.name} holds work of yours; copy it elsewhere or commit it, "
                "then run `python3 -m helpers build --force`."
            ]
        source.write(made_of.starter(), made_of.starter_path)
        work.note_built(made_of.starter_path)
    solution = lint.read(made_of.solution_path)
    if force or solution is None:
        return _execute(made_of, aws)
    if lint.is_stale(solution, made_of):
        solution = made_of.solved_as(solution)
        if solution is None:
            return _execute(made_of, aws)
        source.write(solution, made_of.solution_path)
    _write_pictures(made_of, solution)
    return []


def _execute(made_of: Source, aws: Aws) -> list[str]:
    """Execute the solution and write it, if it did as it should and its figures show what its text says."""
    made_of.solution_path.parent.mkdir(exist_ok=True)
    for left in reversed(range(MEASUREMENTS)):
        solution = made_of.solved()
        with aws() as environment, _progress(made_of.name, len(solution.cells)) as on_cell:
            began = datetime.now(UTC).replace(tzinfo=None)
            problems = execute(solution, made_of.solution_path.parent, environment, fresh=True, on_cell=on_cell)
            home = Path(environment.get("WORKSHOP_HOME") or settings.home())
            stayed_out = claims.unmet(solution)
            activity = [] if problems or stayed_out else _activity(made_of, home, environment)
        if problems or not stayed_out:
            break
        if left:
            print(f"{made_of.name}: once more, as its figures do not show that {stayed_out[0]}", file=sys.stderr)
            _wait_for_quiet()
    else:
        problems = [
            f"executed {MEASUREMENTS} times, its figures did not show that {claim}; build it on a quiet machine."
            for claim in stayed_out
        ]
    if problems:
        return [f"solutions/{made_of.solution_path.name}: {problem}" for problem in problems]
    port = int(environment.get("WORKSHOP_PORT") or settings.port())
    outputs.normalise(solution, began, port, outputs.places(home))
    source.write(solution, made_of.solution_path)
    if activity:
        calls.write(calls.calls_of(activity), made_of.lesson.calls_path)
    _write_pictures(made_of, solution)
    return []


def _activity(made_of: Source, home: Path, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a solution has called, and calls when it runs again, and then clean(); nothing where nobody notes it."""
    activity = localaws.access_activity(home)
    cleaning = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CLEAN)])
    for each in (made_of.solved(), cleaning) if activity else ():
        execute(each, made_of.solution_path.parent, environment)
    return activity + localaws.access_activity(home)


def _wait_for_quiet() -> None:
    """Until nothing much else runs on this machine, but not for ever."""
    limit = time.monotonic() + QUIET_LIMIT_S
    while psutil.cpu_percent(interval=2) > QUIET_PERCENT and time.monotonic() < limit:
        pass


def _write_pictures(made_of: Source, solution: NotebookNode) -> None:
    folder = made_of.solution_path.parent.parent / "images"
    for name, png in lint.pictures(solution).items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(png)


@contextlib.contextmanager
def _progress(name: str, total: int, width: int = 30) -> Iterator[Callable[[int], None]]:
    """Show on stderr which cell runs: as a bar where a person is looking, else one line for the notebook."""
    if not sys.stderr.isatty():
        print(f"{name}: {total} cells", file=sys.stderr, flush=True)
        yield lambda number: None
        return

    def show(number: int) -> None:
        done = number * width // total
        bar = "#" * done + "." * (width - done)
        print(f"\r{name} [{bar}] cell {number}/{total}", end=" ", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print(file=sys.stderr)
