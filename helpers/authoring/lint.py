"""Says what is wrong with a notebook's source and with the files made of it. Changes and executes nothing."""

import ast
import copy
import json
import re
from collections import Counter
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt
from nbformat import NotebookNode

from .. import settings
from ..facts import unknown
from ..jupyter.notebook_files import METADATA
from ..lessons import Lesson, LessonError
from ..measuring import claims
from . import notes, outputs, source
from .source import Cell, Source

MOST_LINES, MOST_FOLDED_LINES = 14, 40  # of a code cell
WIDEST_LINE = 88  # of code: what a projector shows at 1280 pixels and 125 %
WORDS_A_MIN, LINES_A_MIN, EXERCISE_MIN, LAB_MIN = 200, 15, 4, 20
NOTES_MINUTES_PERCENT = 20  # by how much the minutes of the sections may differ from what the lesson says
PUTS_A_FILE = "lab.put("  # in the exercise of a lab, whose answer is a file
LARGEST_OUTPUT = 300_000  # bytes of the notebook's file
BUILD = "run `python3 -m helpers build`"
# What no output may hold: whoever reads it could use it.
SECRETS = re.compile(r"hooks\.slack\.com/services/\w|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
EC2_IDS = re.compile(r"\b(?:i|lt|sg|subnet|vpc|ami|vol|eni)-[0-9a-f]{17}\b")

# A link to the file that a lab's reader writes; start_at() copies it from the starters.
THE_READERS = re.compile(r"\.\./work/labs/(?P<lab>\d\d)/(?P<file>\w+/[\w.]+)")


def source_problems(made_of: Source) -> list[str]:
    """What an author has to correct in the source of a lesson."""
    place = f"lessons/{made_of.name}/notebook.py"
    marks = re.findall(
        r"^# %%(?!(?:(?: notes)? \[markdown\]| (?!notes\b)[a-z0-9-]+(?: folded)?)?$).*",
        made_of.text,
        flags=re.MULTILINE,
    )
    if marks:  # what they begin is no cell that can be built
        wanted = (
            "write `# %%`, `# %% name-of-the-cell`, `# %% name folded`, `# %% [markdown]` or `# %% notes [markdown]`"
        )
        return [f"{place}: {wanted} in place of `{mark}`." for mark in marks]
    named = Counter(cell.name for cell in made_of.cells if cell.name)
    problems = [f"two cells have the name {name}; give each its own" for name, count in named.items() if count > 1]
    problems += _heading_problems(made_of)
    problems += _exercise_problems(made_of)
    problems += _prediction_problems(made_of)
    problems += _claim_problems(made_of)
    problems += _minutes_problems(made_of)
    problems += _notes_problems(made_of)
    for number, cell in enumerate(made_of.cells, start=1):
        found = _prose_problems(cell.text, made_of) if cell.kind == "markdown" else _code_problems(cell)
        problems += [f"cell {number}: {problem}" for problem in found]
    return [f"{place}: {problem}." for problem in problems] + opening_problems(made_of)


def opening_problems(made_of: Source) -> list[str]:
    """What the first cell of a lesson has to say and does not: title, minutes, and what one learns."""
    problems = []
    for told in ("title", "minutes", "learn"):
        try:
            getattr(made_of.lesson, told)
        except LessonError as problem:
            problems.append(str(problem))
    return problems


def starter_problems(made_of: Source) -> list[str]:
    """What is wrong with the built starter."""
    path = made_of.starter_path
    if not path.exists():
        return [f"{path.name} is missing; {BUILD}."]
    starter = read(path)
    if starter is None:
        return [f"{path.name} cannot be read as a notebook of format 4; delete it and {BUILD}."]
    if has_outputs(starter):
        return [f"{path.name} holds outputs; a starter has none."]
    if problems := _metadata_problems(starter):
        return [f"{path.name}: {problem}." for problem in problems]
    if path.read_bytes() != source.to_bytes(made_of.starter()):
        return [f"{path.name} is not what lessons/{made_of.name}/notebook.py makes; {BUILD}."]
    return []


def solution_problems(made_of: Source) -> list[str]:
    """What is wrong with the built and executed solution, and with the pictures taken from it."""
    path = made_of.solution_path
    name = f"solutions/{path.name}"
    if not path.exists():
        return [f"{name} is missing; {BUILD}."]
    solution = read(path)
    if solution is None:
        return [f"{name} cannot be read as a notebook of format 4; delete it and {BUILD}."]
    if is_stale(solution, made_of):
        return [f"{name} is not what lessons/{made_of.name}/notebook.py makes; {BUILD}."]
    problems = _metadata_problems(solution) + _output_problems(solution)
    problems += [
        f"its figures do not show that {claim}; {BUILD} on a quiet machine" for claim in claims.unmet(solution)
    ]
    problems += _picture_problems(solution, path.parent.parent / "images")
    return [f"{name}: {problem}." for problem in problems]


def stray_problems(folder: Path, made_of: list[Source]) -> list[str]:
    """Notebooks that no source has made."""
    made = {path for each in made_of for path in (each.starter_path, each.solution_path)}
    found = [*folder.glob("*.ipynb"), *(folder / "solutions").glob("*.ipynb")]
    return [
        f"{path.relative_to(folder)} has no lesson; delete it, or write its lesson."
        for path in sorted(found)
        if path not in made
    ]


def read(path: Path) -> NotebookNode | None:
    """The notebook as it stands, or None where there is none or what cannot be read as one of format 4."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
    except (FileNotFoundError, ValueError, nbformat.ValidationError):
        return None
    return notebook if notebook.nbformat == 4 else None


def has_outputs(notebook: NotebookNode) -> bool:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return any(cell.outputs or cell.execution_count is not None for cell in cells)


def is_stale(solution: NotebookNode, made_of: Source) -> bool:
    """Whether its cells are others than the source makes; their outputs may be of any age."""

    def cells(notebook: NotebookNode) -> list[tuple[str, str, str | None, bool]]:
        return [
            (cell.cell_type, cell.source, cell.get("id"), cell.metadata == source.FOLDED) for cell in notebook.cells
        ]

    return cells(solution) != cells(made_of.solved())


def pictures(solution: NotebookNode) -> dict[str, bytes]:
    """The first picture of each cell that begins with `# picture: <file>.png`, by its file name."""
    found = {}
    for cell in solution.cells:
        match = source.PICTURE.fullmatch(source.first_line(cell))
        drawn = [png for output in cell.get("outputs", []) for png in outputs.pictures(output)]
        if match and drawn:
            found[match["file"]] = drawn[0]
    return found


def _heading_problems(made_of: Source) -> list[str]:
    headings = [
        number
        for number, cell in enumerate(made_of.cells, start=1)
        if cell.kind == "markdown"
        for token in MarkdownIt("commonmark").parse(cell.text)
        if token.type == "heading_open" and token.tag == "h1"
    ]
    if headings == [1] and made_of.cells[0][1].startswith("# "):
        return []
    return ["the first cell has to begin with the one heading of the first level (`# 04 Cold start`)"]


def _exercise_problems(made_of: Source) -> list[str]:
    problems, exercise = [], None  # the number of the exercise that waits for its check
    for number, cell in enumerate(made_of.starter().cells, start=1):
        if source.is_unsolved(cell):
            if exercise:
                problems.append(f"the exercise in cell {exercise} has no cell that begins with `# check`")
            exercise = number
        if source.is_check(cell):
            if not exercise:
                problems.append(f"cell {number} checks no exercise; each has exactly one `# check`")
            exercise = None
    if exercise:
        problems.append(f"the exercise in cell {exercise} has no cell that begins with `# check`")
    return problems


def _prediction_problems(made_of: Source) -> list[str]:
    """Each **Predict** is asked in the cell after it, under a key of its own, and answered further down."""
    notebook, problems = made_of.lesson.number, []
    asked: list[str] = []
    answered: list[str] = []
    for number, cell in enumerate(made_of.cells, start=1):
        following = made_of.cells[number : number + 1]  # `number` counts from 1
        if cell.kind == "markdown":
            if "**Predict" in cell.text and not (following and following[0].text.startswith("predict(")):
                problems.append(f'cell {number}: the cell after **Predict** has to be `predict("{notebook}.a")`')
            continue
        keys = source.PREDICTED.findall(cell.text)
        problems += [f"cell {number}: no cell above asks for the prediction {key}" for key in keys if key not in asked]
        answered += keys
        asked += source.PREDICT.findall(cell.text)
    named = Counter(asked)
    problems += [f"two predictions have the key {key}; give each its own" for key, count in named.items() if count > 1]
    problems += [
        f"the key {key} is not one of this notebook; write {notebook}.a, {notebook}.b and so on"
        for key in named
        if not re.fullmatch(rf"{notebook}\.[a-z]", key)
    ]
    problems += [
        f'nothing answers the prediction {key}; write `predicted("{key}", …)` where it is measured'
        for key in named
        if key not in answered
    ]
    return problems


def _claim_problems(made_of: Source) -> list[str]:
    """A notebook that measures says what its figures have to show, so that none is published that contradicts it."""
    code = "\n".join(cell.text for cell in made_of.cells if cell.kind == "code")
    if source.MEASURES.search(code) and not source.CLAIM.search(code):
        return ['it measures and claims nothing; write claim("what the text says", condition) beside a measurement']
    return []


def _minutes_problems(made_of: Source) -> list[str]:
    """What the first cell says of the time is what reading, code and exercises take, to within a third."""
    try:
        said = made_of.lesson.minutes
    except LessonError:  # which is said elsewhere
        return []
    takes = minutes(made_of)
    if abs(said - takes) <= max(takes / 3, 5):
        return []
    return [f"it says {said} minutes; by its words, code and exercises it takes {takes:.0f}"]


def _notes_problems(made_of: Source) -> list[str]:
    """Notes stand where their section begins, answer its predictions, and take as long as the lesson says."""
    sections, problems = made_of.sections, []
    headings = Counter(section.heading for section in sections)
    problems += [f"two sections have the heading {each}; give each its own" for each, n in headings.items() if n > 1]
    problems += [
        f"the notes that begin with `{cell.text[:30]}` do not follow the prose that begins a section, one for each"
        for cell in made_of.written
        if cell.kind == source.NOTES and cell.text not in [section.notes for section in sections]
    ]
    for section in sections:
        if not section.notes:
            where = f"the section {section.heading}" if section.heading else "the opening"
            problems.append(f"{where} has no notes; write a cell `# %% notes [markdown]` after its prose")
        else:
            found = _section_notes_problems(section, made_of)
            problems += [f"the notes of {section.heading or 'the opening'}: {problem}" for problem in found]
    if problems:
        return problems
    try:
        said = made_of.lesson.minutes
    except LessonError:  # which is said elsewhere
        return []
    takes = sum(each.minutes for each in made_of.notes.values())
    if abs(said - takes) > said * NOTES_MINUTES_PERCENT / 100:
        problems.append(f"it says {said} minutes; by the notes of its sections it takes {takes}")
    return problems


def _section_notes_problems(section: source.Section, made_of: Source) -> list[str]:
    """What is wrong with the notes of one section."""
    problems = notes.problems(section.notes) or _prose_problems(section.notes, made_of)
    if problems:
        return problems
    asked = [key for cell in section.cells if cell.kind == "code" for key in source.PREDICT.findall(cell.text)]
    answered = notes.read(section.notes).answers
    problems += [
        f"no `Answer {key}:` for the prediction that the section asks for" for key in asked if key not in answered
    ]
    problems += [f"the section does not ask for the prediction {key}" for key in answered if key not in asked]
    return problems


def minutes(made_of: Source) -> float:
    """How long a notebook takes its reader."""
    return minutes_of(made_of.cells, made_of.lesson)


def minutes_of(cells: list[Cell], lesson: Lesson) -> float:
    """How long cells of a lesson take: 200 words or 15 lines of code a minute, and the exercises."""
    words = sum(len(cell.text.split()) for cell in cells if cell.kind == "markdown")
    code = [source.unsolved(cell.text) for cell in cells if cell.kind == "code" and not cell.is_folded]
    lines = sum(len(text.splitlines()) for text in code)
    exercises = [cell.text for cell in cells if cell.kind == "code" and source.is_exercise(cell.text)]
    labs = sum(lesson.lab is not None and PUTS_A_FILE in text for text in exercises)
    of_exercises = labs * LAB_MIN + (len(exercises) - labs) * EXERCISE_MIN
    return words / WORDS_A_MIN + lines / LINES_A_MIN + of_exercises


def _code_problems(cell: Cell) -> list[str]:
    problems, text, lines = [], cell.text, cell.text.splitlines()
    shown = source.unsolved(text).splitlines()
    most = MOST_FOLDED_LINES if cell.is_folded else MOST_LINES
    if len(shown) > most:
        problems.append(f"{len(shown)} lines of code; {most} at most, and better two to eight")
    problems += [
        f"{len(line)} characters in `{line.strip()[:30]}…`; {WIDEST_LINE} at most"
        for line in lines
        if len(line) > WIDEST_LINE
    ]
    marked = [line for line in lines if re.match(r"\s*# solution\b", line)]
    if len(marked) > 1 or not all(source.SOLUTION.fullmatch(line) for line in marked):
        problems.append("an exercise has one line `# solution: …` that says what to write")
    problems += [
        f"the code {what} `# solution` is no complete Python"
        for what, code in (("up to", source.unsolved(text)), ("without", source.solved(text)))
        if marked and not _is_python(code)
    ]
    for word, form, wanted in (
        ("picture", source.PICTURE, "# picture: name.png"),
        ("raises", source.RAISES, "# raises NameOfTheException"),
    ):
        if lines and re.match(rf"# {word}\b", lines[0]) and not form.fullmatch(lines[0]):
            problems.append(f"write `{wanted}` as its first line")
    return problems


def _is_python(code: str) -> bool:
    try:
        ast.parse(TransformerManager().transform_cell(code))  # a cell may hold magics
    except SyntaxError:
        return False
    return True


def _prose_problems(text: str, made_of: Source) -> list[str]:
    """CommonMark alone looks the same wherever a notebook is shown; and a placeholder has to name a fact."""
    blocks = MarkdownIt("commonmark").parse(text)
    tokens = [token for block in blocks for token in (block, *(block.children or ()))]
    problems = [f"raw HTML: {token.content.strip()}" for token in tokens if token.type.startswith("html_")]
    problems += [f"{each} names no fact of helpers/facts.toml, or no part that it has" for each in unknown(text)]
    for target in (str(token.attrs.get("href") or token.attrs.get("src") or "") for token in tokens):
        if target.startswith("attachment:"):
            problems.append(f"{target}: put the picture into the folder of the lesson")
        elif target and not re.match(r"\w+:|#", target) and not _is_there(made_of, target.split("#")[0]):
            problems.append(f"there is no file {target} to link to")
    return problems


def _is_there(made_of: Source, target: str) -> bool:
    """Whether a link leads somewhere, once the notebooks are built and the reader has begun."""
    if mine := THE_READERS.fullmatch(target):
        lesson = made_of.lesson
        starters = lesson.lab / "starter" if lesson.lab else None
        return bool(starters and mine["lab"] == lesson.number and (starters / mine["file"]).exists())
    folder = made_of.starter_path.parent
    unbuilt = folder / "lessons" / Path(target).stem / "notebook.py"
    return (folder / target).exists() or (Path(target).suffix == ".ipynb" and unbuilt.exists())


def _metadata_problems(notebook: NotebookNode) -> list[str]:
    problems = [f"metadata of the notebook: {key}" for key in notebook.metadata if key not in METADATA]
    problems += [
        f"the notebook's {key} is not {value}" for key, value in METADATA.items() if notebook.metadata.get(key) != value
    ]
    for number, cell in enumerate(notebook.cells, start=1):
        problems += [f"cell {number}: metadata: {key}" for key in cell.metadata if cell.metadata != source.FOLDED]
    return problems


def _output_problems(solution: NotebookNode) -> list[str]:
    problems, count = [], 0
    for number, cell in enumerate(solution.cells, start=1):
        if cell.cell_type != "code":
            continue
        count += 1
        if cell.execution_count != count:
            problems.append(f"cell {number}: was not executed as number {count}; delete the file and {BUILD}")
        problems += [f"cell {number}: {problem}" for problem in _cell_output_problems(cell)]
    again = copy.deepcopy(solution)
    outputs.normalise(again, outputs.BEGAN, settings.DEFAULT_PORT, [])
    if again != solution:
        problems.append(f"its outputs are not normalised; delete the file and {BUILD}")
    return problems


def _cell_output_problems(cell: NotebookNode) -> list[str]:
    written = json.dumps(cell.outputs)
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    wanted = source.shown_error(cell)
    problems = []
    if errors != ([wanted] if wanted else []):
        shown = ", ".join(errors) or "no error"
        problems.append(f"shows {shown}, and is there to show {wanted or 'no error'}")
    if len(written) > LARGEST_OUTPUT:
        problems.append(f"{len(written):,} bytes of output; {LARGEST_OUTPUT:,} at most")
    if SECRETS.search(written):
        problems.append("its output holds a secret")
    if EC2_IDS.search(written):
        problems.append("its output shows an id of EC2, which tells a reader nothing; show a name or a number instead")
    for output in cell.outputs:
        drawn = [kind for kind in outputs.PICTURES if kind in output.get("data", {})]
        if not all(output.metadata.get(kind, {}).get("alt") for kind in drawn):
            problems.append(
                "shows a picture without an alternative text; give the chart a title, or the picture an `alt`"
            )
    return problems


def _picture_problems(solution: NotebookNode, folder: Path) -> list[str]:
    drawn, problems = pictures(solution), []
    for cell in solution.cells:
        if match := source.PICTURE.fullmatch(source.first_line(cell)):
            path = folder / match["file"]
            if match["file"] not in drawn:
                problems.append(f"no picture in the cell that begins with `{match[0]}`")
            elif not path.exists() or path.read_bytes() != drawn[match["file"]]:
                problems.append(f"images/{path.name} is not its picture; {BUILD}")
    return problems
