"""Opens the page of a class in the browser, and serves it and the learners until Ctrl-C; or ends the class."""

import threading

from . import browser, say


def open_class(word: str, address: str, port: int, no_browser: bool, hosts: list[str]) -> int:
    """Serve the class until this process is interrupted; one that is served already has a new address for its page.

    Raises ClassError where it cannot be served.
    """
    from ..classroom.instructor import server  # which takes a moment

    if browser.open_again(server.NAME, no_browser):
        return 0
    with server.serving(word, address, port, tuple(hosts)) as served:
        setting = f"{served.place.word.replace(' ', '-')}@{served.place.address}"  # spaces do not matter
        say(f'Learners join with join("{served.place}"), or with WORKSHOP_CLASS={setting}.')
        if served.place.is_for_this_machine:
            say(
                f"Nobody but notebooks on this machine reaches it at {served.place.host}; --address names an address "
                "for others."
            )
        else:
            say(
                f"Everybody in the network of {served.place.host} can reach it. It is plain http: who listens there "
                "can read names, sections, predictions and what checks said, and could play the part of the class, or "
                "of a learner. No secret of a learner's is sent, and nobody joins without the word."
            )
        browser.open_page(server.NAME, served.page, no_browser)
        say("Ctrl-C closes it.")
        try:
            threading.Event().wait()
        finally:
            if served.store.is_open:
                say("The class goes on when this command runs again; class --end ends it.")
    return 0


def end_class() -> int:
    """Write the class into one CSV, whose path is printed, and delete the rest. Raises ClassError without a class."""
    from .. import settings
    from ..classroom.instructor import page
    from ..classroom.instructor.store import FILE, ClassStore, delete
    from ..classroom.place import ClassError

    file = settings.home() / FILE
    if not file.exists():
        raise ClassError("No class is open.")
    store = ClassStore(file)
    try:
        if not store.is_open:
            raise ClassError("No class is open.")
        left = page.end(store)
    finally:
        store.close()
    delete(file)
    say("The class has ended. All that is left of it is this file:")
    print(left)
    return 0
