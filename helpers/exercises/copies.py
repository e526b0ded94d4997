"""A copy of the reader's function, which a check deploys in a form of its own: it leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..resources.cleanup import remove
from ..resources.ledger import Entry
from .deployed import Deployed
from .probe import Probe


@contextmanager
def copy(probe: Probe, ending: str, more_files: dict[str, str]) -> Iterator[Probe]:
    """A probe of a copy with these files besides its own, to be deployed while the block lasts; then it is removed.

    Its name is the function's with `ending`. Whoever asks for it deploys it, with `function.files` of the probe.
    """
    workshop, function = probe.workshop, probe.function
    name = f"{function.name}-{ending}"
    made = Deployed(function.configuration | {"FunctionName": name}, function.language, function.files | more_files)
    try:
        yield Probe(workshop, made)
    finally:
        remove(workshop, Entry("function", name))
        remove(workshop, Entry("log group", f"/aws/lambda/{name}"))


def wrapped(function: Deployed, handler: Path) -> dict[str, Any]:
    """What deploy() is told for a copy that runs `handler`, a file of its own, around READERS_HANDLER, the reader's."""
    variables = function.variables | {"READERS_HANDLER": str(function.configuration["Handler"])}
    own = {"Handler": f"{handler.stem}.handler", "Environment": {"Variables": variables}}
    return function.of_a_copy | own
