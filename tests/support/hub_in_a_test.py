"""A real JupyterHub for a test: made in an environment of its own, started, restarted, and asked by its API."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

from localaws_client import eventually

from helpers import localaws

TOKEN, PASSWORD = "a-token-of-this-test", "a-password-of-this-test"
LIMIT_S = 180

CONFIG = """
load_subconfig({trial!r})
c = get_config()
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.JupyterHub.services.append({{"name": "test", "api_token": {token!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers", "list:users", "read:users"]}}
)
# lets the test see cells that are not on the screen; nothing else differs from a learner's JupyterLab
c.Spawner.environment["JUPYTER_CONFIG_DIR"] = {jupyter!r}
"""


def install(folder: Path) -> Path:
    """Install JupyterHub by the command for it, and return the Python that has it."""
    python = folder / ".venv" / "bin" / "python"
    command = [str(python), "-m", "helpers", "install", "--hub"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=900)
    return python


class Hub:
    """A JupyterHub with the trial's configuration in a folder of its own."""

    def __init__(self, python: Path, root: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        self.url = f"http://127.0.0.1:{localaws.free_port()}"
        jupyter = folder / "jupyter"
        jupyter.mkdir(parents=True)
        (jupyter / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
        self.config = folder / "config.py"
        self.config.write_text(
            CONFIG.format(
                trial=str(root / "deploy" / "trial_config.py"),
                hub_port=localaws.free_port(),
                proxy_port=localaws.free_port(),
                token=TOKEN,
                jupyter=str(jupyter),
            )
        )
        self.process: subprocess.Popen | None = None

    def start(self, idle_s: int = 3600) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
        variables = {"HUB_PASSWORD": PASSWORD, "HUB_BIND_URL": self.url, "HUB_IDLE_S": str(idle_s)}
        with (self.folder / "hub.log").open("a") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "jupyterhub", "-f", self.config],
                cwd=self.folder,
                env=kept | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._answers, LIMIT_S)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT_S)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text(errors="replace")

    def home(self, user: str) -> Path:
        """The WORKSHOP_HOME of a user."""
        return self.folder / "home" / user / "lambda-workshop"

    def ask(self, path: str, method: str = "GET"):
        request = urllib.request.Request(f"{self.url}/hub/api/{path}", method=method)
        request.add_header("Authorization", f"token {TOKEN}")
        with localaws.open_url(request, 60) as answer:
            return json.loads(answer.read() or "null")

    def servers(self) -> dict[str, str]:
        """User -> the state of their server: "on", "off", or what the hub waits for."""
        users = self.ask("users")
        return {user["name"]: user["pending"] or ("on" if user["server"] else "off") for user in users}

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()[-3000:]
        try:
            with localaws.open_url(f"{self.url}/hub/health", 5):
                return True
        except OSError:
            return False
