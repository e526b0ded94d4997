"""claim() says so where a measurement does not show what the text beside it says."""

from typing import TYPE_CHECKING, Any

from ..arguments import TEXT, TRUTH, takes
from ..session import record

if TYPE_CHECKING:  # a notebook's kernel has no use for it
    from nbformat import NotebookNode

UNMET = "Not measured this time: "
WHY = "Other work on this machine, or the way to AWS, got in between. Run the cells that measure again."


@takes(says=TEXT, holds=TRUTH)
def claim(says: str, holds: Any) -> None:
    """Print a sentence where `holds` is false; nothing where it is true.

    `says` is what the text beside a measurement says of it: claim("a cold start takes longer", cold_ms > warm_ms).
    `build` measures again where a claim is not met, and does not publish the figures that contradict the text.
    """
    record.note("claim", says=says, holds=bool(holds))
    if not holds:
        print(f"{UNMET}{says}. {WHY}")


def unmet(notebook: "NotebookNode") -> list[str]:
    """What the claims of an executed notebook said that was not met."""
    texts = [
        output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    ]
    lines = [line for text in texts for line in text.splitlines()]
    return [line.removeprefix(UNMET).removesuffix(f". {WHY}") for line in lines if line.startswith(UNMET)]
