"""Makes a folder of wheels, for the machines of a room that has no network."""

import argparse
import itertools

from .. import localaws, settings
from ..installing import wheels
from . import say


def make(options: argparse.Namespace) -> int:
    """Make the folder that `options` ask for; 2 where they name a Python or a platform that there is none for."""
    here = wheels.here()
    pythons, platforms = options.python or [here.python], options.platform or [here.platform]
    for wanted, known in ((pythons, wheels.PYTHONS), (platforms, tuple(wheels.PLATFORMS))):
        if unknown := next((each for each in wanted if each not in known), None):
            say(f"There are no wheels for {unknown!r}; choose of {', '.join(known)}.")
            return 2
    locks = [settings.LOCK]
    locks += [settings.JAVA_LOCK] if options.java else []
    locks += [settings.RUNTIMES_LOCK] if options.runtimes else []
    locks += [settings.HUB_LOCK] if options.hub else []
    locks += [settings.SITE_LOCK] if options.site else []
    options.folder.mkdir(parents=True, exist_ok=True)
    for python, platform in itertools.product(dict.fromkeys(pythons), dict.fromkeys(platforms)):
        say(f"Downloading the wheels for Python {python} on {platform}.")
        wheels.download(options.folder, wheels.Target(python, platform), locks)
    say("Downloading the packages of Node.js.")
    projects = [localaws.node_sdk.FOLDER, *([settings.HUB_PROXY] if options.hub else [])]
    for project in projects:
        wheels.download_node(options.folder, project)
    size = sum(file.stat().st_size for file in options.folder.iterdir() if file.is_file())
    say(
        f"{options.folder} has all that is needed ({size / 1e6:,.0f} MB): take it and this checkout to the other "
        "machine, and say there WORKSHOP_WHEELS=FOLDER python3 -m helpers lab."
    )
    return 0
