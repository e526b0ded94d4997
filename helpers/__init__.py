"""What the notebooks import: fewer than thirty public names, each loaded on first use.

Importing helpers needs the standard library alone and makes no network call.
"""

import importlib
import os
import sys
import types
import typing

# Public name: the module that defines it.
_DEFINED_IN = {
    "choose": "aws_choice",
    "connect": "connect",
    "package": "deploying.package",
    "package_layer": "deploying.package",
    "deploy": "deploying.deploy",
    "load_event": "events",
    "compare_events": "events",
    "reports": "measuring.reports",
    "plot_durations": "plots",
    "plot_timeline": "plots",
    "explore": "measuring.explore",
    "track": "measuring.loop_progress",
    "watch": "watch",
    "wait_until": "deploying.waiting",
    "predict": "session.predict",
    "predicted": "session.predict",
    "claim": "measuring.claims",
    "load_prices": "measuring.prices",
    "fact": "facts",
    "open_inbox": "inbox",
    "check": "exercises",
    "hint": "exercises",
    "solution": "exercises",
    "start_at": "session.starting_points",
    "reset": "session.starting_points",
    "draw_map": "session.workshop_map",
    "clean": "resources.cleanup",
    "join": "classroom.learner.joining",
    "hand": "classroom.learner.joining",
}

__all__ = sorted(_DEFINED_IN)


def __getattr__(name: str) -> typing.Any:
    if name not in _DEFINED_IN:
        raise AttributeError("helpers has no {!r}; it has {}".format(name, ", ".join(__all__)))
    return getattr(importlib.import_module("." + _DEFINED_IN[name], __name__), name)


def __dir__() -> typing.List[str]:  # noqa: UP006 (an old Python gets as far as here)
    return __all__


class _Package(types.ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        """Keep a public name from being hidden by the module of the same name, which import binds here."""
        if not (name in _DEFINED_IN and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

if "JPY_SESSION_NAME" in os.environ or "ipykernel" in sys.modules:  # a kernel of Jupyter's, or of VS Code's
    importlib.import_module(".jupyter.cells_run", __name__).watch()
    importlib.import_module(".classroom.learner.kernel", __name__).begin()
