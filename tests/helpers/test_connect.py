"""connect() finds the chosen AWS, asks before it uses the reader's own, and never shows an account id."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import boto3
import botocore.client
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from localaws_client import eventually

from helpers import arguments, localaws, settings
from helpers.connect import ConnectError, Workshop, connect, embedded_is_empty, estimate
from helpers.localaws import Endpoint

MODULE = importlib.import_module("helpers.connect")  # the package's name is the function

ACCOUNT = "123456784321"


@pytest.fixture(autouse=True)
def clean_machine(monkeypatch, tmp_path):
    """No AWS and no workshop setting of the machine that runs the tests."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "WORKSHOP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    monkeypatch.setenv("WORKSHOP_LEARNER", "Ada L.")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(sys.modules["helpers.connect"], "_agreed", set())


def workshop(target: str = "emulator") -> Workshop:
    session = boto3.Session("x", "x", region_name="eu-west-1")
    return Workshop(session, target, None if target == "aws" else "http://127.0.0.1:9", account=ACCOUNT)


def aws_of(account: str) -> Workshop:
    return Workshop(boto3.Session("x", "x", region_name="eu-west-1"), "aws", account=account)


# The embedded AWS


def test_when_it_has_stopped_a_call_says_so_at_once(free_port, monkeypatch):
    monkeypatch.setenv("WORKSHOP_PORT", str(free_port()))
    client = connect().client("s3")
    try:
        client.list_buckets()
    finally:
        assert localaws.stop(settings.home())
    tries = []
    client.meta.events.register("before-send", lambda **_: tries.append(1))
    with pytest.raises(ConnectError) as caught:
        client.list_buckets()
    assert str(caught.value) == (
        "The embedded AWS has stopped, and keeps what is in it; run the cell with connect(), which starts it, "
        "and then this cell again."
    )
    assert len(tries) == 1


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_when_it_was_stopped_and_started_a_notebook_goes_on(free_port, monkeypatch, end):
    monkeypatch.setenv("WORKSHOP_PORT", str(free_port()))
    found = connect()
    try:
        found.client("s3").create_bucket(Bucket=found.name("before"))
        if end == "killed":
            os.kill(localaws.running(settings.home()).pid, signal.SIGKILL)
            eventually(lambda: localaws.alive(settings.home()) is None)
        else:
            assert localaws.stop(settings.home())
        connect()
        assert [each["Name"] for each in found.client("s3").list_buckets()["Buckets"]] == [found.name("before")]
    finally:
        localaws.stop(settings.home())


def test_when_it_was_started_with_nothing_in_it_a_call_says_so_and_does_nothing(free_port, monkeypatch):
    monkeypatch.setenv("WORKSHOP_PORT", str(free_port()))
    found = connect()
    try:
        found.client("s3").create_bucket(Bucket=found.name("before"))
        assert localaws.stop(settings.home())
        localaws.start(settings.home(), settings.port(), fresh=True)
        anew = connect()
        # of each way in which AWS's services speak: REST with XML and JSON, JSON, query, EC2's
        for service, call in (
            ("s3", "list_buckets"),
            ("lambda", "list_functions"),
            ("sqs", "list_queues"),
            ("dynamodb", "list_tables"),
            ("iam", "list_roles"),
            ("ec2", "describe_vpcs"),
        ):
            with pytest.raises(ConnectError) as caught:
                getattr(found.client(service), call)()
            assert str(caught.value) == (
                "The embedded AWS began anew, with nothing in it, since this notebook called connect(); "
                "run this notebook from the top."
            )
        with pytest.raises(ConnectError):
            found.client("s3").create_bucket(Bucket=found.name("after"))
        assert anew.client("s3").list_buckets()["Buckets"] == []
    finally:
        localaws.stop(settings.home())


def test_on_another_aws_a_failed_connection_is_botocores_to_tell(monkeypatch):
    client = workshop("emulator").client("s3")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between botocore's five tries
    with pytest.raises(EndpointConnectionError):
        client.list_buckets()


@pytest.fixture
def started(monkeypatch) -> list[tuple]:
    """The calls of localaws.start(), with an embedded AWS that does not run yet."""
    calls: list[tuple] = []

    def start(home, port, region, **options):
        calls.append((home, port, region, options))
        return Endpoint(port=port, pid=1, region=region)

    monkeypatch.setattr("helpers.localaws.running", lambda home: None)
    monkeypatch.setattr("helpers.localaws.start", start)
    return calls


def test_the_embedded_aws_is_started_when_it_does_not_run(started, monkeypatch):
    monkeypatch.setenv("WORKSHOP_PORT", "4999")
    monkeypatch.setenv("AWS_REGION", "ap-northeast-1")
    found = connect()
    assert started == [(settings.home(), 4999, "ap-northeast-1", settings.embedded_aws())]
    assert found.is_embedded
    assert found.client("lambda").meta.endpoint_url == "http://127.0.0.1:4999"
    assert found.client("lambda").meta.region_name == found.region == "ap-northeast-1"


def test_a_running_embedded_aws_is_used(started, monkeypatch):
    monkeypatch.setattr("helpers.localaws.running", lambda home: Endpoint(port=4998, pid=1))
    assert connect().endpoint == "http://127.0.0.1:4998"
    assert started == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:4998", "http://localhost:4998/"])
def test_the_address_that_env_gives_is_the_embedded_aws(started, monkeypatch, url):
    for running in ("helpers.localaws.running", "helpers.localaws.server_process.running"):  # is_at() asks its own
        monkeypatch.setattr(running, lambda home: Endpoint(port=4998, pid=1))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert connect().is_embedded


def test_what_the_reader_has_set_up_for_aws_does_not_change_the_embedded_aws(started, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\nendpoint_url = http://192.0.2.1\n")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://192.0.2.1")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    client = connect().client("s3")
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.region_name == "us-east-1"
    assert client.meta.config.proxies == {}


def test_whether_there_is_nothing_in_the_embedded_aws(started, monkeypatch):
    assert embedded_is_empty()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert not embedded_is_empty()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with monkeypatch.context() as at_work:
        at_work.setattr("helpers.localaws.running", lambda home: Endpoint(port=4998, pid=1))
        assert not embedded_is_empty()
    monkeypatch.setattr("helpers.localaws.has_kept", lambda home: True)
    assert not embedded_is_empty()


# The reader's own emulator


def test_the_readers_own_emulator_is_used_as_it_is(started, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        found = connect()
    assert started == []
    assert (found.target, found.client("sqs").meta.endpoint_url) == ("emulator", url)
    shown = f"<Workshop on your own emulator at {url}, region us-east-1, names begin with ada-l->"
    assert repr(found) == shown


def test_an_emulator_that_does_not_answer(started, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:secret@127.0.0.1:{port}")
    with pytest.raises(ConnectError, match=f"Nothing answers at .*=http://127.0.0.1:{port};") as caught:
        connect()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:4566", "127.0.0.1:4566", "nonsense", "ftp://localhost", "://", "http:/x"])
def test_an_address_without_a_scheme(monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(ConnectError) as caught:
        connect()
    assert str(caught.value) == (
        f"AWS_ENDPOINT_URL={url} does not begin with http:// or https://; set it to an address such as "
        "http://localhost:4566, or unset it to use the embedded AWS."
    )


def test_an_address_without_a_scheme_may_hold_a_password(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "me:secret@localhost:4566")
    with pytest.raises(ConnectError, match="^AWS_ENDPOINT_URL=localhost:4566 does not begin"):
        connect()


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://"])
def test_an_address_that_is_none(monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(ConnectError, match=rf"^Nothing answers at AWS_ENDPOINT_URL={re.escape(url)}; start your"):
        connect()


# AWS


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """The operations that were called on AWS; GetCallerIdentity is answered, and nothing else is."""
    made: list[str] = []

    def answer(client, operation, parameters):
        made.append(operation)
        assert operation == "GetCallerIdentity"
        assert client.meta.endpoint_url.endswith("amazonaws.com")
        return {"Account": ACCOUNT}

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    monkeypatch.setenv("WORKSHOP_TARGET", "aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    return made


def answers(monkeypatch, *texts: str) -> list[str]:
    """Let the reader type `texts`; returns what was asked."""
    asked: list[str] = []
    typed = iter(texts)

    def type_next(question=""):
        asked.append(question)
        return next(typed)

    monkeypatch.setattr("builtins.input", type_next)
    return asked


def test_on_aws_it_shows_what_it_is_about_and_asks(calls, monkeypatch, capsys):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    asked = answers(monkeypatch, "yes")
    found = connect()
    shown = capsys.readouterr().out
    assert asked == ["Type yes to use this account: "]
    assert "AWS account ********4321, region ap-northeast-1." in shown
    assert estimate() in shown
    assert calls == ["GetCallerIdentity"]
    assert found.target == "aws"
    assert ACCOUNT not in shown + repr(found) + found.ledger.place


def test_on_aws_the_endpoint_of_an_emulator_is_not_used(calls, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WORKSHOP_CONFIRM", "yes")
    assert connect().client("lambda").meta.endpoint_url == "https://lambda.us-east-1.amazonaws.com"


def test_it_asks_once_per_process(calls, monkeypatch):
    asked = answers(monkeypatch, "Yes ")
    connect()
    connect()
    assert len(asked) == 1


@pytest.mark.parametrize("typed", ["no", "", "y"])
def test_anything_but_yes_stops(calls, monkeypatch, typed):
    answers(monkeypatch, typed)
    with pytest.raises(ConnectError, match="Nothing was made in your AWS account"):
        connect()


@pytest.mark.parametrize("error", [EOFError, OSError, NotImplementedError])
def test_without_anybody_to_ask_it_stops(calls, monkeypatch, error):
    def nobody(question=""):
        raise error

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(ConnectError, match="set WORKSHOP_CONFIRM=yes"):
        connect()


def test_the_answer_can_be_given_in_advance(calls, monkeypatch, capsys):
    asked = answers(monkeypatch)
    monkeypatch.setenv("WORKSHOP_CONFIRM", "yes")
    assert connect().target == "aws"
    assert asked == []
    assert "********4321" in capsys.readouterr().out


def test_cleaning_up_needs_no_question(calls, monkeypatch):
    asked = answers(monkeypatch)
    assert connect(ask=False).target == "aws"
    assert asked == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoCredentialsError(), "Unable to locate credentials"),
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": f"of {ACCOUNT}"}}, "GetCallerIdentity"),
            "ExpiredToken",
        ),
    ],
)
def test_credentials_that_do_not_work(calls, monkeypatch, error, reason):
    def refuse(client, operation, parameters):
        raise error

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    with pytest.raises(ConnectError, match=re.escape(f"({reason}); run `aws configure`")) as caught:
        connect()
    assert ACCOUNT not in str(caught.value)


def test_a_profile_that_does_not_exist(calls, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConnectError, match="nobody.*set AWS_PROFILE"):
        connect()


def test_two_accounts_have_two_ledgers(calls):
    assert aws_of(ACCOUNT).ledger.place != aws_of(ACCOUNT[::-1]).ledger.place


def test_the_estimate_counts_what_an_idle_queue_costs():
    # 5 polls at a time of 20 s each are 900 in an hour; 900 x 0.0000004 = 0.00036 USD
    assert "also while they are empty: 900 requests an hour for each, 0.0004 USD beyond" in estimate()


def test_the_estimate_follows_from_the_price_list():
    # 1,000 x 1 s x 0.5 GB = 500 GB-s; 500 x 0.0000166667 + 1,000 x 0.0000002 = 0.00853335 USD
    assert "1,500 invocations of 0.7 s at 1024 MB are 1050 GB-seconds, 0.018 USD" in estimate()


# The Workshop


def test_a_client_is_made_once_even_by_threads_at_once():
    found = workshop()
    with ThreadPoolExecutor(8) as threads:
        clients = set(threads.map(found.client, ["lambda"] * 32))
    assert len(clients) == 1


def test_the_settings_of_clients_are_stated():
    found = workshop()
    assert found.client("lambda").meta.config.read_timeout == 1810
    assert found.client("s3").meta.config.read_timeout == 60
    for service in ("lambda", "s3"):
        config = found.client(service).meta.config
        assert config.retries == {"mode": "legacy", "total_max_attempts": 5}
        assert config.max_pool_connections == 50


def test_a_client_with_retries_of_its_own_keeps_the_mode_that_the_others_have():
    def retries(**own):
        return workshop().client("lambda", Config(retries=own)).meta.config.retries

    assert retries(total_max_attempts=8) == {"mode": "legacy", "total_max_attempts": 8}
    assert retries(mode="standard") == {"mode": "standard"}
    assert workshop().client("lambda", Config(region_name="eu-west-1")).meta.config.retries["mode"] == "legacy"


def test_a_name_is_the_same_every_time():
    assert workshop().name("hello-2") == workshop().name("hello-2") == "ada-l-hello-2"


@pytest.mark.parametrize("text", ["", "Hello", "a_b", "a b", "-a", "a-", "a.b", "a" * 58])
def test_a_name_that_aws_would_refuse(text):
    with pytest.raises(ValueError, match="does not make a name: use 1 to 57 lower-case letters"):
        workshop().name(text)


def test_the_longest_name_is_as_long_as_a_bucket_may_be():
    assert len(workshop().name("a" * 57)) == 63


def test_tags_name_the_workshop_and_the_learner():
    assert workshop().tags == {"workshop": "lambda", "learner": "ada-l"}


def test_on_aws_a_role_of_somebody_else_stays_as_it_is():
    found = workshop("aws")
    role = {
        "Path": "/",
        "RoleName": "ada-l-lambda-role",
        "RoleId": "AROA0123456789ABCDEF",
        "CreateDate": 0,
        "Arn": "arn:aws:iam::000000000000:role/ada-l-lambda-role",
    }
    with Stubber(found.client("iam")) as stubber:
        stubber.add_response("get_role", {"Role": role}, {"RoleName": "ada-l-lambda-role"})
        with pytest.raises(ConnectError, match="a role ada-l-lambda-role that this workshop did not make"):
            found.role()
        stubber.assert_no_pending_responses()


class Iam:
    """IAM with one role, or with none until it is created."""

    exceptions = SimpleNamespace(NoSuchEntityException=KeyError)

    def __init__(self, is_there: bool) -> None:
        self._is_there = is_there

    def get_role(self, RoleName: str) -> dict:
        if not self._is_there:
            raise KeyError(RoleName)
        arn = f"arn:aws:iam::000000000000:role/{RoleName}"
        return {"Role": {"Arn": arn, "Tags": [{"Key": "workshop", "Value": "lambda"}]}}

    def create_role(self, RoleName: str, AssumeRolePolicyDocument: str) -> dict:
        self._is_there = True
        return self.get_role(RoleName)

    def get_waiter(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(wait=lambda RoleName: None)

    def attach_role_policy(self, RoleName: str, PolicyArn: str) -> None: ...


@pytest.mark.parametrize("target", ["aws", "emulator"])
def test_a_new_role_on_aws_is_waited_for_and_one_that_is_there_is_not(target, monkeypatch):
    pauses = []
    monkeypatch.setattr(MODULE.time, "sleep", pauses.append)
    found = workshop(target)
    found._clients["iam"] = Iam(is_there=False)
    assert found.role().endswith(":role/ada-l-lambda-role")
    assert pauses == [1] * (MODULE.SPREAD_S if target == "aws" else 0)
    found.role()
    assert len(pauses) <= MODULE.SPREAD_S


@pytest.mark.parametrize("text", ["lambda-basic", "arn:aws:iam::000087654321:role/team/lambda-basic"])
def test_on_aws_a_role_of_the_account_can_be_named_and_nothing_is_asked_of_iam(text, monkeypatch):
    monkeypatch.setenv("WORKSHOP_ROLE", text)
    with Stubber(workshop("aws").client("iam")):  # which answers nothing
        named = workshop("aws").role("AmazonS3FullAccess")
    assert named == (text if ":" in text else f"arn:aws:iam::{ACCOUNT}:role/lambda-basic")


@pytest.mark.parametrize(
    ("target", "text", "boundary"),
    [
        ("aws", "limit", f"arn:aws:iam::{ACCOUNT}:policy/limit"),
        ("aws", "arn:aws:iam::000087654321:policy/team/limit", "arn:aws:iam::000087654321:policy/team/limit"),
        ("aws", "", None),
        ("emulator", "limit", None),
        ("emulator", f"arn:aws:iam::{ACCOUNT}:policy/limit", None),
        ("emulator", "arn:aws:iam::000000000000:policy/limit", "arn:aws:iam::000000000000:policy/limit"),
    ],
)
def test_every_role_that_is_made_has_the_boundary_of_its_account(monkeypatch, target, text, boundary):
    monkeypatch.setenv("WORKSHOP_BOUNDARY", text)
    parameters = {}
    workshop(target)._limit_role(parameters)
    assert parameters.get("PermissionsBoundary") == boundary


def test_a_bucket_is_named_as_no_other_account_would_name_it():
    assert Workshop(boto3.Session("x", "x", region_name="eu-west-1"), "embedded").bucket("files") == "ada-l-files"
    names = {workshop("aws").bucket("files"), aws_of(ACCOUNT[::-1]).bucket("files")}
    assert len(names) == 2
    assert all(re.fullmatch("ada-l-files-[0-9a-f]{6}", name) and ACCOUNT not in name for name in names)


def test_arns_begin_as_those_of_the_region():
    assert workshop("aws").partition == "aws"
    session = boto3.Session("x", "x", region_name="cn-north-1")
    assert Workshop(session, "aws", account=ACCOUNT).partition == "aws-cn"


def test_importing_makes_no_call():
    script = (
        "import socket\n"
        "def refuse(*args): raise SystemExit('a call was made')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import helpers.connect, helpers.deploying.deploy, helpers.deploying.package\n"
        "import helpers.measuring.reports, helpers.resources.cleanup\n"
        "print('quiet')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=settings.ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "quiet\n", "")


# On an AWS


def test_a_role_is_made_once_and_lets_lambda_write_logs(aws):
    iam = aws.client("iam")
    assert aws.role() == aws.role()
    name = aws.role().rsplit("/", 1)[-1]
    assert name.startswith(aws.name("lambda-role"))
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    policies = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in policies] == ["AWSLambdaBasicExecutionRole"]


def test_other_policies_make_another_role(aws):
    arn = aws.role("AmazonS3ReadOnlyAccess")
    assert arn != aws.role()
    answer = aws.client("iam").list_attached_role_policies(RoleName=arn.rsplit("/", 1)[-1])
    assert {policy["PolicyName"] for policy in answer["AttachedPolicies"]} == {
        "AWSLambdaBasicExecutionRole",
        "AmazonS3ReadOnlyAccess",
    }


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::any/*"}


def test_a_role_has_the_statements_that_it_is_given(aws):
    iam, arn = aws.client("iam"), aws.role(READ, "service-role/AWSLambdaRole")
    assert arn == aws.role(READ, "service-role/AWSLambdaRole")
    assert len({arn, aws.role(READ), aws.role({**READ, "Action": "s3:PutObject"}), aws.role()}) == 4
    name = arn.rsplit("/", 1)[-1]
    assert "s3-getobject" in aws.role(READ)
    assert iam.get_role_policy(RoleName=name, PolicyName="allowed")["PolicyDocument"]["Statement"] == [READ]
    attached = {each["PolicyName"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]}
    assert attached == {"AWSLambdaBasicExecutionRole", "AWSLambdaRole"}


@pytest.mark.parametrize("policy", [{}, {"Effect": "Allow"}, ["s3:GetObject"], 3, None, ""])
def test_what_is_no_policy_is_one_sentence(aws, policy):
    with pytest.raises(
        arguments.ArgumentError,
        match=r"^workshop\.role\(\) takes as policies names of AWS managed policies and statements",
    ):
        aws.role(policy)
