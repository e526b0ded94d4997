"""A JupyterHub for a class on one machine: each learner is a user of the system, and logs in as that.

README.md beside this file says how to install and start it.
"""

import os
import sys
from pathlib import Path

from helpers.localaws import find_runtime

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from workshop_hub import configure  # noqa: E402

c = get_config()  # noqa: F821 - JupyterHub gives it

configure(c, sys.executable)

# The hub answers at this machine alone. A web server with a certificate stands in front of it: README.md.
c.JupyterHub.bind_url = os.environ.get("HUB_BIND_URL", "http://127.0.0.1:8000")
c.ConfigurableHTTPProxy.command = [
    *find_runtime("nodejs24.x").command[:1],
    str(HERE / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
]

c.PAMAuthenticator.allowed_groups = {"workshop"}  # groups of the system
c.PAMAuthenticator.admin_groups = {"sudo"}

# The server of a learner who has gone ends, and the embedded AWS with it; the folder stays, and so does what is in it.
IDLE_S = os.environ.get("HUB_IDLE_S", "3600")
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_S}"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
