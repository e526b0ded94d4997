"""package() turns source into the zip that Lambda takes: the same source always gives the same bytes."""

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from . import settings
from .errors import WorkshopError

# Lambda's quotas for a zip archive: "Lambda quotas" in the AWS Lambda Developer Guide, checked November 2026.
MAX_ZIP_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold
LEFT_OUT = {"__pycache__", ".DS_Store", ".ipynb_checkpoints"}

Source = str | Path | Mapping[str, str | bytes]  # e.g. "hello/python", Path("app.py"), {"app.py": "x = 1"}


class PackageError(WorkshopError):
    """A source that cannot become a Lambda package; its message is one sentence for the reader."""


def package(source: Source) -> bytes:
    """Return the zip archive of `source`, ready for `create_function(Code={"ZipFile": ...})`.

    `source` is a folder (its content goes to the root of the archive), a single file, a dict of
    file name to text or bytes, or a name under notebooks/functions such as "hello/python".
    Names are sorted, times are 1980-01-01 and permissions 0644, or 0755 where the file is executable.

    Raises PackageError for a missing file, an empty folder, a zip over 50 MB, or over 250 MB unzipped.
    """
    files = _texts(source) if isinstance(source, Mapping) else _files(_locate(source))
    if not files:
        raise PackageError(f"There is no file to package in {_shown(source)}; add the source first.")
    unzipped = sum(len(content) for content, _ in files.values())
    _check_size(unzipped, MAX_UNZIPPED_BYTES, "unzipped", source)
    archive = _zip(files)
    _check_size(len(archive), MAX_ZIP_BYTES, "zipped", source)
    return archive


def _locate(source: str | Path) -> Path:
    named = settings.FUNCTIONS / source
    path = named if isinstance(source, str) and named.exists() else Path(source)
    if not path.exists():
        raise PackageError(
            f"There is no file or folder {_shown(source)}, neither here nor under notebooks/functions; "
            "check its name."
        )
    return path


def _files(path: Path) -> dict[str, tuple[bytes, int]]:
    """Name in the archive -> (content, permissions)."""
    if path.is_file():
        return {path.name: (path.read_bytes(), _mode(path))}
    found = (each.relative_to(path) for each in path.rglob("*") if each.is_file())
    return {
        each.as_posix(): ((path / each).read_bytes(), _mode(path / each))
        for each in found
        if not LEFT_OUT & set(each.parts) and each.suffix != ".pyc"
    }


def _texts(source: Mapping[str, str | bytes]) -> dict[str, tuple[bytes, int]]:
    return {
        name: (content.encode() if isinstance(content, str) else content, 0o644)
        for name, content in source.items()
    }


def _mode(path: Path) -> int:
    # Lambda needs a file to be readable by everybody; what else the file system says must not matter.
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644


def _zip(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, on every machine: otherwise the permissions are not read
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=6)
    return buffer.getvalue()


def _check_size(size: int, limit: int, how: str, source: Source) -> None:
    if size > limit:
        mb = 1024 * 1024
        raise PackageError(
            f"{_shown(source)} is {size / mb:.1f} MB {how}, and Lambda takes {limit // mb} MB at most; "
            "leave out what the function does not need."
        )


def _shown(source: Source) -> str:
    return "the dict" if isinstance(source, Mapping) else f"'{source}'"
