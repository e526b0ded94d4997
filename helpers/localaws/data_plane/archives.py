"""Zip files of code and layers, unpacked into the folders of an execution environment, as Lambda unpacks them.

Who reads a file is said by its permissions for all others than its owner, as a function is not the owner of its code:
https://docs.aws.amazon.com/lambda/latest/dg/deployment-package-v2.html, "global read permissions".

What is large is unpacked once, and then linked: hundreds of files cost each of many environments some milliseconds.
That needs a machine on which functions cannot write to their code (confinement.py), as links share what is in a file.
"""

import os
import shutil
import stat
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

SMALL_BYTES = 64 * 1024  # below that, unpacking is as quick as linking
KEPT = 8  # so many are kept unpacked; files that an environment has links to stay without that
LONGEST_NAME, LONGEST_PATH = 255, 4096 - 256  # of Linux, in bytes, below a folder of ours
LONGEST_TARGET = 4095  # of a link, in bytes
UNIX = (3, 19)  # who has made an archive with Unix's permissions: Unix and macOS, in the ZIP file format
PART = 1 << 20
FOLDER_MODE, FILE_MODE = 0o755, 0o644  # where an archive says nothing


class Unreadable(ValueError):
    """A zip file that cannot be unpacked as it stands; the message says what is wrong with it."""


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of a zip file: `path` is relative, without "." and "..", `mode` as of stat(2)."""

    info: zipfile.ZipInfo
    path: str
    mode: int


class Archives:
    """Unpacks zip files; keeps those used last below `home`. `may_link` says whether the machine allows for that."""

    def __init__(self, home: Path, may_link: Callable[[], bool]) -> None:
        self._home, self._may_link = home, may_link
        self._lock = threading.Lock()  # of environments that start together, one unpacks for all
        self._unpacked: OrderedDict[bytes, tuple[Path, dict[str, int]]] = OrderedDict()  # the one used last stands last
        self._made = 0

    def unpack(self, archives: Sequence[bytes], folder: Path) -> None:
        """Unpack these into a new folder, with the permissions that they hold; the last one wins."""
        folder.mkdir(parents=True)
        folder.chmod(FOLDER_MODE)
        modes: dict[str, int] = {}  # of folders: they get them at the end, as one may forbid to write into it
        if sum(map(len, archives)) < SMALL_BYTES or not self._may_link():
            for archive in archives:
                modes |= _unzip(archive, folder)
        else:
            with self._lock:
                for archive in archives:
                    kept, own_modes = self._kept(archive)
                    _link_all(kept, folder)
                    modes |= own_modes
        for path in sorted(modes, reverse=True):  # what lies in another comes before it
            if (folder / path).is_dir() and not (folder / path).is_symlink():
                (folder / path).chmod(modes[path])

    def close(self) -> None:
        with self._lock:
            self._unpacked.clear()
            remove(self._home)

    def _kept(self, archive: bytes) -> tuple[Path, dict[str, int]]:
        if archive not in self._unpacked:
            self._made += 1
            folder = self._home / str(self._made)
            folder.mkdir(parents=True)
            self._unpacked[archive] = folder, _unzip(archive, folder)
        self._unpacked.move_to_end(archive)
        while len(self._unpacked) > KEPT:
            remove(self._unpacked.popitem(last=False)[1][0])
        return self._unpacked[archive]


def check(archive: bytes) -> int:
    """How many files, folders and links it holds; Unreadable where it cannot be unpacked.

    All of it is read, as only then its checksums are known.
    """
    with _opened(archive) as package:
        entries = _entries(package)
        for entry in entries:
            if stat.S_ISLNK(entry.mode):
                _target(package, entry)
            else:
                for _ in _content(package, entry):
                    pass
    return len(entries)


_left: set[Path] = set()  # folders that could not be removed


def remove(folder: Path) -> None:
    """Remove a folder that may hold what its owner may not list or change; `remove_left` tries again."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for parent, names, _ in os.walk(folder):
            for path in (os.path.join(parent, name) for name in names):
                if not os.path.islink(path):
                    os.chmod(path, stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _left.add(folder)


def remove_left() -> None:
    """Remove what `remove` could not, as where no descriptor was left to look into it."""
    for folder in list(_left):
        _left.discard(folder)
        remove(folder)


def _opened(archive: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(archive))
    except (zipfile.BadZipFile, UnicodeError, ValueError, OSError) as error:
        raise Unreadable(str(error)) from error


def _entries(package: zipfile.ZipFile) -> list[Entry]:
    """What it holds, in order; Unreadable where one could not be where it says."""
    found = [_entry(info) for info in package.infolist()]
    kinds: dict[str, int] = {}
    for entry in found:
        kind = stat.S_IFMT(entry.mode)
        if stat.S_ISDIR(kinds.setdefault(entry.path, kind)) != stat.S_ISDIR(kind):
            raise Unreadable(f"{entry.path} is a file and a folder")
        kinds[entry.path] = kind
    for path in kinds:
        for parent in _parents(path):
            if not stat.S_ISDIR(kinds.get(parent, stat.S_IFDIR)):
                raise Unreadable(f"{path} lies in {parent}, which is no folder")
    return [entry for entry in found if entry.path]


def _entry(info: zipfile.ZipInfo) -> Entry:
    if not info.filename:
        raise Unreadable("a file has no name")
    names = [name for name in info.filename.split("/") if name not in ("", ".")]
    path = "/".join(names)
    if ".." in names or info.filename.startswith("/"):
        raise Unreadable(f"{info.filename} leads out of the package")
    if any(len(name.encode()) > LONGEST_NAME for name in names) or len(path.encode()) > LONGEST_PATH:
        raise Unreadable("a name is too long")
    if info.flag_bits & 1:
        raise Unreadable(f"{path} is encrypted")
    given = info.external_attr >> 16
    if info.is_dir():
        kind, usual = stat.S_IFDIR, FOLDER_MODE
    else:
        kind, usual = stat.S_IFLNK if stat.S_ISLNK(given) else stat.S_IFREG, FILE_MODE
    allowed = given & 0o777 if given or info.create_system in UNIX else usual
    return Entry(info, path, kind | _for_others(allowed))


def _for_others(allowed: int) -> int:
    """With these a function may do what others may, also where it is the owner of its files; nobody may write."""
    return (allowed & 0o222) | (allowed & 0o005) * 0o111


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _content(package: zipfile.ZipFile, entry: Entry) -> Iterator[bytes]:
    """What is in a file, in parts; Unreadable where it is not what the archive says of it."""
    size = 0
    try:
        with package.open(entry.info) as file:
            while part := file.read(PART):
                size += len(part)
                yield part
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable(f"{entry.path}: {error}") from error
    if size != entry.info.file_size:
        raise Unreadable(f"{entry.path} has another size than it says")


def _target(package: zipfile.ZipFile, entry: Entry) -> str:
    """Where a link leads; Unreadable where Linux has no such link."""
    target = b"".join(_content(package, entry))
    if not target or b"\0" in target or len(target) > LONGEST_TARGET:
        raise Unreadable(f"{entry.path} is a link that leads nowhere")
    return target.decode("utf-8", "surrogateescape")


def _unzip(archive: bytes, folder: Path) -> dict[str, int]:
    """Unpack it over what is there; returns the permissions that its folders are to have."""
    modes: dict[str, int] = {}
    with _opened(archive) as package:
        for entry in _entries(package):
            path = folder / entry.path
            for parent in (*reversed(list(_parents(entry.path))), *([entry.path] if stat.S_ISDIR(entry.mode) else [])):
                if parent not in modes:
                    _make_folder(folder / parent)
                    modes[parent] = FOLDER_MODE
            if stat.S_ISDIR(entry.mode):
                modes[entry.path] = stat.S_IMODE(entry.mode)
                continue
            _make_room(path)
            if stat.S_ISLNK(entry.mode):
                path.symlink_to(_target(package, entry))
                continue
            with open(path, "wb") as file:
                for part in _content(package, entry):
                    file.write(part)
            path.chmod(stat.S_IMODE(entry.mode))
    return modes


def _link_all(source: Path, target: Path) -> None:
    """The same files in another folder, over what is there."""
    for entry in os.scandir(source):
        path = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            _make_folder(path)
            _link_all(Path(entry.path), path)
        else:
            _make_room(path)
            if entry.is_symlink():
                path.symlink_to(os.readlink(entry.path))
            else:
                os.link(entry.path, path)


def _make_folder(path: Path) -> None:
    """A folder, also where a file or a link of an earlier layer is: nothing is ever written through a link."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        path.mkdir()
        path.chmod(FOLDER_MODE)


def _make_room(path: Path) -> None:
    """For a file or a link, also where there is something of an earlier layer."""
    if path.is_dir() and not path.is_symlink():
        remove(path)
    else:
        path.unlink(missing_ok=True)
