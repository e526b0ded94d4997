"""Renders the pages of a small tea shop. The function and the server of notebook 13 share this file."""

import html
import os
import time
from string import Template

TEAS = {
    "1": ("Sencha", 480),
    "2": ("Hojicha", 390),
    "3": ("Genmaicha", 420),
    "4": ("Matcha", 950),
}
PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<link rel="stylesheet" href="$style">
</head>
<body>
<header><img src="$logo" alt="" width="48" height="48"><h1>$title</h1></header>
$body
</body>
</html>
""")


def render(path, visitor="you"):
    """Return the status and the HTML of one page. What comes from outside is escaped."""
    if path == "/":
        rows = "".join(
            f'<li><a href="/item/{number}">{tea}</a></li>'
            for number, (tea, _) in TEAS.items()
        )
        chosen = f"<p>Chosen for {html.escape(visitor)}:</p>"
        return 200, fill("Tea for you", f"{chosen}<ul>{rows}</ul>")
    number = path.removeprefix("/item/")
    tea = look_up(number)
    if tea is None:
        return 404, fill("No such page", '<p>Try <a href="/">the list</a>.</p>')
    price = f"<p>{tea[1]} yen, number {number}</p>"
    return 200, fill(tea[0], f'{price}<p><a href="/">All teas</a></p>')


def look_up(number):
    """What a database would answer, and how long it would take."""
    time.sleep(0.1)
    if number == os.environ.get("CRASH_AT"):
        os._exit(1)  # the whole process ends, as when memory runs out
    return TEAS.get(number)


def fill(title, body):
    style = html.escape(os.environ.get("STYLE", "/static/site.css"))
    logo = html.escape(os.environ.get("LOGO", "/static/logo.svg"))
    return PAGE.substitute(title=title, body=body, style=style, logo=logo)
