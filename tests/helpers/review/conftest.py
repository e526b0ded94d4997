"""A made-up session for each test, in a work folder of its own."""

import pytest
from kept_session import KeptSession


@pytest.fixture
def kept(tmp_path, monkeypatch) -> KeptSession:
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setenv("TZ", "UTC")
    return KeptSession(tmp_path / "work")
