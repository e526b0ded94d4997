"""What the reader has deployed, and what is wrong with it before it is invoked."""

import io
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import Any

from .. import localaws
from ..connect import Workshop
from ..webhook import secret_path
from .exercise import NotSolved
from .lab import Lab
from .languages import LANGUAGES, Language


@dataclass(frozen=True)
class Deployed:
    """A function as get_function answers, with the text of its files."""

    configuration: dict[str, Any]
    language: Language
    files: dict[str, str]  # e.g. {"app.py": "import json…"}

    @property
    def name(self) -> str:
        return str(self.configuration["FunctionName"])

    @property
    def module(self) -> str:
        """The file of the handler without folder and ending: "app" for app.handler."""
        return str(self.configuration["Handler"]).split(".")[0].rsplit("/", 1)[-1]

    @property
    def timeout_s(self) -> int:
        return int(self.configuration["Timeout"])

    @property
    def variables(self) -> dict[str, str]:
        return dict(self.configuration.get("Environment", {}).get("Variables", {}))

    @property
    def of_a_copy(self) -> dict[str, Any]:
        """What deploy() is told for a function like this one; its code, its handler and its variables left out."""
        names = ("Runtime", "Role", "MemorySize", "Timeout", "EphemeralStorage")
        kept = {name: self.configuration[name] for name in names if name in self.configuration}
        return kept | {"Layers": [layer["Arn"] for layer in self.configuration.get("Layers", [])]}

    @property
    def log_group(self) -> str:
        return self.configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}"


def find(workshop: Workshop, function_name: str, step: str) -> Deployed:
    """The deployed function; NotSolved when there is none. `step` says what to do then."""
    client = workshop.client("lambda")
    try:
        answer = client.get_function(FunctionName=function_name)
    except client.exceptions.ResourceNotFoundException:
        raise NotSolved(f"There is no function {function_name} yet; {step}, and check again.") from None
    runtime = answer["Configuration"].get("Runtime", "a container image")
    language = next((each for each in LANGUAGES.values() if _family(each.runtime) == _family(runtime)), None)
    if language is None:
        raise NotSolved(
            f"{function_name} runs on {runtime}, and this check knows Python, Node.js and Ruby; "
            "deploy it in one of them."
        )
    return Deployed(answer["Configuration"], language, _download(workshop, answer["Code"]["Location"]))


def check_code(lab: Lab, function: Deployed) -> None:
    """NotSolved when the starter is deployed, or not what the reader's file holds now."""
    language = function.language.name
    file = function.language.file
    deployed, copy = function.files.get(file), lab.copy(language)
    if deployed is None:  # the reader's own way; whether Lambda finds the handler will be seen
        return
    starter = _text(lab.starter(language).read_bytes())
    mine = _text(copy.read_bytes()) if copy.exists() else deployed
    if deployed == starter == mine:
        raise NotSolved(
            f"What is deployed is the starter, as it came; write the handler in {copy}, deploy it, and check again."
        )
    if deployed != mine:
        raise NotSolved(f"{function.name} does not run what is in {copy} now; deploy that file, and check again.")


def check_secret(function: Deployed, webhook_url: str) -> None:
    """NotSolved when the URL of a webhook is in the code."""
    secret, path = webhook_url.rstrip("/").rpartition("/")[2], secret_path()
    for name, text in function.files.items():
        if path.search(text) or secret in text:
            raise NotSolved(
                f"A webhook's URL is in {name}, and whoever reads the code could post with it; "
                f"take it out, and read it from the environment: {function.language.reads_webhook}."
            )


def check_variable(function: Deployed, webhook_url: str) -> None:
    """NotSolved when WEBHOOK_URL is missing, or is another one than the webhook's."""
    given = function.variables.get("WEBHOOK_URL")
    if not given:
        raise NotSolved(
            f"{function.name} has no environment variable WEBHOOK_URL; deploy it with "
            'Environment={"Variables": {"WEBHOOK_URL": inbox.webhook_url}}.'
        )
    if given != webhook_url:
        raise NotSolved(
            f"WEBHOOK_URL of {function.name} is not the URL of this inbox; give it inbox.webhook_url as it "
            "is, without formatting it into a text."
        )


def _family(runtime: str) -> str:
    return runtime.rstrip("0123456789.x")  # python3.13: python


def _download(workshop: Workshop, location: str) -> dict[str, str]:
    """The text files of the package. AWS gives an address in S3 that is good for ten minutes."""
    # An emulator is reached without the reader's proxy, as by boto3.
    reach = localaws.open_url if workshop.endpoint else urllib.request.urlopen
    with reach(location, timeout=60) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    contents = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    return {name: _text(content) for name, content in contents.items()}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
