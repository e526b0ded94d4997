"""draw() makes the still picture of environments: an SVG without scripts, and a sentence that says the same.

It stands in saved notebooks, on paper and on GitHub, where nothing moves; so it has its own paper, and no colour alone
says anything.
"""

import textwrap
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from ..palette import BLUE, BLUE_TINT, DARK_GREY, GREY, ORANGE_TINT, PINK, RED
from .environments import STATES, Environment, Environments
from .strings import catalogue, say, time_text, visible

WIDTH, MARGIN, GAP = 880, 8, 8
TILE = (210, 80)
STRIP = 194  # width
CELL = 16  # of the dense grid, with its gap
DENSE = 60  # environments; with more of them, each is a cell
MOST_GROUPS = 12
LINE, LETTER = 118, 6.3  # characters of a line of the title; the width of one of a label
FONT = 'font-family="system-ui, sans-serif"'

# The same as in static/watch.css, where they are said for both themes.
PATTERNS = {
    "waiting": f'<rect width="6" height="6" fill="#fff"/><circle cx="3" cy="3" r="1.1" fill="{GREY}"/>',
    "init": f'<rect width="6" height="6" fill="{ORANGE_TINT}"/>'
    f'<path d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2" stroke="{RED}" stroke-width="1.6"/>',
    "idle": f'<rect width="6" height="6" fill="{BLUE_TINT}"/><path d="M0,3 h6" stroke="{BLUE}" stroke-width="0.8"/>',
    "busy": f'<rect width="6" height="6" fill="{BLUE}"/>',
    "ended": f'<rect width="6" height="6" fill="#fff"/><path d="M1,1 l4,4 M5,1 l-4,4" stroke="{GREY}"/>',
    "failed": f'<rect width="6" height="6" fill="{PINK}"/><path d="M0,0 l6,6 M6,0 l-6,6" stroke="#000"/>',
}


class Still(NamedTuple):
    """A picture that stays: an SVG, and what it says in words."""

    svg: str
    alt: str


class _Scale(NamedTuple):
    """How long a millisecond is on the strips."""

    px: float

    @property
    def bar_ms(self) -> float:
        """1, 2 or 5 times a power of ten, which is at most 80 px long."""
        steps = [step * 10.0**power for power in range(-1, 8) for step in (1, 2, 5)]
        return max((step for step in steps if step * self.px <= 80), default=steps[0])


def draw(environments: Environments, at: float) -> Still:
    """The picture of this moment, `at` in ms since 1970."""
    alt = environments.sentence()
    parts: list[str] = []
    y: float = MARGIN
    for line in textwrap.wrap(alt, LINE):
        y += 18
        parts.append(_text(MARGIN, y, line, size=14, weight=600))
    y += 10
    groups = environments.groups()
    scale = _scale(environments, at)
    is_dense = len(environments.all) > DENSE
    for (function, version), group in list(groups.items())[:MOST_GROUPS]:
        y += 18
        title = say("environments.group", function=function, version=version)
        parts.append(_text(MARGIN, y, _cut(title, WIDTH - 2 * MARGIN), size=12, weight=600))
        y += 8
        y = (_cells if is_dense else _tiles)(parts, group, scale, y, at)
    if len(groups) > MOST_GROUPS:
        y += 18
        parts.append(_text(MARGIN, y, say("environments.more", n=len(groups) - MOST_GROUPS), size=12))
    if groups:
        y = _legend(parts, y + 10, None if is_dense else scale)
    return Still(_document(parts, alt, y + MARGIN), alt)


def _document(parts: list[str], alt: str, height: float) -> str:
    patterns = "".join(
        f'<pattern id="watch-{name}" width="6" height="6" patternUnits="userSpaceOnUse">{pattern}</pattern>'
        for name, pattern in PATTERNS.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" '
        f'viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label={quoteattr(alt)} style="max-width:100%;height:auto">'
        f"<title>{escape(alt)}</title><defs>{patterns}</defs>"
        f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _tiles(parts: list[str], group: list[Environment], scale: _Scale, y: float, at: float) -> float:
    width, height = TILE
    in_a_row = (WIDTH - 2 * MARGIN + GAP) // (width + GAP)
    for number, environment in enumerate(group):
        row, column = divmod(number, in_a_row)
        _tile(parts, environment, scale, MARGIN + column * (width + GAP), y + row * (height + GAP), at)
    return y + (len(group) + in_a_row - 1) // in_a_row * (height + GAP)


def _tile(parts: list[str], environment: Environment, scale: _Scale, x: float, y: float, at: float) -> None:
    width, height = TILE
    parts.append(_box(x, y, width, height, "#fff", stroke="#bbb"))
    parts.append(_box(x + 8, y + 8, 14, 14, f"url(#watch-{environment.state})", stroke=DARK_GREY))
    parts.append(_text(x + 28, y + 19, say(f"environments.word.{environment.state}"), size=12, weight=600))
    made = environment.since if environment.state == "ended" else at
    age = say("environments.age", text=time_text(made - environment.created))
    parts.append(_text(x + width - 8, y + 19, age, anchor="end"))
    place = x + 8
    strip: dict[str, list[str]] = {}
    for kind, ms in segments(environment, at):
        length = min(max(2, ms * scale.px), x + 8 + STRIP - place)
        if length > 0.5:
            strip.setdefault(kind, []).append(_outline(place, y + 28, length, 10))
        place += length + 1
    parts += [_filled(kind, outlines) for kind, outlines in strip.items()]
    parts.append(f'<path d="M{x + 8:g},{y + 38.5:g} h{STRIP}" stroke="#bbb"/>')
    parts.append(_text(x + 8, y + 54, _said(environment)))
    parts.append(_text(x + 8, y + 70, _cut(_fate(environment), STRIP)))


def _said(environment: Environment) -> str:
    began = "restore_ms" if environment.initialization_type == "snap-start" else "init_ms"
    parts = [say(f"environments.{began}", text=time_text(environment.init_ms))] if environment.init_ms else []
    failed = [say("environments.failed_here", n=environment.failed)] if environment.failed else []
    return ", ".join([*parts, say("environments.invocations", n=environment.invocations), *failed])


def _fate(environment: Environment) -> str:
    """Why it has ended, or else its memory, and whether it is kept for calls to come."""
    if environment.state == "ended":
        id = f"environments.reason.{environment.reason}"
        return say(id) if id in catalogue() else say("environments.reason.other", reason=environment.reason)
    is_kept = environment.initialization_type == "provisioned-concurrency"
    return ", ".join(filter(None, [_memory(environment), say("environments.kept") if is_kept else ""]))


def _memory(environment: Environment) -> str:
    if environment.memory_size is None:
        return ""
    if environment.memory_mb is None:
        return say("environments.memory_size", size=environment.memory_size)
    return say("environments.memory", used=round(environment.memory_mb), size=environment.memory_size)


def _cells(parts: list[str], group: list[Environment], scale: _Scale, y: float, at: float) -> float:
    in_a_row = (WIDTH - 2 * MARGIN) // CELL
    cells: dict[str, list[str]] = {}
    for number, environment in enumerate(group):
        row, column = divmod(number, in_a_row)
        outline = _outline(MARGIN + column * CELL, y + row * CELL, CELL - 2, CELL - 2)
        cells.setdefault(environment.state, []).append(outline)
    parts += [_filled(kind, outlines, "#999") for kind, outlines in cells.items()]
    return y + (len(group) + in_a_row - 1) // in_a_row * CELL


def _legend(parts: list[str], y: float, scale: _Scale | None) -> float:
    x = MARGIN
    for kind in (*STATES, "ended", "failed"):
        word = say(f"environments.word.{kind}")
        parts.append(_box(x, y, 12, 12, f"url(#watch-{kind})", stroke=DARK_GREY))
        parts.append(_text(x + 17, y + 10, word))
        x += 32 + round(len(word) * LETTER)
    if scale and scale.px:
        x += 16
        length = scale.bar_ms * scale.px
        parts.append(f'<path d="M{x:g},{y + 3:g} v6 m0,-3 h{length:.1f} m0,-3 v6" stroke="{DARK_GREY}" fill="none"/>')
        parts.append(_text(x + length + 6, y + 10, time_text(scale.bar_ms)))
    return y + 14


def segments(environment: Environment, at: float) -> list[tuple[str, float]]:
    """The strip of an environment: what it spent its time on, init and invocations, and how many ms each took."""
    parts: list[tuple[str, float]] = [("init", environment.init_ms)] if environment.init_ms else []
    for each in environment.invocation_times:
        parts.append(("busy" if each["status"] == "success" else "failed", each["duration_ms"]))
    if environment.state in ("init", "busy"):
        parts.append((environment.state, max(0, at - environment.since)))
    return parts


def _scale(environments: Environments, at: float) -> _Scale:
    """The longest strip fills its room."""
    longest = max((sum(ms for _, ms in segments(each, at)) for each in environments.all.values()), default=0)
    return _Scale(STRIP / longest if longest else 0)


def _box(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    place = f'x="{x:.4g}" y="{y:.6g}" width="{width:.4g}" height="{height:.4g}"'
    return f'<rect {place} fill="{fill}"' + (f' stroke="{stroke}"/>' if stroke != "none" else "/>")


def _outline(x: float, y: float, width: float, height: float) -> str:
    """Of a box, in a path: many boxes of one pattern are one element, which is a fifth as long."""
    return f"M{x:.5g},{y:.6g}h{width:.4g}v{height:g}h-{width:.4g}z"


def _filled(kind: str, outlines: list[str], stroke: str = "none") -> str:
    return f'<path d="{"".join(outlines)}" fill="url(#watch-{kind})" stroke="{stroke}"/>'


def _text(x: float, y: float, text: str, size: int = 11, weight: int = 400, anchor: str = "start") -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:g}" y="{y:g}" {FONT} font-size="{size}"{bold}{end} fill="#222">{escape(visible(text))}</text>'


def _cut(text: str, width: float) -> str:
    most = int(width / LETTER)
    return text if len(text) <= most else text[: most - 1] + "…"
