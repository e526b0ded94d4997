"""What the tests of the embedded AWS share: a function as clients see it, waiting, finding processes."""

import base64
import contextlib
import io
import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import botocore.session
import psutil
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from helpers import localaws, settings
from helpers.localaws import Endpoint
from helpers.localaws.data_plane.function import Function

T = TypeVar("T")
THIS_PYTHON = f"python3.{sys.version_info.minor}"  # the runtime that surely is what it says
# In the server's environment, where no function may see it.
HOST_VARIABLE = "WORKSHOP_TEST_HOST_VARIABLE"
ROLE = "arn:aws:iam::000000000000:role/anything"
TRUSTED = [f"{service}.amazonaws.com" for service in ("lambda", "events", "scheduler", "states", "pipes", "rds")]
# Source of a function's `daemon(*argv)`: starts a program as daemons start, its parent gone; gives its process id.
DAEMON = """
import subprocess, sys
FORK = 'import subprocess as s, sys; print(s.Popen(sys.argv[1:], start_new_session=True, stdout=s.DEVNULL).pid)'
def daemon(*argv):
    return int(subprocess.check_output([sys.executable, '-S', '-c', FORK, *argv]))
"""
FUNCTION = Function(
    name="f",
    version="$LATEST",
    arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    account="000000000000",
    region="us-east-1",
    runtime=THIS_PYTHON,
    handler="app.handler",
    timeout_s=3,
    memory_mb=128,
    variables={},
    log_group="/aws/lambda/f",
    log_format="Text",
    log_levels={},
    code=b"",
    role=ROLE,
)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
REPORT = re.compile(
    rf"REPORT RequestId: (?P<request_id>{UUID})\tDuration: (?P<duration>\d+\.\d\d) ms\t"
    r"Billed Duration: (?P<billed>\d+) ms\tMemory Size: (?P<memory>\d+) MB\tMax Memory Used: (?P<used>\d+) MB"
    r"(?:\tInit Duration: (?P<init>\d+\.\d\d) ms)?"
    r"(?:\t|\tStatus: (?P<status>timeout|error)(?:\tError Type: (?P<error_type>[\w.]+))?)\n"
)


def eventually(condition: Callable[[], T], seconds: float = 60) -> T:
    """Ask until the answer is true, and return it; AssertionError when that takes too long.

    It asks less and less often, up to five times a second: asking takes CPU from what it waits for.
    """
    deadline, pause = time.monotonic() + seconds, 0.02
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer was {answer!r}"
        time.sleep(pause)
        pause = min(1.1 * pause, 0.2)
    return answer


def zipped(files: dict[str, str | bytes], executable: tuple[str, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and the message with which AWS refuses a call; AssertionError where it does not."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"it was not refused with {parameters}")


@dataclass
class Result:
    """What Invoke answered; `tail` is the decoded LogResult of a synchronous call."""

    status: int
    error: str | None
    payload: Any
    request_id: str
    tail: str


class TestedFunction:
    """One function, as a client sees it."""

    __test__ = False  # for pytest: not a class of tests

    def __init__(self, name: str, clients: Callable[[str], Any]) -> None:
        self.name, self._clients = name, clients
        self._lambda = clients("lambda")

    def invoke(self, event: Any = None, **parameters: Any) -> Result:
        if parameters.get("InvocationType", "RequestResponse") == "RequestResponse":
            parameters = {"LogType": "Tail", **parameters}
        payload = event if isinstance(event, bytes) else json.dumps({} if event is None else event)
        answer = self._lambda.invoke(**{"FunctionName": self.name, "Payload": payload, **parameters})
        body = answer["Payload"].read()
        return Result(
            answer["StatusCode"],
            answer.get("FunctionError"),
            json.loads(body) if body else None,
            answer["ResponseMetadata"]["RequestId"],
            base64.b64decode(answer.get("LogResult", "")).decode(),
        )

    def wait(self) -> None:
        """Until it is active and updated. boto3's waiters look once a second, too seldom for many tests."""

        def ready() -> bool:
            configuration = self._lambda.get_function_configuration(FunctionName=self.name)
            return configuration["State"] == "Active" and configuration.get("LastUpdateStatus") == "Successful"

        eventually(ready)

    def update(self, **configuration: Any) -> None:
        self._lambda.update_function_configuration(FunctionName=self.name, **configuration)
        self.wait()

    def update_code(self, code: str, file: str = "app.py") -> None:
        self._lambda.update_function_code(FunctionName=self.name, ZipFile=zipped({file: code}))
        self.wait()

    def let_in(self, service: str, **source: str) -> None:
        """Let a service of AWS invoke it, "s3", "sns", "events" or "apigateway", for this SourceArn where one is given.

        It is left as it is where the service is in already.
        """
        with contextlib.suppress(self._lambda.exceptions.ResourceConflictException):
            self._lambda.add_permission(
                FunctionName=self.name,
                StatementId=service,
                Action="lambda:InvokeFunction",
                Principal=f"{service}.amazonaws.com",
                **source,
            )

    def logged(self) -> list[dict]:
        """All events of its log group: logStreamName, timestamp, message, in CloudWatch's order."""
        logs = self._clients("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{self.name}")
        try:
            return [event for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    def messages(self) -> list[str]:
        return [event["message"] for event in self.logged()]

    def text(self) -> str:
        return "".join(self.messages())

    def streams(self) -> list[str]:
        return sorted({event["logStreamName"] for event in self.logged()})

    def reports(self) -> list[re.Match[str]]:
        """Every REPORT line; one that is not to the letter is an AssertionError."""
        lines = [message for message in self.messages() if message.startswith("REPORT")]
        found = [REPORT.fullmatch(line) for line in lines]
        assert all(found), lines
        return found

    def processes(self) -> list[psutil.Process]:
        """All that runs of it, as this machine sees them."""
        its = {"AWS_LAMBDA_FUNCTION_NAME": self.name, "AWS_ENDPOINT_URL": self._lambda.meta.endpoint_url}
        return [process for process, environment in _living() if its.items() <= environment.items()]

    def process(self, pid: int) -> psutil.Process:
        """The one that knows itself by this process id: it may have a namespace of processes."""
        (found,) = [process for process in self.processes() if own_pid(process) == pid]
        return found

    def metric(self, name: str, statistic: str = "Sum") -> float:
        """A metric of AWS/Lambda for this function, over the last quarter of an hour."""
        now = int(time.time())
        points = self._clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": self.name}],
            StartTime=now - 900,
            EndTime=now + 60,
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(point[statistic] for point in points)


@contextlib.contextmanager
def made_bucket(clients: Callable[[str], Any], name: str) -> Iterator[str]:
    """A bucket of this name, which is gone afterwards, whatever was put into it."""
    s3 = clients("s3")
    s3.create_bucket(Bucket=name)
    try:
        yield name
    finally:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            if objects := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
                s3.delete_objects(Bucket=name, Delete={"Objects": objects})
        s3.delete_bucket(Bucket=name)


def signed(
    endpoint: Endpoint, method: str, path: str, body: bytes | str = b"", service: str = "lambda", **headers: str
) -> requests.Response:
    """The answer to a request as it is, signed with the learner's key."""
    request = AWSRequest(method, endpoint.url + path, headers, body)
    credentials = Credentials(endpoint.access_key_id, endpoint.secret_access_key)
    SigV4Auth(credentials, service, endpoint.region).add_auth(request)
    return requests.request(method, endpoint.url + path, headers=dict(request.headers), data=body, timeout=30)


PERMISSIONS = {  # that everybody needs for a function URL
    # not "url": at DELETE …/policy/url MiniStack deletes the URL itself
    "use-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def public_url(client: Any, name: str, permissions: Iterable[str] = PERMISSIONS) -> str:
    """Give a function an address, with the permissions of these names, and return it."""
    for statement in permissions:
        client.add_permission(FunctionName=name, StatementId=statement, Principal="*", **PERMISSIONS[statement])
    url: str = client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    return url


def own_pid(process: psutil.Process) -> int:
    """The process id that a process has for itself: NSpid in proc_pid_status(5)."""
    if not psutil.LINUX:
        return process.pid
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("\nNSpid:")[2].partition("\n")[0].split()[-1])


def processes_of(home: Path) -> list[psutil.Process]:
    """Every living process that has this folder in its environment, or sees it: server, keeper and functions."""
    return [
        process
        for process, variables in _living()
        if any(str(home) in text for text in variables.values()) or str(home) in _mounts_of(process)
    ]


def _mounts_of(process: psutil.Process) -> str:
    """What a process has mounted, from where: a confined function knows no path of this machine."""
    try:
        return Path(f"/proc/{process.pid}/mountinfo").read_text()
    except OSError:  # it has ended, or there is no /proc
        return ""


def _living() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """All processes of this machine whose environment we may read, with it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process, process.environ()


def statuses_below(process: psutil.Process) -> list[str]:
    """The statuses of what a process has started and what those have, without what ends meanwhile."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(child.status())
    return found


def start_server(home: Path, port: int) -> Endpoint:
    """Start an embedded AWS that has ROLE; its processes have its folder in their environment, for `processes_of`."""
    os.environ[HOST_VARIABLE] = str(home)
    try:
        endpoint = localaws.start(home, port, **settings.embedded_aws())
    finally:
        del os.environ[HOST_VARIABLE]
    make_role(clients_for(endpoint)("iam"))
    return endpoint


def make_role(iam: Any) -> None:
    """Make ROLE, which any service may assume, and which may do everything, unless it is there from last time."""
    trust = {"Effect": "Allow", "Principal": {"Service": TRUSTED}, "Action": "sts:AssumeRole"}
    name = ROLE.rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def clients_for(endpoint: Endpoint) -> Callable[[str], Any]:
    variables = endpoint.variables()
    nothing = (None, None, os.devnull, None)  # nothing of the profiles of whoever runs the tests
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        botocore_session=botocore.session.Session(
            session_vars={"profile": (None,) * 4, "config_file": nothing, "credentials_file": nothing}
        ),
    )
    # No retries: throttled calls are what some tests are about. Path style: 127.0.0.1 has no names below it.
    config = Config(
        retries={"total_max_attempts": 1}, max_pool_connections=64, s3={"addressing_style": "path"}, proxies={}
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"], config=config)
        return made[service]

    return client
