"""How a command opens a page: in the browser, or by an address that it prints, alone on stdout."""

import pytest

from helpers.commands import browser

ADDRESS = "http://127.0.0.1:1/enter?token=x"


@pytest.mark.parametrize("can_open", [True, False])
def test_where_no_browser_opens_the_address_is_printed(monkeypatch, capsys, can_open):
    asked = []
    monkeypatch.setattr(browser.webbrowser, "open", lambda address: asked.append(address) or can_open)
    browser.open_page("class page", ADDRESS, no_browser=False)
    told = capsys.readouterr()
    assert asked == [ADDRESS]
    assert told.out == ("" if can_open else f"{ADDRESS}\n")
    assert told.err == (
        "The class page is open in your browser.\n" if can_open else "The class page's address, once:\n"
    )


def test_no_browser_is_asked_where_none_is_wanted(monkeypatch, capsys):
    monkeypatch.setattr(browser.webbrowser, "open", lambda address: pytest.fail("it was asked"))
    browser.open_page("class page", ADDRESS, no_browser=True)
    assert capsys.readouterr().out == f"{ADDRESS}\n"
