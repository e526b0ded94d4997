"""Takes out of a text what nobody else may read: webhooks' addresses, keys, and the ids of AWS accounts."""

import re

from ..console import masks
from ..webhook import without_secret

HIDDEN = "…(hidden)"
NAMES = masks.NAMES.pattern

RULES = (
    # an access key's id, alone or in a signed address
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"'<>]+"), rf"\1{HIDDEN}"),
    # "SecretAccessKey": "…", token = '…'
    (
        re.compile(rf"(?i)(\w*(?:{NAMES})\w*[\"']?\]?\s*[:=]\s*[furb]{{0,2}}([\"']))(?!\2)[^\"'\n]{{8,}}(?=\2)"),
        rf"\1{HIDDEN}",
    ),
    # AWS_SESSION_TOKEN=…, as a shell or a log says it
    (re.compile(rf"(?i)\b(\w*(?:{NAMES})\w*=)(?![\"'(\[{{\s])[\w/+.:-]{{16,}}=*"), rf"\1{HIDDEN}"),
    # a secret key by its look: forty letters, digits and signs, of each some
    (re.compile(r"(?<![\w/+=])(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)(?=\S*[/+])[\w/+]{40}(?![\w/+=])"), HIDDEN),
    # an account, wherever twelve digits stand alone
    (re.compile(r"(?<![\d.,_])\d{12}(?![\d_]|[.,]\d)"), HIDDEN),
)


def masked(text: str) -> str:
    """The text with "…(hidden)" in the place of each secret."""
    text = without_secret(text)
    for pattern, instead in RULES:
        text = pattern.sub(instead, text)
    return text
