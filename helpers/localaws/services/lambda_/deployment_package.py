"""Deployment packages: one that cannot be unpacked is refused when it is uploaded, and not when it is to run.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html; the sentence is AWS's own, recorded on
2025-11-25.
"""

import io
import zipfile

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from ...data_plane.archives import FILE_MODE, Unreadable, check
from ..contract import Contract
from ..shapes import Answer
from . import quotas

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_reject_unreadable_zip"): ("zip_data",),
    (lambda_svc, "_unzipped_size"): ("zip_data",),
    (provisioners, "_zip_inline"): ("source", "handler", "runtime"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}

MESSAGE = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY = "Uploaded file must be a non-empty zip"


def install() -> None:
    """Let MiniStack refuse such packages of functions and of layers. Call once, before it serves."""
    zip_inline = provisioners._zip_inline

    def reject_unreadable_zip(zip_data: bytes | None) -> Answer | None:
        if zip_data is None:
            return None
        try:
            # What is too large is refused by its quota, and not unpacked to see whether it could be.
            if lambda_svc._unzipped_size(zip_data) <= quotas.MAX_UNZIPPED_BYTES:
                number = check(zip_data)
                return None if number else _refusal(EMPTY)
        except Unreadable:
            return _refusal(MESSAGE if zip_data else EMPTY)
        return None

    def readable_inline(source: str | None, handler: str, runtime: str = "python3.12") -> bytes | None:
        """The code of a template, which AWS puts into a file that everybody may read."""
        archive = zip_inline(source, handler, runtime)
        return archive and _readable(archive)

    lambda_svc._reject_unreadable_zip = reject_unreadable_zip
    provisioners._zip_inline = readable_inline


def _refusal(message: str) -> Answer:
    answer: Answer = responses.error_response_json("InvalidParameterValueException", message, 400)
    return answer


def _readable(archive: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            entry.external_attr = FILE_MODE << 16
            target.writestr(entry, content)
    return buffer.getvalue()
