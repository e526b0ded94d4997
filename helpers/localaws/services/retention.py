"""What AWS does not keep for ever is dropped once an hour: old metrics, and log events past the retention of a group.

AWS deletes log events some time after they have expired, up to 72 hours:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

import contextvars
import logging
import threading
import time

from .cloudwatch import retention as metrics
from .logs.store import Logs

EVERY_S = 3600.0

log = logging.getLogger("localaws.retention")


class Retention:
    """Drops what is too old, metrics and events of `logs`, in a thread of its own."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def resume(self) -> None:
        """Begin, once everything is restored."""
        threading.Thread(target=contextvars.Context().run, args=(self._go_on,), daemon=True, name="retention").start()

    def _go_on(self) -> None:
        while True:
            for drop in (metrics.drop, self._logs.drop):
                try:
                    drop(time.time())
                except Exception:
                    log.exception("retention")
            time.sleep(EVERY_S)
