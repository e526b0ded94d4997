"""Keeps what others have typed a text in a spreadsheet, where a cell of a CSV file may be computed as a formula."""

import re

# How such a cell begins: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER = re.compile(r"-\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


def no_formula(cell: str) -> str:
    """The text of a cell that no spreadsheet computes; a negative number stays one."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell
