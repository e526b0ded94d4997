"""The console of the tests: served at a port, on the embedded AWS that tests share."""

from collections.abc import Iterator

import pytest
from console_browser import Browser

from helpers.console import page, server


@pytest.fixture(scope="module")
def served(aws_of_module, free_port) -> Iterator[str]:
    """The address that opens the console, once."""
    connection = page.Connection(aws_of_module)
    with server.serving(connection, free_port()) as address:
        yield address


@pytest.fixture(scope="module")
def browser(served) -> Browser:
    return Browser(served)


@pytest.fixture
def name_of(aws_of_module):
    """The whole name of a function of the learner."""
    return lambda text: aws_of_module.name(text)
