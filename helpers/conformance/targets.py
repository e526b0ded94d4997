"""The AWSs that scenarios run on: an embedded one or a plain MiniStack of their own, or whatever has an address."""

import contextlib
import functools
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ..bench.embedded_aws import EmbeddedAws
from ..bench.plain_ministack import PlainMiniStack
from ..bench.subject import Served
from ..connect import isolated_session

AWS = "aws"
SERVICES = "cloudformation,dynamodb,events,iam,lambda,logs,monitoring,s3,scheduler,sns,sqs,sts"
REGION = "us-east-1"
Client = Callable[[str], Any]


class ConformanceMiniStack(PlainMiniStack):
    """Plain MiniStack with all services that scenarios use."""

    on = SERVICES


OWN: dict[str, type[Served]] = {EmbeddedAws.name: EmbeddedAws, ConformanceMiniStack.name: ConformanceMiniStack}


@contextlib.contextmanager
def own(name: str) -> Iterator[Client]:
    """One of those that can be started here, while it is needed, with nothing in it."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        subject = OWN[name](Path(folder), {})
        with subject:
            key, secret = subject.credentials.access_key, subject.credentials.secret_key
            session = boto3.Session(key, secret, region_name=REGION, botocore_session=isolated_session())
            yield clients(session, subject.url)


def at(endpoint_url: str) -> tuple[Client, str]:
    """Clients of an AWS that is there, and its region; `aws` is AWS itself. Credentials and region are the shell's."""
    session = boto3.Session()
    return clients(session, None if endpoint_url == AWS else endpoint_url), session.region_name or REGION


def clients(session: boto3.Session, endpoint_url: str | None) -> Client:
    """Its clients, each made once. They do not check parameters, as AWS's answer is wanted, and do not try again."""
    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=50,
        read_timeout=120,
        parameter_validation=False,
        s3={"addressing_style": "path"} if endpoint_url else {},
        **({"proxies": {}} if endpoint_url else {}),
    )
    lock = threading.Lock()

    @functools.cache
    def made(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint_url, config=config)

    def client(service: str) -> Any:
        with lock:
            return made(service)

    return client
