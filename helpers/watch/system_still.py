"""draw() makes the still picture of a system: an SVG without scripts, and a sentence that says what is in it.

The page's own modules draw it, dagre's layout included, in Node.js, which the environment brings: so it is the picture
that the page shows, and nothing here knows how to lay out a graph.
"""

import json
import subprocess
import textwrap
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from .. import localaws
from ..palette import BROWN, DARK_GREY, GREY, PARTS, RED
from . import static_files
from .discovery import System
from .still import Still
from .strings import catalogue, say
from .system_counts import OfNode, Sample

NODE = "nodejs24.x"
LIMIT_S = 20  # a machine that does much else takes its time to start Node
SCRIPT = static_files.FOLDER.parent / "system_still.mjs"
MODULES = {"dagre": "vendor/dagre.esm.js", "system": "system.js", "root": "watch.js"}
LEAST_WIDTH = 480
PEAKS = 4  # that the sentence names
LINE, LETTER = 20, 8.4  # the height of a line of the sentence above the picture; the width of a letter of it
LOOK = {  # on white paper, as in static/system.css for the light theme
    "prefix": "watch-system-still",
    "fills": True,  # a sparkline is as long as what was counted
    "ink": "#222",
    "muted": "#555",
    "paper": "#fff",
    "line": "#bbb",
    "edge": DARK_GREY,
    "bad": RED,
    "kinds": PARTS | {"topic": "#8a2f63", "source": BROWN, "other": GREY},
}


class Seen(NamedTuple):
    """What was seen of a system: numbers by the ids of nodes and, for what moved, of edges."""

    counts: dict[str, OfNode]  # now
    most: dict[str, OfNode]
    samples: dict[str, list[Sample]]  # of queues, lately
    moved: dict[str, int]


def draw(system: System, seen: Seen) -> Still | None:
    """The picture; None where there is no Node.js."""
    alt = sentence(system, seen)
    try:
        width, height, parts = _drawn(json.dumps([system.message(), seen.counts, seen.samples, seen.moved]))
    except localaws.MissingRuntime:
        return None
    width = max(width, LEAST_WIDTH)
    lines = textwrap.wrap(alt, int((width - 20) / LETTER))
    top = LINE * len(lines) + 8
    heads = "".join(
        f'<text x="10" y="{LINE * number}" font-family="system-ui, sans-serif" font-size="14" font-weight="600" '
        f'fill="#222">{escape(line)}</text>'
        for number, line in enumerate(lines, start=1)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + top:.0f}" '
        f'viewBox="0 0 {width:.0f} {height + top:.0f}" role="img" aria-label={quoteattr(alt)} '
        f'style="max-width:100%;height:auto"><title>{escape(alt)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{heads}<g transform="translate(0,{top})">{parts}</g></svg>'
    )
    return Still(svg, alt)


def sentence(system: System, seen: Seen) -> str:
    """E.g. "2 functions, 3 queues. 0 waiting, 0 in flight, 0 running, 0 throttled. At most 48 waiting in jobs."."""
    if not system.nodes:
        return say("system.empty")
    kinds = Counter(node.kind for node in system.nodes)
    parts = ", ".join(say(f"system.count.{kind}", n=n) for kind, n in kinds.items())
    if not seen.counts:
        return say("system.summary", parts=parts)
    keys = ("waiting", "in_flight", "running", "throttled")
    numbers = {key: sum(each.get(key, 0) for each in seen.counts.values()) for key in keys}
    peaks = [
        (seen.most[node.id].get(what, 0), say(f"system.most.{what}", n=seen.most[node.id][what], name=node.short))
        for node in system.nodes
        for what in ("waiting", "running")
        if seen.most.get(node.id, {}).get(what)
    ]
    told = ", ".join(text for _, text in sorted(peaks, reverse=True)[:PEAKS])
    said = f"{say('system.summary', parts=parts)} {say('system.spoken', **numbers)}"
    return f"{said} {say('system.most', parts=told)}" if told else said


@lru_cache(maxsize=8)
def _drawn(numbers: str) -> tuple[float, float, str]:
    """Width, height and the elements of the picture; for the same numbers it is the same."""
    system, counts, samples, moved = json.loads(numbers)
    node = localaws.find_runtime(NODE).command[0]
    given: dict[str, Any] = {
        "system": system,
        "counts": counts,
        "samples": samples,
        "moved": moved,
        "strings": catalogue(),
        "look": LOOK,
        "modules": {name: static_files.read(file) for name, file in MODULES.items()},
    }
    done = subprocess.run(
        [node, SCRIPT], input=json.dumps(given).encode(), capture_output=True, timeout=LIMIT_S, check=True
    )
    answer = json.loads(done.stdout)
    return answer["width"], answer["height"], answer["parts"]
