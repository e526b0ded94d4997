"""Whom functions trust by TLS: whom this machine trusts, and the embedded AWS itself, whose inbox is at https, too.

Most programs read the authorities from one file of the system's. In a function's view, and in no other, that file
holds one more certificate. Who reads another file is told by a variable, which the function sees as well.
"""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from . import programs
from .runtimes import Runtime

# Where the file is: Debian, Fedora and AWS's own Linux, openSUSE, Alpine and macOS.
SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# What says which file an interpreter's own OpenSSL reads.
ASKS = {
    "python": ("-I", "-S", "-c", "import ssl; print(ssl.get_default_verify_paths().openssl_cafile)"),
    "ruby": ("-ropenssl", "-e", "puts OpenSSL::X509::DEFAULT_CERT_FILE"),
}
# How a file that a variable names is called in /var/runtime; for Node.js AWS has one there, too:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
SEEN_AS = {
    "NODE_EXTRA_CA_CERTS": "ca-cert.pem",
    "SSL_CERT_FILE": "ca-bundle.pem",
    "REQUESTS_CA_BUNDLE": "ca-bundle.pem",
}
STORE_PASSWORD = "changeit"  # that of every Java: it keeps no secret, and keytool asks for one
LIMIT_S = 60


class Trust:
    """`certificate` waits for the embedded AWS's own; None: there is none, and functions are as they were.

    What is made of it is kept in `folder`.
    """

    def __init__(self, folder: Path, certificate: Callable[[], Path | None]) -> None:
        self._folder, self._certificate = folder, certificate
        self._making, self._making_store = threading.Lock(), threading.Lock()
        self._stores: dict[str, Path | None] = {}  # of each Java
        self._bundle: Path | None = None

    def given_to(
        self, runtime: Runtime, name: str, code: tuple[Path, Path], variables: Mapping[str, str], confines: bool
    ) -> Runtime:
        """The runtime of this name, for code and layers in these folders, with this trust.

        `variables` are the function's own; `confines` says whether it has a view of its own.
        """
        certificate = self._certificate()
        if certificate is None:
            return runtime
        if name.startswith("java"):
            with self._making_store:
                return self._given_to_java(runtime, certificate, variables)
        with self._making:
            bundle = self._bundle = self._bundle or self._make_bundle(certificate)
        told = self._told(runtime, name, code, confines, certificate, bundle)
        return replace(
            runtime,
            variables={**runtime.variables, **told},
            mounts={**runtime.mounts, **{SEEN_AS[name]: file for name, file in told.items()}},
            replaced=dict.fromkeys(_system_files(), str(bundle)),
        )

    def _told(
        self, runtime: Runtime, name: str, code: tuple[Path, Path], confines: bool, certificate: Path, bundle: Path
    ) -> dict[str, str]:
        """The variables that name a file to a program that would read another."""
        if name.startswith("nodejs"):  # it has the authorities in itself, and adds these
            return {"NODE_EXTRA_CA_CERTS": str(certificate)}
        language = next((each for each in ASKS if name.startswith(each)), "")
        reads_system = not language or os.path.realpath(_file_read_by(runtime.command[0], language)) in _system_files()
        told = {} if confines and reads_system else {"SSL_CERT_FILE": str(bundle)}
        if language == "python" and _brings_certifi(name, *code):
            told["REQUESTS_CA_BUNDLE"] = str(bundle)
        return told

    def _given_to_java(self, runtime: Runtime, certificate: Path, variables: Mapping[str, str]) -> Runtime:
        """It reads a file of a kind of its own, which each Java has for itself."""
        java, *others = runtime.command
        if java not in self._stores:
            self._stores[java] = self._make_store(java, certificate)
        store = self._stores[java]
        if store is None or "javax.net.ssl.trustStore" in variables.get("JAVA_TOOL_OPTIONS", ""):
            return runtime
        options = (f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}")
        mounts = {**runtime.mounts, store.name: str(store)}
        return replace(runtime, command=(java, *options, *others), mounts=mounts)

    def _make_bundle(self, certificate: Path) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return _written(self._folder / "ca-bundle.pem", f"{_authorities()}\n{certificate.read_text()}".encode())

    def _make_store(self, java: str, certificate: Path) -> Path | None:
        """Made anew with each start of the server, which takes as long as Java does. None: this Java cannot."""
        home = Path(java).resolve().parent.parent
        store = self._folder / "cacerts"
        keytool = [str(home / "bin" / "keytool"), "-importcert", "-noprompt", "-alias", "embedded-aws"]
        keytool += ["-file", str(certificate), "-keystore", str(store), "-storepass", STORE_PASSWORD]
        try:
            _written(store, (home / "lib" / "security" / "cacerts").read_bytes())
            subprocess.run(keytool, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=True)
            store.chmod(0o644)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"Functions in Java do not reach the inbox by https, as keytool failed: {error}", file=sys.stderr)
            return None
        return store


def _authorities() -> str:
    """The certificates that this machine trusts; where it has no such file, those that come with the workshop."""
    file = next(iter(_system_files()), None)
    if file is None:
        import certifi

        file = certifi.where()
    return Path(file).read_text(errors="replace")


@lru_cache
def _system_files() -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.realpath(file) for file in SYSTEM_FILES if os.path.isfile(file)))


@lru_cache
def _file_read_by(program: str, language: str) -> str:
    """Which file its OpenSSL reads; "" where it does not say."""
    if program == programs.this_python().path:
        return ssl.get_default_verify_paths().openssl_cafile
    done = subprocess.run([program, *ASKS[language]], capture_output=True, text=True, timeout=LIMIT_S)
    return done.stdout.strip()


def _brings_certifi(name: str, task: Path, opt: Path) -> bool:
    """Whether the package has the authorities that `requests` reads, which come as a Python package."""
    _, version = programs.meant(name) or ("", "")
    folders = (task, opt / "python", opt / "python" / "lib" / f"python{version}" / "site-packages")
    return any((folder / "certifi" / "cacert.pem").is_file() for folder in folders)


def _written(file: Path, content: bytes) -> Path:
    """A file for everybody to read, as a function may be another user."""
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o644)
    return new.replace(file)
