"""serverless-offline, a plugin of the Serverless Framework in Node.js, if it is installed."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from .. import localaws
from .subject import HANDLER, RUNTIME, Program, answers

INSTALLS = "npm install -g serverless@3 serverless-offline@13"


class ServerlessOffline(Program):
    name = "serverless-offline"
    prefix = "bench-dev-"
    most_at_once = 100  # as MiniStack

    @classmethod
    def missing(cls) -> str:
        return "" if _modules() else f"serverless-offline is left out, as it is not installed: {INSTALLS} installs it."

    def start(self) -> None:
        modules, lambda_port = _modules(), localaws.free_port()
        assert modules
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "node_modules").symlink_to(modules)
        for name, code in self._functions().items():
            (self.folder / name).mkdir()
            (self.folder / name / "app.py").write_text(code, encoding="utf-8")
        (self.folder / "serverless.yml").write_text(self._configuration(), encoding="utf-8")
        command = [shutil.which("node") or "node", str(modules / "serverless" / "bin" / "serverless.js"), "offline"]
        command += ["--host", "127.0.0.1", "--httpPort", str(localaws.free_port()), "--lambdaPort", str(lambda_port)]
        variables = {
            "SLS_TELEMETRY_DISABLED": "1",
            "SLS_NOTIFICATIONS_MODE": "off",
            "AWS_ACCESS_KEY_ID": "test",  # without any it looks for a profile
            "AWS_SECRET_ACCESS_KEY": "test",
            "VIRTUAL_ENV": sys.prefix,  # whose Python it then takes, the one of all subjects
        }
        self.url = f"http://127.0.0.1:{lambda_port}"
        self.run(command, variables, lambda: answers(self.url))

    def _functions(self) -> Mapping[str, str]:
        return self.functions or {"none": ""}  # it serves nothing where there is none

    def _configuration(self) -> str:
        functions = (f"  {name}: {{handler: {name}/{HANDLER}, timeout: 60}}\n" for name in self._functions())
        return (
            'service: bench\nframeworkVersion: "3"\nplugins: [serverless-offline]\n'
            f"provider: {{name: aws, runtime: {RUNTIME}}}\nfunctions:\n{''.join(functions)}"
        )


def _modules() -> Path | None:
    """The folder that holds both packages, where the `serverless` of the PATH comes from."""
    program = shutil.which("serverless")
    parents = Path(program).resolve().parents if program else ()
    modules = next((each for each in parents if each.name == "node_modules"), None)
    return modules if modules and (modules / "serverless-offline").is_dir() else None
