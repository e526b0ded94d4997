"""What the steps of a scenario work with: clients of an AWS, and things of their own that are gone when they end."""

import contextlib
import io
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")
ECHO = "def handler(event, context):\n    return event\n"
FILES = {"python": "app.py", "nodejs": "app.mjs", "ruby": "app.rb", "provided": "bootstrap", "java": "app.jar"}
TRUSTED = {"Service": [f"{service}.amazonaws.com" for service in ("lambda", "events", "scheduler")]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": TRUSTED, "Action": "sts:AssumeRole"}]}
_numbers = itertools.count(1)


class Account:
    """An account of one AWS: `client` gives its boto3 clients. It keeps what all scenarios of a run share.

    `patience_s` is how long a scenario waits for what comes by itself.
    """

    def __init__(self, client: Callable[[str], Any], region: str, run: str, patience_s: float = 30) -> None:
        self.client, self.region, self.prefix, self.patience_s = client, region, f"conformance-{run}", patience_s
        self.number: str = client("sts").get_caller_identity()["Account"]
        self._lock = threading.Lock()
        self._shared: dict[str, str] = {}
        self.worlds = contextlib.ExitStack()
        self.role = self._role()

    def _role(self) -> str:
        """Of all functions; it may do everything that functions of scenarios do."""
        iam, name = self.client("iam"), f"{self.prefix}-role"
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        self.worlds.callback(iam.delete_role, RoleName=name)
        policy = "arn:aws:iam::aws:policy/AdministratorAccess"
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        self.worlds.callback(iam.detach_role_policy, RoleName=name, PolicyArn=policy)
        return arn

    def new_name(self) -> str:
        return f"{self.prefix}-{next(_numbers):04}"

    def shared(self, what: str, make: Callable[[], str]) -> str:
        """The one that all scenarios share, made by the first."""
        with self._lock:
            if what not in self._shared:
                self._shared[what] = make()
            return self._shared[what]


class World:
    """One scenario's view of an account. Names of what it makes are in `names`, with their placeholders."""

    def __init__(self, account: Account) -> None:
        self.account, self.role = account, account.role
        self.names: dict[str, str] = {account.role.rpartition("/")[2]: "<role>"}
        self._end = contextlib.ExitStack()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def name(self, kind: str) -> str:
        """A name that nobody has; `<kind>` stands for it in what the scenario gives, `<kind:2>` for the next one."""
        return self._known(self.account.new_name(), kind)

    def _known(self, name: str, kind: str) -> str:
        number = 1 + sum(each.strip("<>").partition(":")[0] == kind for each in self.names.values())
        self.names.setdefault(name, f"<{kind}>" if number == 1 else f"<{kind}:{number}>")
        return name

    def finally_(self, service: str, operation: str, **parameters: Any) -> None:
        """Call this when the scenario ends, whether or not there is something left to remove."""
        _finally(self._end, self.client(service), operation, **parameters)

    # calls

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer, with its HTTP `status` and without the rest of its metadata; or the refusal."""
        try:
            answer = dict(getattr(self.client(service), operation)(**parameters))
        except ClientError as error:
            return refusal(error)
        status = answer.pop("ResponseMetadata", {}).get("HTTPStatusCode")
        return {**answer, "status": status}

    def lambda_(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.call("lambda", operation, **parameters)

    def invoke(self, function: str, event: Any = None, **parameters: Any) -> dict[str, Any]:
        """Invoke's answer, with its payload as JSON where it is that."""
        body = event if isinstance(event, bytes) else json.dumps({} if event is None else event)
        answer = self.lambda_("invoke", FunctionName=function, Payload=body, **parameters)
        if "Payload" in answer:
            answer["Payload"] = read_json(answer["Payload"].read())
        return answer

    def http(self, url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> dict[str, Any]:
        """Status, headers by their names in lower case, and body of what a web server answers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, body, named, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(request, timeout=self.account.patience_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode(errors="replace")
            return {
                "status": answer.status,
                "headers": {name.lower(): value for name, value in answer.headers.items()},
                "body": text,
            }

    def eventually(self, condition: Callable[[], T], seconds: float = 0) -> T:
        """Ask until the answer is true, and return it."""
        deadline, pause = time.monotonic() + (seconds or self.account.patience_s), 0.05
        while not (answer := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within the time; the last answer was {answer!r}")
            time.sleep(pause)
            pause = min(1.2 * pause, 0.5)
        return answer

    # things

    def function(self, code: str | Mapping[str, str | bytes] = ECHO, **configuration: Any) -> str:
        """The name of a new function that is active."""
        name = self.name("function")
        self.create(name, code, **configuration)
        self.finally_("lambda", "delete_function", FunctionName=name)
        self.active(name)
        return name

    def create(self, name: str, code: str | Mapping[str, str | bytes] = ECHO, **configuration: Any) -> dict[str, Any]:
        """CreateFunction as it answers; what is None in `configuration` is left out."""
        runtime = configuration.get("Runtime") or "python3.13"
        if isinstance(code, str):
            code = {next(file for start, file in FILES.items() if runtime.startswith(start)): code}
        parameters = {
            "FunctionName": name,
            "Runtime": runtime,
            "Role": self.role,
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped(code)},
            **configuration,
        }
        answer: dict[str, Any] = self.client("lambda").create_function(
            **{key: value for key, value in parameters.items() if value is not None}
        )
        return answer

    def active(self, name: str) -> None:
        """Return when a function, or its version `name:version`, is active and not being updated."""
        name, _, version = name.partition(":")
        qualifier = {"Qualifier": version} if version else {}

        def ready() -> bool:
            found = self.client("lambda").get_function_configuration(FunctionName=name, **qualifier)
            states = {"State": "Active", "LastUpdateStatus": "Successful"}
            return all(found.get(member, state) == state for member, state in states.items())

        self.eventually(ready)

    def publish(self, name: str, **parameters: Any) -> str:
        """The number of a new version that is active."""
        version: str = self.client("lambda").publish_version(FunctionName=name, **parameters)["Version"]
        self.active(f"{name}:{version}")
        return version

    def update(self, name: str, **configuration: Any) -> None:
        self.client("lambda").update_function_configuration(FunctionName=name, **configuration)
        self.active(name)

    def update_code(self, name: str, code: str) -> None:
        self.client("lambda").update_function_code(FunctionName=name, ZipFile=zipped({"app.py": code}))
        self.active(name)

    def shared_function(self, code: str | Mapping[str, str | bytes] = ECHO, **configuration: Any) -> str:
        """A function that all scenarios share which ask for the same; they invoke it and change nothing."""

        def make() -> str:
            name = self.account.new_name()
            self.create(name, code, **configuration)
            _finally(self.account.worlds, self.client("lambda"), "delete_function", FunctionName=name)
            self.active(name)
            return name

        return self._known(self.account.shared(f"{code!r} {configuration!r}", make), "function")

    def queue(self, fifo: bool = False, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        name, sqs = self.name("queue"), self.client("sqs")
        if fifo:
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        url: str = sqs.create_queue(QueueName=name + ".fifo" * fifo, Attributes=attributes)["QueueUrl"]
        self.finally_("sqs", "delete_queue", QueueUrl=url)
        arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def messages(self, queue: str, number: int = 1, **parameters: Any) -> list[dict[str, Any]]:
        """So many messages of a queue at least, with their bodies as JSON where they are that; they are deleted."""
        found: list[dict[str, Any]] = []

        def all_there() -> bool:
            sqs = self.client("sqs")
            new = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **parameters).get("Messages", [])
            for each in new:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
            found.extend({**each, "Body": read_json(each["Body"].encode())} for each in new)
            return len(found) >= number

        self.eventually(all_there)
        return found

    def bucket(self) -> str:
        name, s3 = self.name("bucket"), self.client("s3")
        where = {"CreateBucketConfiguration": {"LocationConstraint": self.account.region}}
        s3.create_bucket(Bucket=name, **({} if self.account.region == "us-east-1" else where))

        def remove() -> None:
            with contextlib.suppress(ClientError):
                for each in s3.list_objects_v2(Bucket=name).get("Contents", []):
                    s3.delete_object(Bucket=name, Key=each["Key"])
                s3.delete_bucket(Bucket=name)

        self._end.callback(remove)
        return name

    def log_lines(self, function: str, wanted: str) -> list[str]:
        """All messages of a function's log group, as soon as one of them has `wanted` in it."""

        def lines() -> list[str]:
            logs = self.client("logs")
            try:
                found = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
            except logs.exceptions.ResourceNotFoundException:
                return []
            messages = [each["message"].rstrip("\n") for each in found]
            return messages if any(wanted in each for each in messages) else []

        return self.eventually(lines)


def refusal(error: ClientError) -> dict[str, Any]:
    """Code, words and HTTP status of a refusal, and what else AWS says in it."""
    told = error.response
    more = {key: value for key, value in told.items() if key not in ("Error", "ResponseMetadata", "message", "Message")}
    return {
        "refused": told["Error"]["Code"],
        "says": told["Error"]["Message"],
        "status": told["ResponseMetadata"]["HTTPStatusCode"],
        **more,
    }


def read_json(body: bytes) -> Any:
    """What stands in a body: JSON, or text where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip whose bytes depend on nothing but its files; what begins as a script can be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if content[:2] in ("#!", b"#!") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _finally(end: contextlib.ExitStack, client: Any, operation: str, **parameters: Any) -> None:
    @end.callback
    def call() -> None:
        with contextlib.suppress(ClientError):
            getattr(client, operation)(**parameters)
