"""Entries as bytes and back: Python's pickle for plain values alone, with what is large once, beside it, by its digest.

To read a pickle may run whatever it names. Here it can name nothing but the few types of `TYPES`.
"""

import collections
import datetime
import decimal
import io
import pickle
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

PROTOCOL = 5
LARGE = 16 * 1024  # bytes, from which on a value lies beside the entries that hold it
TYPES: dict[tuple[str, str], type] = {
    (each.__module__, each.__qualname__): each
    for each in (
        collections.defaultdict,
        collections.deque,
        collections.OrderedDict,
        collections.Counter,
        datetime.date,
        datetime.datetime,
        datetime.timedelta,
        datetime.timezone,
        decimal.Decimal,
        bytearray,
        complex,
        dict,
        frozenset,
        list,
        set,
    )
}

Digest = bytes
Refusal = pickle.UnpicklingError


def digest_of(data: bytes) -> Digest:
    return blake2b(data, digest_size=16).digest()


class Blobs:
    """The large values that entries hold. Bytes never change, so that the same object need not be looked at twice."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, Digest]] = {}  # by id; while it is in here, no other object has this id

    def digest(self, data: bytes) -> Digest:
        known = self._known.get(id(data))
        if known is None:
            known = self._known[id(data)] = data, digest_of(data)
        return known[1]

    def noted(self, data: bytes, digest: Digest) -> bytes:
        """The same bytes, whose digest is known from now on."""
        self._known[id(data)] = data, digest
        return data

    def keep(self, wanted: set[Digest]) -> None:
        """Let go of all others."""
        self._known = {key: known for key, known in self._known.items() if known[1] in wanted}


def holds_large(value: Any, depth: int = 3) -> bool:
    """Whether there is a large value in this one, not too deep: to look is quicker than to encode as if there were."""
    if type(value) is bytes:
        return len(value) >= LARGE
    if depth == 0 or type(value) not in (dict, list, tuple):
        return False
    return any(holds_large(each, depth - 1) for each in (value.values() if type(value) is dict else value))


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, blobs: Blobs) -> None:
        super().__init__(file, PROTOCOL)
        self._blobs = blobs
        self.found: dict[Digest, bytes] = {}

    def persistent_id(self, obj: Any) -> Digest | None:
        if type(obj) is not bytes or len(obj) < LARGE:
            return None
        digest = self._blobs.digest(obj)
        self.found[digest] = obj
        return digest


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, read: Callable[[Digest], bytes]) -> None:
        super().__init__(io.BytesIO(data))
        self._read = read
        self.found: set[Digest] = set()

    def persistent_load(self, pid: Any) -> bytes:
        self.found.add(pid)
        return self._read(pid)

    def find_class(self, module_name: str, global_name: str) -> Any:
        if found := TYPES.get((module_name, global_name)):
            return found
        raise Refusal(f"{module_name}.{global_name} has no place in the state.")


def encoded(value: Any, blobs: Blobs | None) -> tuple[bytes, dict[Digest, bytes]]:
    """A value as bytes, and the large values in it; without `blobs` these stay in it, which is several times faster."""
    if blobs is None:
        return pickle.dumps(value, PROTOCOL), {}
    file = io.BytesIO()
    pickler = _Pickler(file, blobs)
    pickler.dump(value)
    return file.getvalue(), pickler.found


def decoded(data: bytes, read: Callable[[Digest], bytes]) -> tuple[Any, set[Digest]]:
    """The value, and which large values are in it: `read` gives them. Raises whatever damaged bytes lead to."""
    unpickler = _Unpickler(data, read)
    return unpickler.load(), unpickler.found
