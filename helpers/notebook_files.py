"""What a notebook of the workshop holds besides its cells: nothing of a machine, so that opening one changes no file.

JupyterLab writes the kernel's exact version into a notebook as soon as it is open; `lab` has it keep this instead.
"""

from typing import Any

FOLDER = "notebooks/"  # below JupyterLab's root
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


def before_saving(model: dict[str, Any], path: str, **_: Any) -> None:
    """Give a notebook of the workshop our metadata; Jupyter's contents manager calls it before it writes a file."""
    if model["type"] == "notebook" and path.startswith(FOLDER):
        model["content"]["metadata"] = METADATA
