"""The learner's access key: random, and kept in a file that its owner alone may read.

It stays the same when the embedded AWS is started anew, so that a terminal that was set up for it goes on working.
"""

import json
import re
import secrets
import string
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .private_file import write_private

KEY_FILE = "access-key.json"
ID_CHARACTERS = string.ascii_uppercase + "234567"  # what AWS's own ids are made of
USER = "AKIA"  # begins the key of a user: "Unique identifiers", IAM User Guide, reference_identifiers
SESSION = "ASIA"  # begins one that is valid for a time
SECRET_LENGTH = 40


@dataclass(frozen=True)
class AccessKey:
    """The two halves of an access key; whoever has both may sign requests."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def new_access_key(kind: str = USER) -> AccessKey:
    """A key that nobody can guess."""
    identifier = kind + "".join(secrets.choice(ID_CHARACTERS) for _ in range(16))
    return AccessKey(identifier, secrets.token_urlsafe(SECRET_LENGTH)[:SECRET_LENGTH])


def access_key_of(home: Path) -> AccessKey:
    """The key of the embedded AWS in this folder, made where there is none that can be used."""
    file = home / KEY_FILE
    key = _read(file)
    if key is None:
        key = new_access_key()
        write_private(file, json.dumps(asdict(key)))
    return key


def _read(file: Path) -> AccessKey | None:
    """The key in a file, if it has one and nobody else could read it."""
    try:
        if file.stat().st_mode & 0o077:
            return None
        key = AccessKey(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    if not all(isinstance(text, str) for text in (key.access_key_id, key.secret_access_key)):
        return None
    sound = re.fullmatch(r"AKIA[A-Z2-7]{16}", key.access_key_id) and len(key.secret_access_key) == SECRET_LENGTH
    return key if sound else None
