"""The commands that start and stop the embedded AWS in the background, and print what its clients need."""

import os
import shlex

from .. import localaws, settings
from . import say


def start(fresh: bool = False) -> int:
    """Start it, unless it runs; 1 when it runs at another port than the reader asks for, or should begin `fresh`."""
    already = localaws.alive(settings.home())
    if already and os.environ.get("WORKSHOP_PORT") and settings.port() != already.port:
        say(f"The embedded AWS already runs at {already.url}; stop it first to use port {settings.port()}.")
        return 1
    if already and fresh:
        say("The embedded AWS runs; stop it first, and then start it with --fresh.")
        return 1
    options = settings.embedded_aws() | {"fresh": fresh}
    endpoint = localaws.start(settings.home(), settings.port(), settings.region(), **options)
    state = "already runs" if already else "now runs"
    say(f"The embedded AWS {state} at {endpoint.url} (process {endpoint.pid}).")
    if endpoint.found and not already:
        say(endpoint.found)
    return 0


def stop() -> int:
    """Stop it, whether it answers or not."""
    hung = localaws.alive(settings.home()) and not _answers()
    if not localaws.stop(settings.home()):
        say("The embedded AWS was not running, so there is nothing to stop.")
    else:
        say(f"The embedded AWS {'did not answer any more, and ' if hung else ''}is stopped.")
    return 0


def _answers() -> bool:
    try:
        return localaws.running(settings.home()) is not None
    except localaws.LocalAwsError:  # it answers, and cannot write its state file
        return True


def print_variables() -> int:
    """Print its variables as a shell's `export` lines; 1 when it does not run."""
    endpoint = localaws.running(settings.home())
    if endpoint is None and (hung := localaws.alive(settings.home())):
        say(hung.hung)
        return 1
    if endpoint is None:
        say("The embedded AWS is not running; start it with python3 -m helpers start.")
        return 1
    say(f"Printing what an AWS client needs to talk to {endpoint.url}.")
    for name, value in {**endpoint.variables(), **_no_proxy()}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _no_proxy() -> dict[str, str]:
    """What keeps a client from asking the reader's proxy, if there is one, for an address of this machine."""
    if not any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    own = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    excepted = ",".join(filter(None, [own, "127.0.0.1"]))
    return {"NO_PROXY": excepted, "no_proxy": excepted}
