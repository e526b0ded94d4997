"""Takes out of a text what nobody else may read: webhooks' addresses, keys, and the ids of AWS accounts."""

import re

from .webhook import without_secret

HIDDEN = "…(hidden)"
# Of a variable or a member that holds a secret, from where its name says so. Bounded, as a text may be one long word.
# What the name of a variable says that holds a secret
NAMES = re.compile(r"secret|token|passw|credential|webhook|api_?key|access_?key|private", re.IGNORECASE)
NAMED = rf"(?:{NAMES.pattern})\w{{0,40}}"

RULES = (
    # an access key's id, alone or in a signed address
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"'<>]+"), rf"\1{HIDDEN}"),
    # "SecretAccessKey": "…", token = '…'
    (
        re.compile(rf"(?i)({NAMED}[\"']?\]?\s{{0,8}}[:=]\s{{0,8}}[furb]{{0,2}}([\"']))(?!\2)[^\"'\n]{{8,}}(?=\2)"),
        rf"\1{HIDDEN}",
    ),
    # AWS_SESSION_TOKEN=…, as a shell or a log says it
    (re.compile(rf"(?i)({NAMED}=)(?![\"'(\[{{\s])[\w/+.:-]{{16,}}=*"), rf"\1{HIDDEN}"),
    # an account, wherever twelve digits stand alone; the end of a request id is none
    (re.compile(r"(?<![\w.,])(?<![0-9a-f]{4}-)\d{12}(?!\w|[.,]\d)"), HIDDEN),
)
FORTY = re.compile(r"(?<![\w/+=])[\w/+]{40}(?![\w/+=])")
SIGNS = ("[a-z]", "[A-Z]", r"\d", "[/+]")  # a secret key has some of each, and a path or a hash has not


def masked(text: str) -> str:
    """The text with "…(hidden)" in the place of each secret."""
    text = without_secret(text)
    for pattern, instead in RULES:
        text = pattern.sub(instead, text)
    return FORTY.sub(_unless_key, text)


def _unless_key(found: re.Match[str]) -> str:
    return HIDDEN if all(re.search(sign, found[0]) for sign in SIGNS) else found[0]
