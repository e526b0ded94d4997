"""package() and package_layer() make the zips that Lambda takes: the same source always gives the same bytes."""

import io
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .. import lessons
from ..arguments import SOURCE, TEXT, TEXTS, is_file_name, or_none, shown, takes
from ..facts import in_bytes
from .libraries import LEFT_OUT, PackageError, files_of

MAX_ZIP_BYTES = in_bytes("zip")
MAX_UNZIPPED_BYTES = in_bytes("unzipped")

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold

Source = str | Path | Mapping[str, str | bytes]  # e.g. "hello/python", Path("app.py"), {"app.py": "x = 1"}


@takes(source=SOURCE, libraries=TEXTS, target=or_none(TEXT))
def package(source: Source, libraries: Iterable[str] = (), target: str | None = None) -> bytes:
    """Return the zip archive of `source`, ready for `create_function(Code={"ZipFile": ...})`.

    `source` is a folder (its content goes to the root of the archive), a single file, a dict of
    file name to text or bytes, or a function of the workshop such as "hello/python".
    Names are sorted, times are 1980-01-01 and permissions 0644, or 0755 where the file is executable.

    `libraries` names distributions of PyPI, e.g. ["pg8000"]: they and what they need go to the root of the archive, as
    Lambda's runtime has boto3 and no other library. Those with compiled parts need `target`, the AWS that the function
    will run on (`workshop.target`): for "embedded" what is installed here, for any other the locked version's wheel for
    python3.13 on x86_64, which pip downloads once.

    Raises PackageError for a missing file, an empty folder, a library that is not installed, has compiled parts
    without a target, or cannot be downloaded, a zip over 50 MB, or over 250 MB unzipped.
    """
    files = _texts(source) if isinstance(source, Mapping) else _files(_locate(source))
    if not files:
        raise PackageError(f"There is no file to package in {_shown(source)}; add the source first.")
    return _archive(_with_mode(files_of(libraries, target)) | files, _shown(source))


@takes(libraries=TEXTS, target=or_none(TEXT))
def package_layer(libraries: Iterable[str], target: str | None = None) -> bytes:
    """Return the zip archive of a layer of these libraries, ready for `publish_layer_version(Content={"ZipFile": …})`.

    They stand below python/, where Lambda's Python looks for them in /opt. Arguments and errors are package()'s.
    """
    libraries = list(libraries)
    files = {f"python/{name}": content for name, content in files_of(libraries, target).items()}
    if not files:
        raise PackageError('There is no library to package; name one, e.g. package_layer(["pillow"]).')
    return _archive(_with_mode(files), f"the layer of {', '.join(libraries)}")


def _archive(files: dict[str, tuple[bytes, int]], shown: str) -> bytes:
    """Zip the files; PackageError where they are over a limit."""
    _check_size(sum(len(content) for content, _ in files.values()), MAX_UNZIPPED_BYTES, "unzipped", shown)
    archive = _zip(files)
    _check_size(len(archive), MAX_ZIP_BYTES, "zipped", shown)
    return archive


def _locate(source: str | Path) -> Path:
    named = _of_workshop(source) if isinstance(source, str) else None
    path = named or Path(source)
    if not _is_there(path):
        raise PackageError(
            f"There is no file or folder {_shown(source)}, neither here nor among the workshop's functions; "
            "check its name."
        )
    return path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long for this file system
        return False


def _of_workshop(source: str) -> Path | None:
    """What a name such as "hello/python" stands for, if a lesson has that function."""
    name, _, rest = source.partition("/")
    folder = lessons.functions().get(name)
    return folder / rest if folder and (folder / rest).exists() else None


def _files(path: Path) -> dict[str, tuple[bytes, int]]:
    """Name in the archive -> (content, permissions)."""
    if path.is_file():
        _check_before(path.stat().st_size, path)
        return {path.name: (path.read_bytes(), _mode(path))}
    found, size = [], 0
    for each in path.rglob("*"):
        name = each.relative_to(path)
        if each.is_file() and not LEFT_OUT & set(name.parts) and each.suffix != ".pyc":
            found.append(name)
            size += each.stat().st_size
            _check_before(size, path)
    return {name.as_posix(): ((path / name).read_bytes(), _mode(path / name)) for name in found}


def _check_before(size: int, path: Path) -> None:
    """Refuse what is too much before it is read: "/" would take as long as this machine has files."""
    if size > MAX_UNZIPPED_BYTES:
        limit = MAX_UNZIPPED_BYTES // 2**20
        raise PackageError(
            f"The files of {_shown(path)} have more than {limit} MB, and Lambda takes {limit} MB at most; "
            "name a folder that has only what the function needs."
        )


def _texts(source: Mapping[str, str | bytes]) -> dict[str, tuple[bytes, int]]:
    for name, content in source.items():
        if not is_file_name(name):
            raise PackageError(f"{name!r} is no name of a file in an archive; name it like 'app.py' or 'lib/tools.py'.")
        if not isinstance(content, str | bytes):
            raise PackageError(f"The content of {name!r} is {shown(content)}; give text or bytes.")
        if isinstance(content, str) and not _is_utf_8(content):
            raise PackageError(f"The content of {name!r} has half a character in it, which is no UTF-8; give bytes.")
    return _with_mode(
        {name: content.encode() if isinstance(content, str) else content for name, content in source.items()}
    )


def _is_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with_mode(contents: Mapping[str, bytes]) -> dict[str, tuple[bytes, int]]:
    return {name: (content, 0o644) for name, content in contents.items()}


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


def _check_size(size: int, limit: int, how: str, shown: str) -> None:
    if size > limit:
        mb = 1024 * 1024
        raise PackageError(
            f"{shown} is {size / mb:.1f} MB {how}, and Lambda takes {limit // mb} MB at most; "
            "leave out what the function does not need."
        )


def _shown(source: Source) -> str:
    return "the dict" if isinstance(source, Mapping) else f"'{source}'"
