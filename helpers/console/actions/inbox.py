"""The inbox of the labs, which takes the place of a Slack channel."""

from typing import Any

from ...connect import Workshop
from ...inbox import open_inbox


def read_inbox(workshop: Workshop) -> Any:
    return open_inbox(workshop).messages()
