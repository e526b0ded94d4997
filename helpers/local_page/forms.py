"""Reads what a form sends: as a browser writes it, with files or without.

HTML, "Form submission": https://html.spec.whatwg.org/multipage/form-control-infrastructure.html; RFC 7578.
"""

import email.parser
import email.policy
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Upload:
    """A file that the reader chose."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Form:
    """The fields of a form, each with its values in their order, and its files."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The first value of a field, with line ends as in Python's texts."""
        return self.texts(name)[0] if name in self.fields else default

    def texts(self, name: str) -> list[str]:
        return [value.replace("\r\n", "\n") for value in self.fields.get(name, [])]

    def has(self, name: str) -> bool:
        return name in self.fields


def read(content_type: str, body: bytes) -> Form:
    """The form in the body of a request; an empty one where it holds none."""
    if content_type.startswith(MULTIPART):
        return _multipart(content_type, body)
    form = Form()
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        form.fields.setdefault(name, []).append(value)
    return form


def _multipart(content_type: str, body: bytes) -> Form:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    form = Form()
    for part in message.iter_parts() if message.is_multipart() else ():
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if file is None:
            form.fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        elif file:  # a browser sends an empty name where no file was chosen
            form.files[name] = Upload(file, content)
    return form
