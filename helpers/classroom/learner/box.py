"""The box that join() shows: join, see what is sent, raise one's hand, hear what the instructor says, leave."""

import html
import time
from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, Text, VBox

from ...errors import WorkshopError
from . import acts, kernel, membership

SENT = (
    "The instructor then gets: at which section you are, your predictions and what you measured, which checks passed "
    "and what they said, and which hints you used. <b>Never</b> your code, outputs, answers, keys or webhook, and "
    "nothing from before you joined."
)
SHOWN = 20  # entries
LIVE = 5  # boxes that follow: the last ones, where a cell has run again and again
WIDE, LEFT = Layout(width="26em"), Layout(align_items="flex-start")
PRE = '<pre tabindex="0" style="max-height: 16em; overflow: auto; white-space: pre-wrap; line-height: 1.4">{}</pre>'


class Box:
    """One box; it follows what this kernel hears."""

    def __init__(self, word: str = "") -> None:
        self._status, self._messages, self._sent = HTML(), HTML(), HTML()
        self._word = Text(word, description="Word", placeholder="the word that your instructor says", layout=WIDE)
        self._name = Text(description="Name", placeholder="what the instructor sees of you", layout=WIDE)
        self._hand = self._button("Raise my hand", lambda: acts.raise_hand(not self._is_up()))
        self._look = self._button("Show what is sent", self._show_or_hide)
        enter, leave = self._button("Join the class", self._enter), self._button("Leave the class", acts.leave)
        self._outside = VBox([HTML(f"<p>{SENT}</p>"), self._word, self._name, enter], layout=LEFT)
        self._inside = VBox([HBox([self._hand, self._look, leave]), self._messages, self._sent])
        self.widget = VBox([self._status, self._outside, self._inside])
        self.refresh()
        if word:
            self._say(acts.how_to_join(word))
        kernel.follower.on_change[:] = [*kernel.follower.on_change[1 - LIVE :], self.refresh]

    def refresh(self) -> None:
        """Show how it stands."""
        kept = membership.read()
        is_in = kept is not None and kept.is_member
        self._say(acts.status(kept))
        self._outside.layout.display, self._inside.layout.display = ("none", "") if is_in else ("", "none")
        self._hand.description = "Lower my hand" if self._is_up() else "Raise my hand"
        said = "".join(_shown(each) for each in reversed(kept.messages if kept else []))
        self._messages.value = f"<p>Your instructor says:</p><ul>{said}</ul>" if said else ""
        if self._sent.value:
            self._sent.value = PRE.format(html.escape(acts.what_is_sent(SHOWN)))

    def _enter(self) -> str:
        if not self._word.value.strip() or not self._name.value.strip():
            return "Type the word and a name first."
        return acts.enter(self._word.value, self._name.value)

    def _show_or_hide(self) -> str:
        self._sent.value = "" if self._sent.value else PRE.format(html.escape(acts.what_is_sent(SHOWN)))
        self._look.description = "Hide what is sent" if self._sent.value else "Show what is sent"
        return acts.status(membership.read())

    def _is_up(self) -> bool:
        kept = membership.read()
        return kept is not None and kept.hand

    def _button(self, label: str, act: Callable[[], str]) -> Button:
        """A button; what came of it, or why nothing did, is a sentence in the box."""

        def clicked(_: Button) -> None:
            try:
                sentence = act()
            except WorkshopError as error:
                sentence = str(error)
            self.refresh()
            self._say(sentence)

        button = Button(description=label, layout=Layout(width="auto"))
        button.on_click(clicked)
        return button

    def _say(self, sentence: str) -> None:
        self._status.value = f'<p role="status">{html.escape(sentence)}</p>'


def _shown(message: dict[str, Any]) -> str:
    """A message with its time of day."""
    return f"<li>{time.strftime('%H:%M', time.localtime(message['at']))} {html.escape(message['text'])}</li>"
