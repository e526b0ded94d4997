"""SQLite as the embedded AWS keeps what lasts: a file for this process alone, with a write-ahead log.

What was committed is there after a kill -9 at any moment. The log is not forced to the disk at each commit, so that
after a power cut the last moments may be missing, and no more than that. Room that is free is given back.
"""

import sqlite3
from pathlib import Path

OF_A_NEW_FILE = "auto_vacuum = full"
SETTINGS = ("locking_mode = exclusive", "journal_mode = wal", "synchronous = normal", "journal_size_limit = 4194304")


def connected(path: Path) -> sqlite3.Connection:
    """The file, which is made for its owner alone. Each statement is a transaction, unless one was begun.

    Raises sqlite3.Error where another process has it, or it is no database.
    """
    path.touch(0o600)  # as SQLite's other files beside it are then
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0)
    try:
        for setting in SETTINGS if path.stat().st_size else (OF_A_NEW_FILE, *SETTINGS):
            database.execute(f"pragma {setting}")
    except sqlite3.Error:
        database.close()
        raise
    return database
