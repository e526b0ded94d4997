"""The certificate by which the inbox is reached by https, and its key: made once for a home folder, by `openssl`.

It is for this machine alone, and signs no other: who trusts it trusts nobody else by that. Only functions do, see
data_plane/trust.py; the key is for its owner.
"""

import concurrent.futures
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .private_file import write_private

CERTIFICATE_FILE, KEY_FILE = "https-certificate.pem", "https-key.pem"
DAYS, KEPT_DAYS = 730, 365  # it is valid for longer than it is kept, as a server may run for long
LIMIT_S = 30  # for openssl, which takes some hundredths of a second
REQUEST = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = embedded AWS of the Lambda workshop
[extensions]
subjectAltName = IP:127.0.0.1,DNS:localhost
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Certificate:
    """`file` and `key` are there once `made` says so. `possible`: whether this machine can make one at all."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.file, self.key = home / CERTIFICATE_FILE, home / KEY_FILE
        self.possible = shutil.which("openssl") is not None
        self.made: concurrent.futures.Future[bool] = concurrent.futures.Future()

    def make(self) -> None:
        """Begin to make it, in a thread: the server's start does not wait for it."""
        threading.Thread(target=self._tell_made, daemon=True, name="certificate").start()

    def when_made(self) -> Path | None:
        """Wait for it, and return its file; None where there is none."""
        return self.file if self.made.result() else None

    def _tell_made(self) -> None:
        try:
            self.made.set_result(self._make())
        except BaseException as error:  # or functions would wait for it without end
            self.made.set_exception(error)

    def _make(self) -> bool:
        if not self.possible:
            return False
        try:
            if not self._is_sound():
                self._make_anew()
        except (OSError, subprocess.SubprocessError) as error:
            said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else ""
            print(f"The inbox is not there by https, as no certificate could be made: {error} {said}", file=sys.stderr)
            return False
        return True

    def _is_sound(self) -> bool:
        """Whether that of an earlier start is there, young enough, and goes with its key."""
        try:
            age_s = time.time() - self.key.stat().st_mtime
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.file, self.key)
        except OSError:  # SSLError is one, too
            return False
        return 0 <= age_s < KEPT_DAYS * 86400

    def _make_anew(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._home) as folder:  # which is for its owner alone
            request, key, certificate = (Path(folder) / name for name in ("request", "key", "certificate"))
            request.write_text(REQUEST)
            command = ["openssl", "req", "-x509", "-sha256", "-days", str(DAYS), "-config", str(request)]
            command += [
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-pkeyopt",
                "ec_param_enc:named_curve",
            ]
            command += ["-nodes", "-keyout", str(key), "-out", str(certificate)]
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=True)
            certificate.chmod(0o644)  # functions are other users, where root runs this
            write_private(self.key, key.read_text())
            os.replace(certificate, self.file)
