"""Starts AWS's own runtime interface client for Python, on the handler that _HANDLER names.

Its options (-X): the folder of the runtime's packages, and those of the layers. As AWS's own bootstrap.py does, it
imports what the runtime itself needs before the function's folders are looked into, so that a json.py in there is not
for it; then the function's come first, the layers' next, and .pth files count in both. A function with a PYTHONPATH of
its own finds no layer.

AWS ships the client's native module `runtime_client` for Linux and some Pythons, and it keeps the address that it was
loaded with; elsewhere, and after a restore, lambda_stand_in.py takes its place.
"""

import importlib
import os
import site
import sys
import types

snapstart: types.ModuleType | None = None
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    snapstart = importlib.import_module("lambda_snapstart")  # while this file's own folder is the first on the path

here = sys.path[0]
packages, layers = (str(sys._xoptions[f"lambda_{what}"]) for what in ("packages", "layers"))
sys.path[:] = [packages, *(each for each in sys.path[1:] if each != packages)]  # in place of `here`
if os.environ.get("LC_CTYPE") == "C.UTF-8":
    del os.environ["LC_CTYPE"]  # Python sets it where a machine lacks the locale that LANG names (PEP 538)


def look_into_the_function() -> None:
    own = [os.environ["LAMBDA_TASK_ROOT"]]
    if os.environ.get("PYTHONPATH") == packages:  # the function has none of its own
        own += layers.split(os.pathsep)
    sys.path[:0] = own
    for folder in own:
        site.addsitedir(folder)


def stand_in() -> types.ModuleType:
    """What takes the place of the native module. It has a file of its own: to compile it would be a part of Init."""
    sys.path.insert(0, here)
    try:
        made: types.ModuleType = importlib.import_module("lambda_stand_in").stand_in()
        return made
    finally:
        sys.path.pop(0)


def write_whole_frames() -> None:
    """Let the client's log sink write on when a write was cut short, as happens to a process that was stopped in it."""
    import io

    from awslambdaric import bootstrap

    class Sink(bootstrap.FramedTelemetryLogSink):  # type: ignore[misc]
        def __enter__(self) -> "Sink":
            self.file = io.BufferedWriter(os.fdopen(self.fd, "wb", 0))
            return self

        def log(self, msg: object, frame_type: object = None) -> None:
            super().log(msg, frame_type)
            self.file.flush()

    bootstrap.FramedTelemetryLogSink = Sink


if __name__ == "__main__":
    try:
        import runtime_client  # noqa: F401
    except ImportError:
        sys.modules["runtime_client"] = stand_in()
    write_whole_frames()
    if snapstart:
        snapstart.install(stand_in)
    from awslambdaric.__main__ import main

    look_into_the_function()
    main([sys.argv[0], os.environ["_HANDLER"]])
