"""Opens a page of ours in the reader's browser, or prints its address."""

import webbrowser

from . import say


def open_page(name: str, address: str, no_browser: bool) -> None:
    """Open the page of this name, such as "console", by an address that is good once."""
    if not no_browser and webbrowser.open(address):
        say(f"The {name} is open in your browser.")
        return
    say(f"The {name}'s address, once:")
    print(address, flush=True)
