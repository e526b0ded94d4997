"""The files of a function's package, where it is small enough, and plain enough, to be edited in a page."""

import io
import zipfile
from dataclasses import dataclass

MOST_FILES, MOST_BYTES = 20, 200_000
EXECUTABLE = 0o111


@dataclass(frozen=True)
class Package:
    """What a package holds: the texts of its files, or why a page cannot edit it, as an id of strings.en.json."""

    files: dict[str, str]
    names: list[str]
    closed: str = ""


def opened(archive: bytes) -> Package:
    """The package that a zip is. Saving must lose nothing: what is no text, or can be executed, stays as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            entries = [entry for entry in zipped.infolist() if not entry.is_dir()]
            names = [entry.filename for entry in entries]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                return Package({}, names, "code.too_large")
            if any(entry.external_attr >> 16 & EXECUTABLE for entry in entries):
                return Package({}, names, "code.executable")
            return Package({entry.filename: zipped.read(entry).decode() for entry in entries}, names)
    except UnicodeDecodeError:
        return Package({}, names, "code.no_text")
    except (zipfile.BadZipFile, RuntimeError):
        return Package({}, [], "code.no_zip")


def files_of(names: list[str], texts: list[str]) -> dict[str, str]:
    """The files of an editor: rows without a name are none."""
    return {name.strip(): text for name, text in zip(names, texts, strict=False) if name.strip()}
