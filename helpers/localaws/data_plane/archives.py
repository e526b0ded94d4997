"""Zip files of code and layers, unpacked into the folders of an execution environment, as Lambda unpacks them.

What is large is unpacked once, and then linked: hundreds of files cost each of many environments some milliseconds.
That needs a machine on which functions cannot write to their code (confinement.py), as links share what is in a file.
"""

import os
import shutil
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

SMALL_BYTES = 64 * 1024  # below that, unpacking is as quick as linking
KEPT = 8  # so many are kept unpacked; files that an environment has links to stay without that


class Archives:
    """Unpacks zip files; keeps those used last below `home`. `may_link` says whether the machine allows for that."""

    def __init__(self, home: Path, may_link: Callable[[], bool]) -> None:
        self._home, self._may_link = home, may_link
        self._lock = threading.Lock()  # of environments that start together, one unpacks for all
        self._unpacked: OrderedDict[bytes, Path] = OrderedDict()  # the one used last stands last
        self._made = 0

    def unpack(self, archives: Sequence[bytes], folder: Path) -> None:
        """Unpack these into a new folder, with the permissions that they hold; the last one wins."""
        folder.mkdir(parents=True)
        if sum(map(len, archives)) < SMALL_BYTES or not self._may_link():
            for archive in archives:
                _unzip(archive, folder)
            return
        with self._lock:
            for archive in archives:
                shutil.copytree(self._kept(archive), folder, copy_function=_link, dirs_exist_ok=True)

    def close(self) -> None:
        with self._lock:
            self._unpacked.clear()
            shutil.rmtree(self._home, ignore_errors=True)

    def _kept(self, archive: bytes) -> Path:
        if archive not in self._unpacked:
            self._made += 1
            folder = self._home / str(self._made)
            folder.mkdir(parents=True)
            _unzip(archive, folder)
            self._unpacked[archive] = folder
        self._unpacked.move_to_end(archive)
        while len(self._unpacked) > KEPT:
            shutil.rmtree(self._unpacked.popitem(last=False)[1], ignore_errors=True)
        return self._unpacked[archive]


def _link(source: str, target: str) -> None:
    if os.path.lexists(target):
        os.unlink(target)
    os.link(source, target)


def _unzip(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(BytesIO(archive)) as package:
        for entry in package.infolist():
            path = Path(package.extract(entry, folder))
            if mode := entry.external_attr >> 16 & 0o777:
                path.chmod(mode)
