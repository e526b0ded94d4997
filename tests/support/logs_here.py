"""The logs of an embedded AWS, with what MiniStack knows of them, in the process of a test."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ministack.services import cloudwatch_logs

from helpers.localaws.services.logs.store import Logs


@contextlib.contextmanager
def logs_here(folder: Path, **most: float) -> Iterator[Logs]:
    """Logs that lie in this folder, which keep so much at `most`; gone afterwards, and with them all log groups."""
    logs = Logs(folder, **most)
    try:
        yield logs
    finally:
        cloudwatch_logs._log_groups.clear()
        logs.close()
