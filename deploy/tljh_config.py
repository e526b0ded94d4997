"""The workshop for The Littlest JupyterHub: a file of /opt/tljh/config/jupyterhub_config.d. Not tried: README.md."""

import sys

sys.path.insert(0, "/opt/lambda-workshop/deploy")
from workshop_hub import configure  # noqa: E402

configure(c)  # noqa: F821 - JupyterHub gives it
