"""The templates of a page, in a folder beside its code: what was typed, said or logged is text in all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2


def page_templates(folder: Path, words: Callable[..., str], **more: Any) -> jinja2.Environment:
    """The templates below a folder. `words` is `t` in them; `more` is what else jinja2.Environment takes."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        **more,
    )
    templates.globals["t"] = words
    return templates
