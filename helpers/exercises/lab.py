"""A lab: an exercise whose function the reader writes in a file of their own, in one of three languages."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import lessons, settings
from ..files.free_name import free_name
from ..session import progress
from .languages import LANGUAGES

STARTER = "starter"  # the folder of what the reader begins with


@dataclass(frozen=True)
class Lab:
    """One lab, by the number of its notebook and the folder of its function in that lesson."""

    number: str  # e.g. "16"
    function_folder: Path

    @property
    def name(self) -> str:
        """Of its function, e.g. "s3-to-slack"."""
        return self.function_folder.name

    @property
    def folder(self) -> Path:
        """Where the reader's own files are, one folder for each language."""
        return settings.desk() / "labs" / self.number

    def copy(self, language: str) -> Path:
        """The file that the reader writes."""
        return self.folder / language / LANGUAGES[language].file

    def starter(self, language: str) -> Path:
        return self.function_folder / STARTER / language / LANGUAGES[language].file

    def answer(self, language: str) -> Path:
        """The reference answer."""
        return self.function_folder / language / LANGUAGES[language].file

    def put(self, language: str, file: Path) -> Path | None:
        """Put a file in place of the reader's own; return where theirs is kept, None where it was no other."""
        copy = self.copy(language)
        if copy.exists() and copy.read_bytes() == file.read_bytes():
            return None
        kept = None
        if self._is_begun(language):
            # not in the language's folder, which is packaged
            kept = free_name(self.folder, f"{copy.name}.bak", f"{copy.name}.bak{{}}")
            copy.rename(kept)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        return kept

    def kept(self, language: str) -> list[Path]:
        """The reader's files that put() has kept, the latest first."""
        name = f"{LANGUAGES[language].file}.bak"
        found = [each for each in self.folder.glob(f"{name}*") if re.fullmatch(r"\d*", each.name.removeprefix(name))]
        return sorted(found, key=lambda each: int(each.name.removeprefix(name) or 1), reverse=True)

    def language(self) -> str:
        """The language that the reader wrote in last, or else chose."""
        chosen = progress.language()
        default = chosen if chosen in LANGUAGES else "python"  # a later workshop may have had others
        return max(self.begun(), key=lambda each: self.copy(each).stat().st_mtime, default=default)

    def begun(self) -> list[str]:
        """The languages in which the reader's file is not the starter any more."""
        return [each for each in LANGUAGES if self._is_begun(each)]

    def _is_begun(self, language: str) -> bool:
        copy = self.copy(language)
        return copy.exists() and copy.read_bytes() != self.starter(language).read_bytes()


def labs() -> dict[str, Lab]:
    """Every lab by the number of its notebook: the lessons with a function that has a starter."""
    return {lesson.number: Lab(lesson.number, lesson.lab) for lesson in lessons.lessons() if lesson.lab}
