"""connect() finds the AWS that the reader chose and gives a Workshop: its clients, names and tags.

It makes nothing in AWS but execution roles, and importing it makes no call.
"""

import contextlib
import difflib
import hashlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from IPython import get_ipython

from . import aws_choice, settings, webhook
from .arguments import ANY_TEXT, TEXT, YES_NO, ArgumentError, Wanted, or_none, takes
from .asking import says_yes
from .deploying import not_yet
from .errors import WorkshopError
from .facts import fact
from .jupyter import notebook_errors
from .measuring.loop_progress import track
from .measuring.prices import load_prices
from .resources import log_retention
from .resources.ledger import Ledger, Recorder
from .resources.types import RESOURCE_TYPES

# The AWS managed policy that lets a function write its logs.
BASIC_EXECUTION = "service-role/AWSLambdaBasicExecutionRole"

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

CLIENT = Config(
    # "standard", which botocore takes where none is named, has a quota of retries: a throttled burst uses it up
    retries={"mode": "legacy", "total_max_attempts": 5},
    max_pool_connections=50,  # parallel invocations: boto3's default of 10 would queue them in this process
)
# As long as an invocation can last, and a little more. boto3's default of 60 s would give up, and invoke a second time.
LAMBDA_CLIENT = CLIENT.merge(Config(read_timeout=fact("timeout") + 10))

POLICIES = Wanted(
    'names of AWS managed policies and statements such as {"Effect": "Allow", "Action": …, "Resource": …}',
    lambda value: all(isinstance(each, str) and each.strip() or _is_statement(each) for each in value),
)
CONFIG = Wanted("botocore's Config", lambda value: isinstance(value, Config))
SPREAD_S = 10  # "a few seconds" in AWS's words; without its policies a function that runs already is refused
MAX_NAME = 63  # S3's limit for a bucket, the least of all: functions, roles and rules may have 64

# What the estimate counts on: all notebooks, solved, had 1,434 invocations and 1,061 GB-seconds on the embedded AWS
# in November 2026.
INVOCATIONS, SECONDS, MEMORY_MB = 1_500, 0.7, 1_024
# An event source mapping begins with five concurrent polls, and a long poll lasts up to 20 s.
# Source: "Scaling behavior", AWS Lambda Developer Guide, with-sqs; "long polling", Amazon SQS Developer Guide.
POLLERS, POLL_S = 5, 20


USED_SERVICES = sorted({kind.service for kind in RESOURCE_TYPES})
# Services that AWS calls otherwise than boto3 does.
AWS_NAMES = {"eventbridge": "events", "cloudwatchlogs": "logs", "states": "stepfunctions"}


EMULATED_ACCOUNT = "000000000000"  # the embedded AWS's, and of most emulators
WHERE = {"embedded": "the embedded AWS", "emulator": "your own emulator", "aws": "AWS"}  # by Workshop.target


class ConnectError(WorkshopError):
    """The chosen AWS cannot be used; the message is one sentence for the reader."""


class Workshop:
    """One AWS, as the notebooks use it: clients, names, tags, and a ledger of what is made through them."""

    def __init__(
        self,
        session: boto3.Session,
        target: str,
        endpoint: str | None = None,
        account: str | None = None,
        life: str = "",
    ) -> None:
        self.target = target  # "embedded", "emulator" or "aws"
        self.endpoint = endpoint  # None on AWS
        self.region: str = session.region_name
        self.tags = {"workshop": "lambda", "learner": settings.learner()}
        self.ledger = Ledger(settings.home() / "ledger.jsonl", _place(target, endpoint, account, self.region))
        self._account = account
        self._session = session
        self._services = session.get_available_services()
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # making a client is not thread-safe, using one is
        Recorder(self.ledger, RESOURCE_TYPES, self.tags, self.client).register(session.events)
        session.events.register("before-parameter-build.iam.CreateRole", self._limit_role)
        session.events.register("after-call.lambda", _hide_webhooks)
        # So that who has one client can ask for another: see reports.py.
        session.events.register("workshop.client", lambda service, **_: self.client(service))
        if target == "aws":
            log_retention.register(session.events, self.client)
        if target != "embedded":
            not_yet.register(session.events)
        else:
            session.events.register("needs-retry", _say_that_it_stopped)
            session.events.register("before-send", partial(_name_life, life))
            session.events.register("before-parse", _say_that_it_is_another)

    def __repr__(self) -> str:
        where = WHERE[self.target]
        at = f" at {_without_password(self.endpoint)}" if self.endpoint else ""
        return f"<Workshop on {where}{at}, region {self.region}, names begin with {self.tags['learner']}->"

    @property
    def is_embedded(self) -> bool:
        """Whether this is the AWS that the workshop brings along."""
        return self.target == "embedded"

    @takes(service=TEXT, config=or_none(CONFIG))
    def client(self, service: str, config: Config | None = None) -> Any:
        """Return the boto3 client of `service`, e.g. "lambda"; the same one each time.

        With `config`, a new one where its settings stand in place of the workshop's, e.g. Config(retries={…}).
        What it creates is tagged and entered in the ledger, so that clean() can remove it.

        Raises ArgumentError for a service that boto3 does not know.
        """
        if service not in self._services:
            near = (difflib.get_close_matches(service.lower(), known, 1) for known in (USED_SERVICES, self._services))
            close = AWS_NAMES.get(service.lower().replace("-", "").replace(" ", "")) or next(chain(*near), None)
            hint = f"did you mean {close!r}?" if close else f"the workshop uses {', '.join(USED_SERVICES)}."
            raise ArgumentError(f"boto3 knows no service {service!r}; {hint}")
        with self._lock:
            if config is not None:
                own = _with(_config(service, self.target), config)
                return self._session.client(service, endpoint_url=self.endpoint, config=own)
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.endpoint, config=_config(service, self.target)
                )
            return self._clients[service]

    @takes(text=ANY_TEXT)
    def name(self, text: str) -> str:
        """Return "<learner>-<text>", the same on every run, valid for functions, buckets, queues and roles.

        Raises ArgumentError when `text` has more than lower-case letters, digits and hyphens, or is too long.
        """
        name = f"{self.tags['learner']}-{text}"
        if len(name) > MAX_NAME or not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text):
            raise ArgumentError(
                f"{text!r} does not make a name: use 1 to {self._longest()} lower-case letters, digits and hyphens, "
                "with a letter or digit at each end."
            )
        return name

    @takes(text=ANY_TEXT)
    def bucket(self, text: str) -> str:
        """Return the name of a bucket: name(text), and on AWS a digest of the account, as no other may have the same.

        Raises ArgumentError as name() does.
        """
        return self.name(f"{text}-{_digest(self._account)}" if self._account else text)

    def _longest(self) -> int:
        """How many characters are left for a name after the prefix."""
        return MAX_NAME - len(self.tags["learner"]) - 1

    @property
    def partition(self) -> str:
        """The part of AWS that ARNs here begin with: "aws", or e.g. "aws-cn" in China."""
        partition: str = self._session.get_partition_for_region(self.region)
        return partition

    @takes(policies=POLICIES)
    def role(self, *policies: str | dict[str, Any]) -> str:
        """Return the ARN of the execution role with these policies, made when it is not there.

        A statement such as {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::…/*"} goes into
        an inline policy; an AWS managed policy is named by the end of its ARN, e.g.
        "service-role/AWSLambdaSQSQueueExecutionRole". Writing logs is always allowed.
        On AWS a new role and its policies take some seconds to reach other services, and nothing tells when: this waits
        for SPREAD_S. Where Lambda may still not assume it, not_yet.py tries again.
        On AWS, `WORKSHOP_ROLE` names a role of the account that is used for all functions, as it is, and
        `WORKSHOP_BOUNDARY` the permissions boundary that every role gets which is made.

        Raises ConnectError when a role of this name is there that the workshop did not make.
        """
        if self.target == "aws" and (existing := settings.role()):
            return self._iam_arn("role", existing)
        iam = self.client("iam")
        name = self.name(_role_suffix(policies, self._longest()))
        is_new = False
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA))["Role"]
            iam.get_waiter("role_exists").wait(RoleName=name)
            is_new = True
        else:
            if self.target == "aws" and {"Key": "workshop", "Value": "lambda"} not in role.get("Tags", []):
                raise ConnectError(
                    f"There is a role {name} that this workshop did not make, and it stays as it is; "
                    "set WORKSHOP_LEARNER to another prefix."
                )
        for policy in (BASIC_EXECUTION, *(each for each in policies if isinstance(each, str))):
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:{self.partition}:iam::aws:policy/{policy}")
        if statements := [each for each in policies if not isinstance(each, str)]:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=document)
        if is_new and self.target == "aws":
            for _ in track(range(SPREAD_S), "seconds for AWS to hear of a new role"):
                time.sleep(1)
        arn: str = role["Arn"]
        return arn

    def _limit_role(self, params: dict[str, Any], **_: Any) -> None:
        """Give a role that is made the permissions boundary of the setting, unless that is in another account."""
        boundary = settings.boundary()
        if boundary and (self.target == "aws" or f":{EMULATED_ACCOUNT}:" in boundary):
            params.setdefault("PermissionsBoundary", self._iam_arn("policy", boundary))

    def _iam_arn(self, kind: str, name: str) -> str:
        """The ARN of a role or a policy of this account, by its name or its ARN."""
        return name if ":" in name else f"arn:{self.partition}:iam::{self._account}:{kind}/{name}"


@takes(ask=YES_NO)
def connect(*, ask: bool = True) -> Workshop:
    """Return a Workshop on the AWS that the settings name.

    `WORKSHOP_TARGET=aws` is AWS with the reader's own credentials: account (its last four digits), region
    and an estimate are shown, and the reader is asked, once per process, before anything is made;
    `WORKSHOP_CONFIRM=yes` answers in advance. `AWS_ENDPOINT_URL` is the reader's own emulator, unless
    it is the embedded AWS's address.
    Otherwise it is the embedded AWS, started when it is not running.

    Raises ConnectError, localaws.LocalAwsError or settings.SettingError, each with one sentence.
    """
    from . import localaws

    if shell := get_ipython():
        notebook_errors.load_ipython_extension(shell)
    localaws.raise_descriptors()  # a thousand calls at once have a connection each
    chosen = aws_choice.chosen()
    if chosen == "aws":
        return _connect_aws(ask)
    if chosen == "emulator":
        return _connect_emulator(os.environ["AWS_ENDPOINT_URL"])
    home = settings.home()
    endpoint = localaws.running(home) or localaws.start(
        home, settings.port(), settings.region(), **settings.embedded_aws()
    )
    variables = endpoint.variables()
    session = isolated_session()
    session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return Workshop(
        boto3.Session(botocore_session=session, region_name=variables["AWS_REGION"]),
        "embedded",
        endpoint.url,
        life=endpoint.life,
    )


def embedded_is_empty() -> bool:
    """Whether the embedded AWS is the chosen one, does not run and has kept nothing, so that nothing can be in it."""
    from . import localaws

    return _embedded_is_off() and not localaws.has_kept(settings.home())


@contextlib.contextmanager
def present_aws() -> Iterator["Workshop"]:
    """A connection to the present AWS, without a question; an embedded one that was off is off again afterwards."""
    from . import localaws

    home = settings.home()
    if not _embedded_is_off():
        yield connect(ask=False)
        return
    with localaws.needed(home, settings.port(), settings.region(), print, **settings.embedded_aws()):
        yield connect(ask=False)


def _embedded_is_off() -> bool:
    from . import localaws

    home = settings.home()
    return aws_choice.chosen() == "embedded" and not (localaws.alive(home) or localaws.running(home))


def _connect_aws(ask: bool) -> Workshop:
    try:
        session = boto3.Session()
        if session.region_name is None:
            session = boto3.Session(region_name=settings.region())
        sts = session.client("sts", config=Config(ignore_configured_endpoint_urls=True))
        account = sts.get_caller_identity()["Account"]  # free, and allowed to every identity
    except (ClientError, BotoCoreError) as error:
        # Of AWS's answer the code alone: its message may hold an ARN, and so the account id.
        reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else str(error).rstrip(".")
        raise ConnectError(
            f"AWS cannot be used with your credentials ({reason}); run `aws configure` or set AWS_PROFILE, "
            "unset AWS_ACCESS_KEY_ID if it came from `python3 -m helpers env`, and try again."
        ) from None
    if ask:
        _ask(account, session.region_name)
    return Workshop(session, "aws", account=account)


def estimate() -> str:
    """One sentence on what the workshop costs on AWS, computed from list prices."""
    prices = load_prices()["lambda"]
    gb_seconds = INVOCATIONS * SECONDS * MEMORY_MB / 1024
    dollars = gb_seconds * prices["gb_second"]["x86_64"] + INVOCATIONS * prices["request"]
    polls = POLLERS * 3600 // POLL_S
    return (
        f"Estimate: {INVOCATIONS:,} invocations of {SECONDS:g} s at {MEMORY_MB} MB are "
        f"{gb_seconds:g} GB-seconds, {dollars:.3f} USD at list price, "
        "and nothing within Lambda's monthly free tier "
        f"({prices['free_requests']:,} requests, {prices['free_gb_seconds']:,} GB-seconds). "
        "Lambda polls the queues of notebooks 11, 14 and 15, also while they are empty: "
        f"{polls:,} requests an hour for each, {polls * fact('sqs_request'):.4f} USD "
        "beyond SQS's free million a month, until you clean up. "
        "Provisioned concurrency and the snapshots of notebook 04, and the machines of notebook 12, are extra; "
        "the notebooks say how much before they make them."
    )


_agreed: set[str] = set()  # accounts and regions that the reader has said yes to in this process


def _ask(account: str, region: str) -> None:
    if f"{account} {region}" in _agreed:
        return
    print(f"AWS account ********{account[-4:]}, region {region}.\n{estimate()}")
    if os.environ.get("WORKSHOP_CONFIRM") != "yes":
        agreed = says_yes("Type yes to use this account: ")
        if agreed is None:
            raise ConnectError(
                "There is nobody to ask whether to use your AWS account; set WORKSHOP_CONFIRM=yes to agree."
            )
        if not agreed:
            raise ConnectError(
                "Nothing was made in your AWS account; to use the embedded AWS instead, choose it in "
                "notebook 00, or unset WORKSHOP_TARGET."
            )
    _agreed.add(f"{account} {region}")


def _connect_emulator(url: str) -> Workshop:
    if not url.lower().startswith(("http://", "https://")):
        raise ConnectError(
            f"AWS_ENDPOINT_URL={url.rpartition('@')[2]} does not begin with http:// or https://; set it to an address "
            "such as http://localhost:4566, or unset it to use the embedded AWS."
        )
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=5).close()
    except (OSError, ValueError):
        raise ConnectError(
            f"Nothing answers at AWS_ENDPOINT_URL={_without_password(url)}; start your emulator, "
            "or unset AWS_ENDPOINT_URL to use the embedded AWS."
        ) from None
    session = isolated_session()
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    session.set_credentials(*((key, secret) if key and secret else ("test", "test")))
    return Workshop(boto3.Session(botocore_session=session, region_name=settings.region()), "emulator", url)


def isolated_session() -> botocore.session.Session:
    """A session that reads no AWS profile: what the reader has set up for AWS must not change an emulator."""
    nowhere = (None, None, os.devnull, None)
    variables = {"profile": (None,) * 4, "config_file": nowhere, "credentials_file": nowhere}
    session = botocore.session.Session(session_vars=variables)
    session.register_component("data_loader", _service_models())
    return session


def _service_models() -> botocore.loaders.Loader:
    """What botocore knows of AWS's services, read once: by itself each session reads it anew, 50 ms for a client."""
    loader = _loader()
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # boto3 adds the same folder for every session
    return loader


@lru_cache(maxsize=1)
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


def _config(service: str, target: str) -> Config:
    config = LAMBDA_CLIENT if service == "lambda" else CLIENT
    if target == "aws":
        return config.merge(Config(ignore_configured_endpoint_urls=True))
    # A local address is reached without the reader's proxy, and has no host name for each bucket.
    return config.merge(Config(proxies={}, s3={"addressing_style": "path"}))


def _with(config: Config, own: Config) -> Config:
    """Our settings with a notebook's own in their place; its retries keep our mode, unless they name one."""
    merged = config.merge(own)
    if own.retries and "mode" not in own.retries:
        merged = merged.merge(Config(retries={"mode": config.retries["mode"]} | own.retries))
    return merged


def _place(target: str, endpoint: str | None, account: str | None, region: str) -> str:
    """The ledger's name of an AWS; an account goes in as a digest that does not tell its id."""
    if account:
        return f"aws {_digest(account)} {region}"
    return f"{target} {_without_password(endpoint)} {region}"


def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:6]


def _without_password(url: str | None) -> str:
    return re.sub(r"//[^/@]*@", "//", url or "")


def _hide_webhooks(parsed: dict[str, Any], **_: Any) -> None:
    """A configuration that AWS answers holds WEBHOOK_URL; a cell that shows it must not show the secret."""
    webhook.hide(parsed)
    if error := parsed.get("Error"):  # Lambda writes variables that are too long into its answer
        error["Message"] = webhook.without_secret(error.get("Message", ""))


def _name_life(life: str, request: Any, **_: Any) -> None:
    """Tell the embedded AWS which of its lives is meant: that of connect()."""
    from . import localaws

    if life:
        request.headers[localaws.LIFE_HEADER] = life


def _say_that_it_is_another(response_dict: dict[str, Any], **_: Any) -> None:
    from . import localaws

    if response_dict["headers"].get("x-amzn-errortype") == localaws.OTHER_LIFE:
        raise ConnectError(
            "The embedded AWS began anew, with nothing in it, since this notebook called connect(); "
            "run this notebook from the top."
        )


def _say_that_it_stopped(caught_exception: Exception | None, **_: Any) -> None:
    """When nobody listens at the embedded AWS's address any more, trying again is no use."""
    if isinstance(caught_exception, EndpointConnectionError):
        raise ConnectError(
            "The embedded AWS has stopped, and keeps what is in it; run the cell with connect(), which starts it, "
            "and then this cell again."
        )


def _role_suffix(policies: tuple[str | dict[str, Any], ...], longest: int) -> str:
    """The end of a role's name: one role for each set of policies. The digest tells them apart."""
    if not policies:
        return "lambda-role"
    texts = {each if isinstance(each, str) else json.dumps(each, sort_keys=True) for each in policies}
    digest = hashlib.sha256(" ".join(sorted(texts)).encode()).hexdigest()[:6]
    first = policies[0] if isinstance(policies[0], str) else _action(policies[0])
    words = re.sub(r"[^a-z0-9]+", "-", first.rsplit("/", 1)[-1].lower())
    room = min(25, longest - len(f"lambda-role--{digest}"))
    return f"lambda-role-{words[:room].strip('-')}-{digest}"


def _is_statement(value: Any) -> bool:
    return isinstance(value, dict) and {"Effect", "Action", "Resource"} <= set(value)


def _action(statement: dict[str, Any]) -> str:
    """The first action that a statement names."""
    action = statement["Action"]
    return str(action[0] if isinstance(action, list) and action else action)
