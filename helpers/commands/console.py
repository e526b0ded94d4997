"""Opens the console in the browser, for the AWS that the reader chose, and serves it until Ctrl-C."""

import os
import threading

from . import browser, say


def open_console(no_browser: bool, port: int | None, hosts: list[str]) -> int:
    """Serve the console until this process is interrupted. Raises LocalPageError where it cannot be served."""
    os.environ["MPLBACKEND"] = "Agg"  # its plots are pictures in a page
    from ..console import page, server  # which takes a moment

    connection = page.connected()
    with server.serving(connection, port, tuple(hosts)) as address:
        browser.open_page(server.NAME, address, no_browser)
        say("Ctrl-C ends it.")
        threading.Event().wait()
    return 0
