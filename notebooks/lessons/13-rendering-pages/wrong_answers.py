"""Wrong answers to the exercises of notebook 13 that its checks do not calculate themselves."""

from helpers.exercises.exercise import WrongAnswer

# 13.1: (frame, workers) -> pages per second

WRONG_CAPACITIES = (
    WrongAnswer(
        "rounded", lambda frame, workers: round(workers * 1000 / 84), "it is rounded"
    ),
    WrongAnswer(
        "whole", lambda frame, workers: int(workers * 1000 / 84), "it is rounded"
    ),
    WrongAnswer(
        "a constant", lambda frame, workers: 10.0, r"returned 10 where 35\.71 is right"
    ),
    WrongAnswer(
        "a series",
        lambda frame, workers: 1000 / frame["wait_ms"],
        "returned a Series; return one number",
    ),
    WrongAnswer(
        "nothing", lambda frame, workers: None, "returned a NoneType; return one number"
    ),
    WrongAnswer(
        "raises",
        lambda frame, workers: frame["waits"],
        "raised KeyError: 'waits'; call it yourself",
    ),
)

# 13.2: what is put in place of something in a page that is right

CAREFUL = """
from html import escape
from urllib.parse import unquote

TEAS = {"1": "Sencha", "2": "Hojicha"}
HTML = {"content-type": "text/html"}


def handler(event, context):
    path = unquote(event["rawPath"])
    visitor = (event.get("queryStringParameters") or {}).get("visitor", "you")
    name = escape(visitor, quote=False)
    if path.startswith("/products/"):
        place = path.replace("products", "item")
        return {"statusCode": 302, "headers": {"location": place}, "body": ""}
    tea = TEAS.get(path[6:]) if path.startswith("/item/") else None
    if tea is None:
        return {"statusCode": 404, "headers": HTML, "body": f"<p>No {escape(path)}</p>"}
    return {"statusCode": 200, "headers": HTML, "body": f"<h1>{tea}</h1> for {name}"}
"""


def _but(name: str, old: str, new: str, says: str) -> WrongAnswer:
    """The careful page, with something put in place of something else."""
    return WrongAnswer(name, CAREFUL.replace(old, new), says)


WRONG_PAGES = (
    _but(
        "found, 200",
        '{"statusCode": 404',
        '{"statusCode": 200',
        r"/item/9 was answered 200, .* must be 404",
    ),
    _but(
        "gone, 410",
        '{"statusCode": 404',
        '{"statusCode": 410',
        r"/item/9 was answered 410; .* it is 404",
    ),
    _but(
        "no header",
        '{"statusCode": 404, "headers": HTML, "body": f"<p>No {escape(path)}</p>"}',
        '{"statusCode": 404}',
        "comes as application/json, and a browser would show the source",
    ),
    _but("an empty 404", 'f"<p>No {escape(path)}</p>"', '""', "has an empty body"),
    _but(
        "the path unescaped",
        "No {escape(path)}",
        "No {path}",
        "repeats the path unescaped",
    ),
    _but(
        "looked up all the same",
        "TEAS.get(path[6:])",
        "TEAS[path[6:]]",
        "There is no such page: answer 404",
    ),
    _but(
        "one number alone",
        "if tea is None",
        'if path == "/item/9"',
        "GET /item/42 was answered 200, and there is no such page",
    ),
    _but(
        "the first tea for all",
        'TEAS.get(path[6:]) if path.startswith("/item/") else None',
        "TEAS.get(path[6:], 'Sencha')",
        "was answered 200, and there is no such page",
    ),
    _but(
        "301",
        '{"statusCode": 302',
        '{"statusCode": 301',
        "remember for good; 302 is asked for",
    ),
    _but(
        "sent on with 200",
        '{"statusCode": 302',
        '{"statusCode": 200',
        "was answered 200; the old address is sent on",
    ),
    _but(
        "not sent on",
        'if path.startswith("/products/")',
        "if False",
        "/products/1 was answered 404; the old address",
    ),
    _but("no Location", '"headers": {"location": place}, ', "", "no header Location"),
    _but(
        "to the list",
        'path.replace("products", "item")',
        '"/"',
        "leads to '/'; its header Location must be '/item/1'",
    ),
    _but(
        "always to the first",
        'path.replace("products", "item")',
        '"/item/1"',
        "leads to '/item/1'; its header Location .* '/item/2'",
    ),
    _but(
        "the name unescaped",
        "name = escape(visitor, quote=False)",
        "name = visitor",
        "into the page as they are",
    ),
    _but(
        "escaped twice",
        "name = escape(visitor, quote=False)",
        "name = escape(escape(visitor))",
        "escaped twice",
    ),
    _but(
        "no &",
        "escape(visitor, quote=False)",
        'visitor.replace("<", "&lt;").replace(">", "&gt;")',
        "must become '&amp;' as well",
    ),
    _but(
        "left out",
        "escape(visitor, quote=False)",
        '"".join(c for c in visitor if c not in "<>&")',
        "nothing of it may be left out",
    ),
    _but(
        "always you",
        "escape(visitor, quote=False)",
        "escape('you')",
        "showed 'Ada-.*' before, and no longer does",
    ),
    _but("no tea", "<h1>{tea}</h1>", "", "showed 'Sencha' before"),
    _but(
        "201",
        '{"statusCode": 200',
        '{"statusCode": 201',
        "must be answered 200 as before, and was 201",
    ),
    _but(
        "no header for a tea",
        '200, "headers": HTML',
        "200",
        "/item/1 comes as application/json",
    ),
    _but(
        "another handler",
        "def handler",
        "def page",
        "was answered 502: the function failed with Runtime.HandlerNotFound",
    ),
    _but(
        "no import",
        "from html import escape\n",
        "",
        "the function failed with NameError: name 'escape' is not defined",
    ),
    _but(
        "a syntax error",
        "def handler(event, context):",
        "def handler(event, context)",
        "failed with Runtime.UserCodeSyntaxError: ",
    ),
)
