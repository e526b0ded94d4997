"""The certificate of the inbox: for this machine alone, kept, and made anew where it is damaged or old."""

import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from helpers.localaws import certificate


def made(home: Path) -> certificate.Certificate:
    found = certificate.Certificate(home)
    found.make()
    found.when_made()
    return found


def test_the_certificate_is_kept_and_its_key_is_private(tmp_path, needs):
    needs("openssl")
    first = made(tmp_path)
    text = first.file.read_text()
    assert (first.key.stat().st_mode & 0o777, first.file.stat().st_mode & 0o777) == (0o600, 0o644)
    assert "PRIVATE" in first.key.read_text() and "PRIVATE" not in text
    assert made(tmp_path).file.read_text() == text
    assert sorted(file.name for file in tmp_path.iterdir()) == [certificate.CERTIFICATE_FILE, certificate.KEY_FILE]


@pytest.mark.parametrize("name", [certificate.CERTIFICATE_FILE, certificate.KEY_FILE])
@pytest.mark.parametrize("content", ["", "no certificate", None])
def test_one_that_is_damaged_is_made_anew(tmp_path, needs, name, content):
    needs("openssl")
    before = made(tmp_path).file.read_text()
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_text(content)
    again = made(tmp_path)
    assert again.file.read_text() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(again.file, again.key)


def test_one_that_is_old_is_made_anew(tmp_path, needs):
    needs("openssl")
    first = made(tmp_path)
    before = first.file.read_text()
    old = first.key.stat().st_mtime - (certificate.KEPT_DAYS + 1) * 86400
    os.utime(first.key, (old, old))
    assert made(tmp_path).file.read_text() != before


def test_it_is_for_this_machine_and_signs_no_other(tmp_path, needs):
    command = [needs("openssl"), "x509", "-noout", "-text", "-in", str(made(tmp_path).file)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "CA:FALSE" in told and "Certificate Sign" not in told
    assert "IP Address:127.0.0.1, DNS:localhost" in told


def test_without_openssl_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    none = made(tmp_path)
    assert not none.possible and none.when_made() is None
    assert list(tmp_path.iterdir()) == []


def test_an_openssl_that_fails_is_a_line_of_the_log(tmp_path, monkeypatch, capsys):
    program = tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho wrong >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert made(tmp_path).when_made() is None
    said = capsys.readouterr().err
    assert said.startswith("The inbox is not there by https, as no certificate could be made:") and "wrong" in said
