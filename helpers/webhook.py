"""A webhook URL is a secret: whoever has it can post. Here it becomes a text that does not show itself."""

import re
from typing import Any, SupportsIndex
from urllib.parse import urlsplit

from . import settings

SERVICES = r"/services/T\w*/B\w*/\w+"  # the path of Slack's webhooks and of the inbox's


class WebhookUrl(str):
    """The URL, which repr(), str(), print() and f-strings show as "http://127.0.0.1:…(hidden)".

    Everywhere else it is the str that it is: boto3, json.dumps, os.environ, == and + see the whole URL.
    A library that calls str() on a URL first, as requests does, needs `reveal()`.
    """

    __slots__ = ()

    def __new__(cls, url: str) -> "WebhookUrl":
        return super().__new__(cls, "".join(url))  # of a WebhookUrl, str() would be the hidden form

    def reveal(self) -> str:
        """Return the URL as an ordinary str. Do not print it, and do not leave it in a notebook."""
        return "".join(self)

    def __str__(self) -> str:
        parts = urlsplit(self)
        separator = ":" if parts.hostname == "127.0.0.1" else "/"
        return f"{parts.scheme}://{parts.hostname}{separator}…(hidden)"

    def __repr__(self) -> str:
        return repr(str(self))

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)

    def __copy__(self) -> "WebhookUrl":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "WebhookUrl":
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        raise TypeError("A webhook URL is a secret and is not pickled; call open_inbox() where it is needed.")


def secret_path() -> re.Pattern[str]:
    """What is secret in a webhook's URL: the path, of Slack's shape, or that of the webhook the reader has set."""
    try:
        url = settings.slack_webhook()
    except settings.SettingError:  # open_inbox() says it, where it matters
        url = ""
    own = [re.escape("/" + url.split("/", 3)[3]) + r"(?!\w)"] if url else []
    return re.compile("|".join([*own, SERVICES]))


def without_secret(text: str) -> str:
    """A text for the reader, in which a webhook's path is not to be read."""
    return secret_path().sub("/…(hidden)", text)


def hide(value: Any) -> Any:
    """Return `value` with each webhook URL in it as a WebhookUrl. Dicts and lists are changed in place."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = hide(item)
    elif isinstance(value, list):
        value[:] = [hide(item) for item in value]
    elif isinstance(value, str) and _is_webhook(value):
        return WebhookUrl(value)
    return value


def _is_webhook(text: str) -> bool:
    host = re.match(r"https?://[^/\s]+", text)
    return host is not None and secret_path().fullmatch(text, host.end()) is not None
