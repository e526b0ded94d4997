"""How often something may be asked: each address for itself, and all together."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

ADDRESSES = 1000  # that are remembered; who is forgotten begins anew, within the limit of all
ALL = ""


@dataclass
class _Bucket:
    """A bucket of tokens that fills at a steady rate."""

    tokens: float
    at: float


class Rates(NamedTuple):
    """`burst` at once, and then `rate` a second: of each address, and of all together."""

    rate: float
    burst: float
    all_rate: float
    all_burst: float


class Limit:
    """Buckets with these rates."""

    def __init__(self, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._one, self._all, self._clock = rates[:2], rates[2:], clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """How long until this address may ask; 0 where it may now."""
        with self._lock:
            return max(self._wait(ALL), self._wait(_network(address)))

    def count(self, address: str) -> None:
        """Count that it has asked."""
        with self._lock:
            for key in (ALL, _network(address)):
                self._filled(key).tokens -= 1

    def _wait(self, key: str) -> float:
        rate, _ = self._all if key == ALL else self._one
        return max(0.0, (1 - self._filled(key).tokens) / rate)

    def _filled(self, key: str) -> _Bucket:
        rate, burst = self._all if key == ALL else self._one
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens, bucket.at = min(burst, bucket.tokens + rate * (now - bucket.at)), now
        self._buckets.move_to_end(key)
        while len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket


def _network(address: str) -> str:
    """What counts as one: of IPv6 the /64, as one machine has a whole one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address or "unknown"
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
