"""`python3 -m helpers conformance`: holds an AWS against what AWS answers; the table goes into the engine's README."""

from .. import settings
from ..bench.embedded_aws import EmbeddedAws
from ..conformance import members, page, reads, running, targets
from ..conformance.declared import Scenario, load
from ..errors import WorkshopError
from . import say

AWS_PATIENCE_S = 300  # what takes seconds here takes minutes there


class ConformanceError(WorkshopError):
    """What cannot be run; the message is one sentence."""


def run(words: list[str], endpoint_url: str | None = None, write: bool = False) -> int:
    """Run the scenarios whose titles have one of `words`, or all, on both of our own AWSs or at an address.

    Print a table, and for each scenario that differs how. Return 1 where one differs that has no reason to.
    """
    scenarios = [each for each in load() if not words or any(word.lower() in each.title.lower() for word in words)]
    if not scenarios:
        raise ConformanceError(f"There is no scenario with {' or '.join(words)} in its title.")
    if write and (words or endpoint_url):
        raise ConformanceError("All scenarios go into the README, on both; leave out the words and the address.")
    if endpoint_url:
        client, region = targets.at(endpoint_url)
        patience_s = AWS_PATIENCE_S if endpoint_url == targets.AWS else 30
        outcomes = {endpoint_url: running.run(scenarios, client, region, patience_s)}
        ours = ""
    else:
        outcomes = {name: _own(name, scenarios) for name in targets.OWN}
        ours = EmbeddedAws.name
    found = page.rows(outcomes)
    for outcome in outcomes[ours or str(endpoint_url)]:
        for line in outcome.why:
            say(f"{outcome.scenario.title}: {line}")
    print(page.table(found))
    if write:
        with targets.own(ours) as client:
            page.write(found, members.all_outcomes(client, targets.REGION, reads.EVERYTHING), ours)
        say(f"The table is in {page.PAGE.relative_to(settings.ROOT)}.")
    return int(any(ours and not each.agrees[ours] and not each.reason for each in found))


def write_again() -> int:
    """Make the README's part anew of the outcomes of the last run."""
    page.write(*page.read(), EmbeddedAws.name)
    say(f"The table in {page.PAGE.relative_to(settings.ROOT)} is written anew.")
    return 0


def _own(name: str, scenarios: list[Scenario]) -> list[running.Outcome]:
    say(f"Running {len(scenarios)} scenarios on {name}.")
    with targets.own(name) as client:
        return running.run(scenarios, client, targets.REGION)
