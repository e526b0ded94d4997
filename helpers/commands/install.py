"""Adds what a JupyterHub for a class needs to the environment, which is made before this runs."""

import compileall
import sysconfig

from .. import settings
from ..errors import WorkshopError
from ..installing import environment
from ..localaws import npm
from . import say


class HubNotAdded(WorkshopError):
    """JupyterHub could not be added; the message is one sentence for the reader."""


def install(hub: bool) -> int:
    """Add JupyterHub and its proxy, if asked for. Raises EnvironmentProblem or HubNotAdded."""
    if hub:
        say("Adding JupyterHub to the environment.")
        environment.add_hub()
        if not npm.is_installed(settings.HUB_PROXY):
            say("Adding its proxy.")
            try:
                npm.install(settings.HUB_PROXY, settings.wheels())
            except npm.NpmError as error:
                raise HubNotAdded(f"The proxy of JupyterHub could not be added: {error}") from None
        say("Compiling what learners may not write beside.")
        for folder in (settings.ROOT / "helpers", sysconfig.get_path("purelib")):
            compileall.compile_dir(folder, quiet=2, workers=0)
    say("Everything is there; python3 -m helpers lab opens the workshop." if not hub else "JupyterHub is there.")
    return 0
