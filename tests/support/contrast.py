"""How well a colour can be read on another one: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

import re

from helpers.local_page import style

ENOUGH = 4.5  # WCAG 2.2, 1.4.3
# What page.css calls each colour, and which it is, in light and in dark.
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    for part in style.FILE.read_text(encoding="utf-8").split("(prefers-color-scheme: dark)", 1)
)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
