"""What a notebook of the workshop holds besides its cells: nothing of a machine, so that opening one changes no file.

JupyterLab writes the kernel's exact version into a notebook as soon as it is open; `lab` has it keep this instead.
A widget is saved as what is beside it, such as the still picture of watch() or the words of a prediction: it ends with
its kernel, and JupyterLab would show a broken one for ever after.
"""

import re
from pathlib import Path
from typing import Any

from .. import settings

WIDGET, STILL, TEXT = "application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"
OF_PYTHON = re.compile(r"\w+\(|$")  # how a text begins that is no words for a reader, such as HBox(children=…)
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
                data = output.get("data", {})
                if WIDGET in data and _says_something(data):
                    del data[WIDGET]


def _says_something(data: dict[str, Any]) -> bool:
    """Whether an output has more to show than its widget."""
    text = data.get(TEXT, "")
    words = text if isinstance(text, str) else "".join(text)
    return bool(set(data) - {WIDGET, TEXT}) or not OF_PYTHON.match(words)
