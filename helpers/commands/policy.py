"""`python3 -m helpers policy`: prints the IAM policies that a person needs on AWS, or writes each into a file."""

import json
from collections.abc import Sequence
from pathlib import Path

from .. import settings
from ..policies import BOUNDARY, policies
from . import say


def show(numbers: Sequence[str], learner: str | None, folder: Path | None) -> int:
    """Print one JSON object, name: document, or write the documents as <name>.json.

    Raises PolicyError or LessonError.
    """
    learner = learner or settings.learner()
    found = policies(numbers, learner)
    own = ", ".join(name for name in found if name != BOUNDARY)
    say(f"For names that begin with {learner}-: {own}; for the roles that they make, as a boundary: {BOUNDARY}.")
    if folder is None:
        print(json.dumps(found, indent=2))
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in found.items():
        (folder / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(folder / f"{name}.json")
    return 0
