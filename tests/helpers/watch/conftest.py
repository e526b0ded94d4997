"""The browsers that look at the pictures: Chromium, and Firefox for tests that are `in_both`."""

import headless_chromium
import pytest


@pytest.fixture(scope="module")
def chromium(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1024,700")
    yield driver
    driver.quit()


@pytest.fixture
def driver(request):
    driver = request.getfixturevalue(getattr(request, "param", "chromium"))
    driver.set_window_size(1024, 700)
    return driver
