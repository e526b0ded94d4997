"""Runs scenarios on one account, and says of each whether it agrees with AWS."""

import secrets
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .answers import Writer, differences
from .declared import Scenario
from .world import Account, World

AT_ONCE = 6  # most of a scenario is waiting


@dataclass(frozen=True)
class Outcome:
    """Of one scenario; `why` says how it differs from AWS, a line for each place, and is empty where it agrees."""

    scenario: Scenario
    why: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.why


def run(
    scenarios: Iterable[Scenario],
    client: Callable[[str], Any],
    region: str,
    patience_s: float = 30,
    heard: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run them, several at once; `heard` is called with each outcome as soon as it is there."""
    account = Account(client, region, secrets.token_hex(3), patience_s)

    def outcome(each: Scenario) -> Outcome:
        result = Outcome(each, tuple(_differences(each, account)))
        heard(result)
        return result

    with account.worlds, ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(outcome, scenarios))


def _differences(scenario: Scenario, account: Account) -> list[str]:
    try:
        with World(account) as world:
            found = scenario.steps(world)
            written = Writer(account.number, account.region, world.names).written(found)
    except Exception as error:  # whatever another AWS does is an outcome
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__}: {error} ({where.name})"]
    return differences(scenario.gives, written)
