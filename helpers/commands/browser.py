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


def open_again(name: str, no_browser: bool) -> bool:
    """Open the page of this name by a new address, where a command in another terminal serves it; whether one does."""
    from ..local_page.server import another_address  # which takes a moment

    address = another_address(name)
    if address is None:
        return False
    say(f"The {name} is served already, as it was begun; Ctrl-C in its terminal ends it.")
    open_page(name, address, no_browser)
    return True
