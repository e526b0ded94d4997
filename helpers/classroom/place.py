"""Where a class is, and the word that lets in: what a learner types, such as green tiger@192.168.1.5:4580."""

import ipaddress
import re
import unicodedata
from typing import NamedTuple

from ..errors import WorkshopError

PORT = 4580  # where learners' notebooks reach a class, unless told otherwise
HERE = "127.0.0.1"
SHORTEST, LONGEST = 4, 40  # letters and digits of a word


class ClassError(WorkshopError):
    """Something about the class cannot be done; the message is one sentence for the reader."""


class Place(NamedTuple):
    """The word of a class, and the address at which learners' notebooks reach it."""

    word: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """E.g. "192.168.1.5:4580"."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_for_this_machine(self) -> bool:
        """Whether nobody but this machine's own programs can reach it."""
        return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback

    def __str__(self) -> str:
        """What a learner types; without what goes without saying."""
        if self.port != PORT:
            return f"{self.word}@{self.address}"
        return self.word if self.host == HERE else f"{self.word}@{self.address.removesuffix(f':{PORT}')}"


def place_of(text: str) -> Place:
    """What a learner typed. Raises ClassError where it is no word, or no address follows it."""
    word, _, address = text.partition("@")
    found = re.fullmatch(r"(\[[0-9a-fA-F:.%]+\]|[\w.-]+)(?::(\d{1,5}))?", address.strip() or HERE)
    if not found or not (0 < int(found[2] or PORT) < 65536):
        raise ClassError(
            f"The address {address.strip()!r} of the class is none; write it as the instructor's page shows it, "
            'such as join("green tiger@192.168.1.5").'
        )
    return Place(known_word(word), found[1].strip("[]"), int(found[2] or PORT))


def known_word(word: str) -> str:
    """A word as it is shown, once it may be one. Raises ClassError."""
    text = " ".join(unicodedata.normalize("NFKC", word).split())
    if not SHORTEST <= len(bare(text)) <= LONGEST or "@" in text:
        raise ClassError(
            f"The word of a class has {SHORTEST} to {LONGEST} letters and digits, such as green tiger, "
            f"and not {text!r}."
        )
    return text


def bare(word: str) -> str:
    """A word as it is compared: its letters and digits, whether they are capitals or not."""
    return "".join(each for each in unicodedata.normalize("NFKC", word).casefold() if each.isalnum())
