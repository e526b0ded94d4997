"""What a notebook of the workshop holds besides its cells: nothing of a machine, so that opening one changes no file.

JupyterLab writes the kernel's exact version into a notebook as soon as it is open; `lab` has it keep this instead.
A live picture of watch() is saved as the still one that is beside it: a widget ends with its kernel.
"""

from pathlib import Path
from typing import Any

from .. import settings

WIDGET, STILL = "application/vnd.jupyter.widget-view+json", "image/svg+xml"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


def before_saving(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Make a notebook what is saved of it; Jupyter's contents manager calls it before it writes a file."""
    folder = Path(contents_manager.root_dir, path).parent.resolve()
    if model["type"] == "notebook" and folder in (settings.NOTEBOOKS, settings.home() / "notebooks"):
        model["content"]["metadata"] = METADATA
        for cell in model["content"]["cells"]:
            for output in cell.get("outputs", []):
                if STILL in output.get("data", {}):
                    output["data"].pop(WIDGET, None)
