"""Which environment variables of a function look secret: pages show them when asked, and code never has them."""

from ..masks import NAMES
from ..webhook import WebhookUrl, hide


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable is one: a webhook's address, or what its name says."""
    return bool(NAMES.search(name)) or isinstance(hide(value), WebhookUrl)
