"""Writes outcomes into the README of the embedded AWS, between marks; they are kept as data, which it is made of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import settings
from ..files.marks import between
from ..files.whole_file import write_whole
from .declared import RECORDED, Scenario
from .members import table as members_table
from .running import Outcome

FOLDER = settings.ROOT / "helpers" / "localaws"
PAGE, DATA = FOLDER / "README.md", FOLDER / "conformance.json"
BEGIN = "<!-- The outcomes: `python3 -m helpers conformance --write` writes them. -->"
END = "<!-- The outcomes end. -->"
PART = between(BEGIN, END)
MEMBERS_BEGIN = "<!-- The members: `python3 -m helpers conformance --write` writes them. -->"
MEMBERS_END = "<!-- The members end. -->"
MEMBERS = between(MEMBERS_BEGIN, MEMBERS_END)


@dataclass(frozen=True)
class Row:
    """A scenario, and which of the AWSs that it ran on agree with AWS; `reason` says why the embedded one does not."""

    area: str
    name: str
    recorded: bool
    agrees: dict[str, bool]
    refused: str
    not_yet: str

    @classmethod
    def of(cls, scenario: Scenario, outcomes: Mapping[str, Outcome]) -> "Row":
        agrees = {name: outcome.agrees for name, outcome in outcomes.items()}
        recorded = scenario.source.kind == RECORDED
        return cls(scenario.area, scenario.name, recorded, agrees, scenario.refused, scenario.not_yet)

    @property
    def reason(self) -> str:
        return self.refused or self.not_yet


def rows(outcomes: Mapping[str, Iterable[Outcome]]) -> list[Row]:
    """One for each scenario, from the outcomes on each AWS, by its name."""
    by_title = {name: {each.scenario.title: each for each in found} for name, found in outcomes.items()}
    scenarios = next(iter(by_title.values())).values()
    return [
        Row.of(each.scenario, {name: found[each.scenario.title] for name, found in by_title.items()})
        for each in scenarios
    ]


def write(found: list[Row], members: dict[str, dict[str, str]], ours: str) -> None:
    """Put both tables on the page, and what they are made of beside it."""
    data = {"scenarios": [asdict(each) for each in found], "members": members}
    write_whole(DATA, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    text = PART.sub(lambda _: part(found, ours), PAGE.read_text(encoding="utf-8"), count=1)
    write_whole(PAGE, MEMBERS.sub(lambda _: members_part(members), text, count=1))


def read(file: Path = DATA) -> tuple[list[Row], dict[str, dict[str, str]]]:
    data = json.loads(file.read_text(encoding="utf-8"))
    return [Row(**each) for each in data["scenarios"]], data["members"]


def members_part(members: dict[str, dict[str, str]]) -> str:
    """What stands between the marks of the members."""
    return f"\n{members_table(members)}\n\n"


def part(found: list[Row], ours: str) -> str:
    """What stands between the marks."""
    told = [each for each in found if each.recorded and not each.refused]
    agree = sum(each.agrees[ours] for each in told)
    share = (
        f"Of the {len(told)} scenarios that recordings of AWS describe and that need nothing which is refused here on "
        f"purpose, {agree} agree ({100 * agree / len(told):.1f} %)."
    )
    return f"\n{table(found)}\n\n{share}\n\n{differing(found, ours)}\n"


def table(found: list[Row]) -> str:
    """By area: how many scenarios, and how many of them agree on each AWS."""
    names = list(found[0].agrees)
    areas = [*dict.fromkeys(each.area for each in found), "all"]
    lines = [["", "scenarios", *names], ["---"] * (2 + len(names))]
    for area in areas:
        here = [each for each in found if area in (each.area, "all")]
        lines.append([area, str(len(here)), *(str(sum(each.agrees[name] for each in here)) for name in names)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differing(found: list[Row], ours: str) -> str:
    """The scenarios that do not agree, with the reason."""
    different = [each for each in found if not each.agrees[ours]]
    if not different:
        return "All agree."
    lines = [f"- **{each.area}**, {each.name}: {each.reason or 'not looked into yet.'}" for each in different]
    return "\n".join(["These do not agree:", "", *lines])
