"""What makes a JupyterHub one for the workshop: the server, the AWS, the port, the folder and the name of each learner.

Standard library only, and readable by Python 3.9: The Littlest JupyterHub runs it in an environment of its own.
"""

import hashlib
import re
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
HOME = "~/lambda-workshop"  # what a learner makes, in the home folder of their system user

# Below the ports that the embedded AWS gives to function URLs, and those of outgoing connections.
FIRST_PORT, PORTS = 10_000, 10_000
TRIES = 20
# How many invocations the embedded AWS of a learner runs at a time. Without it each would take as many as the whole
# machine carries, up to AWS's 1,000. The tests run all notebooks with this number.
CONCURRENCY = 60
# How long a server may take to end: its kernels, and the embedded AWS with all functions.
END_S = 90

KEPT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DIGEST = re.compile(r"-[0-9a-f]{8}")
LONGEST = 20  # of WORKSHOP_LEARNER: settings.py


def configure(c, python=PYTHON):
    """Set what the workshop needs of JupyterHub's configuration `c`; `python` is that of the workshop's environment."""
    c.Spawner.cmd = [str(python), "-m", "helpers", "lab", "--hub"]
    c.Spawner.environment = {
        "WORKSHOP_HOME": HOME,
        "WORKSHOP_PORT": lambda spawner: str(port(spawner.user.id)),
        "WORKSHOP_CONCURRENCY": str(CONCURRENCY),
        "WORKSHOP_LEARNER": lambda spawner: learner(spawner.user.name),
    }
    c.Spawner.start_timeout = 120  # a class that begins at the same minute starts many at once
    c.Spawner.http_timeout = 120
    c.LocalProcessSpawner.interrupt_timeout = END_S
    c.JupyterHub.cleanup_servers = False  # a restart of the hub ends no learner's server


def learner(user):
    """The prefix of a user's resources: lower-case letters, digits and hyphens, and another one for each user.

    A name that is such a prefix stays as it is, unless it ends as those do that were made: with a digest.
    """
    if KEPT.fullmatch(user) and len(user) <= LONGEST and not DIGEST.fullmatch(user[-9:]):
        return user
    digest = hashlib.sha256(user.encode()).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[: LONGEST - 9].strip("-")
    return f"{words or 'learner'}-{digest}"


def port(number):
    """A free port for the embedded AWS of this user, by their number: the same each time, unless it is taken."""
    for step in range(TRIES):
        candidate = FIRST_PORT + (number - 1 + step * (PORTS // TRIES)) % PORTS
        if _is_free(candidate):
            return candidate
    raise RuntimeError(f"No port is free for user {number}.")


def _is_free(candidate):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", candidate))
        except OSError:
            return False
        return True
