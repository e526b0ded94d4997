"""A session as a work folder keeps it, made up by a test: its record, its notebooks and its progress."""

import base64
import json
from pathlib import Path
from typing import Any

from helpers import lessons

NINE = 1_780_000_000.0  # a moment of 2026
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class KeptSession:
    """Writes into a work folder what the workshop would have kept."""

    def __init__(self, home: Path) -> None:
        self.home, self.at = home, NINE

    def note(self, kind: str, notebook: str, after: float = 10.0, **members: Any) -> None:
        """An entry of the record, so many seconds after the one before."""
        self.at += after
        self.write_line(json.dumps({"at": self.at, "kind": kind, "notebook": notebook, **members}))

    def write_line(self, line: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "record.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def section(self, notebook: str, heading: str, after: float = 60.0) -> None:
        self.note("section", notebook, after, section=heading, cell="")

    def guess(self, key: str, said: str, measured: str | None = None) -> None:
        if said:
            self.note("prediction", key[:2], key=key, text=said)
        if measured is not None:
            self.note("measured", key[:2], key=key, text=measured)

    def attempt(
        self, exercise: str, solved: bool, sentence: str = "Not yet.", answer: Any = "", after: float = 30
    ) -> None:
        self.note("attempt", exercise[:2], after, exercise=exercise, solved=solved, sentence=sentence, answer=answer)

    def path(self, number: str) -> Path:
        return self.home / "notebooks" / lessons.lesson(number).starter_path.name

    def notebook(self, number: str) -> dict[str, Any]:
        """The starter, which a test changes, and gives to keep()."""
        found: dict[str, Any] = json.loads(lessons.lesson(number).starter_path.read_text(encoding="utf-8"))
        return found

    def keep(self, number: str, notebook: dict[str, Any], day: str = "") -> None:
        """As the learner's copy; or with a day such as "2026-11-30", as one that a reset has put aside."""
        path = self.path(number)
        path = path.with_name(f"{path.stem}.{day}.ipynb") if day else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")

    def progress(self, **members: Any) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "progress.json").write_text(json.dumps(members), encoding="utf-8")


def output(**data: Any) -> dict[str, Any]:
    """An output of a cell; "image_png" becomes image/png."""
    kinds = {name.replace("_", "/", 1).replace("_", "+"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def picture(alt: str) -> dict[str, Any]:
    shown = output(image_png=base64.b64encode(DOT).decode(), text_plain="<Figure size 640x480 with 1 Axes>")
    return shown | {"metadata": {"image/png": {"alt": alt}}}
