"""Filter patterns of CloudWatch Logs: which log events FilterLogEvents, metric filters and subscriptions are about.

There are three kinds: terms, fields between spaces (`[ip, status = 4*]`), and JSON (`{ $.level = "ERROR" }`).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import functools

from .delimited import Delimited
from .json_properties import JsonProperties
from .scanner import InvalidPattern
from .terms import Terms

__all__ = ["FilterPattern", "InvalidPattern", "compiled"]

FilterPattern = Terms | Delimited | JsonProperties


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> FilterPattern:
    """What a pattern means; raises InvalidPattern."""
    stripped = pattern.strip()
    if stripped.startswith("{"):
        return JsonProperties(stripped)
    if stripped.startswith("["):
        return Delimited(stripped)
    return Terms(stripped)
