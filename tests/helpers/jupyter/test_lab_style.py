"""JupyterLab, as `lab` starts it, gets our style: prose is no wider than is good to read."""

import re

from jupyter_server.serverapp import ServerApp

from helpers.commands import lab


def test_jupyterlab_finds_our_style_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))  # nothing of the settings of whoever runs the tests
    command = lab._command("jupyterlab", True, lab.page("00"), tmp_path)
    assert "--LabApp.custom_css=True" in command
    ours = [option for option in command if option.startswith("--ServerApp.tornado_settings=")]
    app = ServerApp(runtime_dir=str(tmp_path))
    app.initialize(argv=ours, find_extensions=False, new_httpserver=False)
    assert app.web_app.settings["static_custom_path"] == str(lab.JUPYTER / "custom")
    assert "max-width" in (lab.JUPYTER / "custom" / "custom.css").read_text(encoding="utf-8")


def test_what_a_cell_prints_is_wrapped_between_words():
    """JupyterLab's own rule for it, `.jp-OutputArea-output pre`, breaks within them; ours has to be more specific."""
    css = (lab.JUPYTER / "custom" / "custom.css").read_text(encoding="utf-8")
    [rule] = re.findall(r"^\.jp-OutputArea \.jp-OutputArea-output\.jp-RenderedText pre \{(.*?)\}", css, re.M | re.S)
    assert "word-break: normal" in rule


def test_a_still_picture_is_shown_whole():
    css = (lab.JUPYTER / "custom" / "custom.css").read_text(encoding="utf-8")
    [rule] = re.findall(r"^\.jp-RenderedSVG > img \{(.*?)\}", css, re.M | re.S)
    assert "max-width: 100%" in rule and "height: auto" in rule
