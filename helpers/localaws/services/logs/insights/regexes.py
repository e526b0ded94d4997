"""Regular expressions of Logs Insights in Python's, and the patterns with asterisks that `parse` takes."""

import re

FLAGS = re.compile(r"\(\?([ims]+)\)")
GROUP = re.compile(r"\(\?<(?![=!])")


def regex(literal: str) -> re.Pattern[str]:
    """What stands between slashes; raises re.error. Flags may stand within it, as in /^(?i)error$/, or behind it."""
    pattern, _, behind = literal[1:].rpartition("/")
    flags = "".join(FLAGS.findall(pattern)) + behind
    pattern = GROUP.sub("(?P<", FLAGS.sub("", pattern))
    return re.compile(pattern, _flags(flags))


def regex_of_function(pattern: str) -> re.Pattern[str]:
    """The same of a text, as regexReplace takes it."""
    return regex(f"/{pattern}/")


def glob(pattern: str) -> re.Pattern[str]:
    """A pattern whose asterisks are what is wanted, as "user=*, *"; one at its end goes to the end of the event."""
    parts = [re.escape(part) for part in pattern.split("*")]
    *others, last = parts
    middle = "(.*?)".join(others)
    end = r"(.*(?<!\n)|)\n?\Z" if not last and others else f"(.*?){last}"
    return re.compile(middle + end, re.DOTALL)


def _flags(letters: str) -> re.RegexFlag:
    found = re.RegexFlag(0)
    for letter in letters:
        found |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[letter]
    return found
