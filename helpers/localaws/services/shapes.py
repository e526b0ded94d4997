"""Names for the shapes of MiniStack, which has no types of its own."""

from typing import Any

Record = dict[str, Any]  # what it keeps of a function, a queue, a rule, …
Answer = tuple[Any, ...]  # status, headers, body
Key = tuple[str, str, str]  # account, region, and a name or an ARN
