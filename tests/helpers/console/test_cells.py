"""An action and its cell are the same: each cell is executed, and its effect compared with the action's."""

import ast
import importlib
import inspect
import io
import json
import pkgutil
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from localaws_client import THIS_PYTHON, eventually, zipped

from helpers.console import actions
from helpers.console.actions import configuration, functions, inbox, invoke, live, observe, triggers, versions
from helpers.console.cells import Performer, Written, cell_of, literal, plain
from helpers.inbox import open_inbox

HANDLER = "import os\ndef handler(event, context):\n    print('text', event)\n    return event\n"
FILES = {"app.py": HANDLER}


def all_actions() -> dict[str, Callable[..., Any]]:
    modules = [
        importlib.import_module(f"{actions.__name__}.{each.name}") for each in pkgutil.iter_modules(actions.__path__)
    ]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }


# How a value is written


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "quotes \" and ' and \\ and \n one line end",
        "three\nlines\nof text\n",
        'ends with quotes\n\n""""',
        "\\\n\\\n\\",
        'a """ inside\nand\nmore',
        "carriage\r\nreturns\r\n\r\n",
        "\x00\x1b[31m\n\n\n",
        "日本 🎉\n\u202e\n\u2028",
        "\ud800 half a character",
        b"PK\x03\x04\xff",
        {"a": [1, 2.5, None, True, {"b": []}], "long" * 30: ["x" * 50, "y" * 60]},
        {},
        [],
        -1,
    ],
    ids=ascii,
)
def test_a_literal_is_the_value(value):
    assert ast.literal_eval(literal(value)) == value


def test_a_literal_of_any_text_is_the_text():
    letters = "\"'\\\n\r\t {}ab\u2029\x7f🎉"
    dice = random.Random(14)
    for _ in range(3000):
        text = "".join(dice.choices(letters, k=dice.randrange(12)))
        assert ast.literal_eval(literal(text)) == text


# What every action keeps to


@pytest.mark.parametrize("action", all_actions().values(), ids=all_actions())
def test_an_action_can_be_a_cell(action):
    source = inspect.getsource(action)
    definition = ast.parse(source).body[0]
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    assert returns in ([], [definition.body[-1]]), "it returns in the end alone"
    values = {name: "x" for name in list(inspect.signature(action).parameters)[1:]}
    cell = cell_of(action, **values)
    compile(cell, "cell", "exec")
    assert "return" not in cell
    assert max(map(len, cell.splitlines())) <= 88
    namespace: dict[str, Any] = {}
    for node in ast.parse(cell).body:  # what it imports is there
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node), namespace)


def test_a_cell_is_written_as_a_notebook_has_it():
    assert cell_of(triggers.send_message, queue="ada-q", body='{"a": 1}') == (
        "from helpers import connect\n"
        "\n"
        "workshop = connect()\n"
        'queue = "ada-q"\n'
        'body = "{\\"a\\": 1}"\n'
        "\n"
        'sqs = workshop.client("sqs")\n'
        'url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]\n'
        'sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]\n'
    )


def test_a_hostile_value_stays_a_text():
    evil = '"); import os; os.system("true") #\n"""\n+__import__("os")+'
    tree = ast.parse(cell_of(triggers.send_message, queue=evil, body=evil))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]


def test_a_secret_is_not_in_a_cell():
    cell = cell_of(
        configuration.set_variable, function_name="f", variable="TOKEN", value=Written.secret("TOKEN", "hunter2")
    )
    assert "hunter2" not in cell
    assert 'value = getpass("TOKEN: ")' in cell


# Each cell executed


class Case(NamedTuple):
    """An action with its values for a function, and what it is to have changed."""

    action: Callable[..., Any]
    values: Callable[[Any, str], dict[str, Any]]  # of a workshop and the name of a function
    effect: Callable[[Any, str], Any] = lambda workshop, name: None
    before: tuple["Case", ...] = ()


def _configuration(*keys: str) -> Callable[[Any, str], Any]:
    def read(workshop, name):
        found = workshop.client("lambda").get_function_configuration(FunctionName=name)
        return {key: found.get(key) for key in keys}

    return read


def _mappings(workshop, name):
    found = workshop.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return [(each["EventSourceArn"].rpartition(":")[2], each["BatchSize"]) for each in found]


def _s3(workshop, name):
    bucket = workshop.bucket(name.partition("-")[2])
    found = workshop.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    kept = [
        (each["Events"], each["LambdaFunctionArn"].rpartition(":")[2], each.get("Filter"))
        for each in found.get("LambdaFunctionConfigurations", [])
    ]
    return kept, _statements(workshop, name)


def _statements(workshop, name):
    client = workshop.client("lambda")
    try:
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return []
    return sorted((each["Sid"], each["Action"], str(each["Principal"])) for each in policy["Statement"])


def _versions(workshop, name):
    client = workshop.client("lambda")
    found = client.list_versions_by_function(FunctionName=name)["Versions"]
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    return (
        [(each["Version"], each["Description"]) for each in found],
        [(each["Name"], each["FunctionVersion"], each.get("RoutingConfig")) for each in aliases],
    )


def _rule(workshop, name):
    found = workshop.client("events").list_rules(NamePrefix=name)["Rules"]
    return [(each["Name"], each["ScheduleExpression"]) for each in found], _statements(workshop, name)


def _url(workshop, name):
    found = workshop.client("lambda").list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    return [each["AuthType"] for each in found], _statements(workshop, name)


def _exists(workshop, name):
    found = workshop.client("lambda").list_functions()["Functions"]
    return name in [each["FunctionName"] for each in found]


def _objects(workshop, name):
    bucket = workshop.bucket(name.partition("-")[2])
    found = workshop.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    bodies = [workshop.client("s3").get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found]
    return list(zip([each["Key"] for each in found], bodies, strict=True))


def with_name(**values: Any) -> Callable[[Any, str], dict[str, Any]]:
    return lambda workshop, name: {"function_name": name, **values}


def bucket_of(workshop: Any, name: str) -> str:
    return workshop.bucket(name.partition("-")[2])


BUCKET = Case(triggers.create_bucket, lambda workshop, name: {"bucket": bucket_of(workshop, name)})
NOTIFIED = Case(
    triggers.add_s3_trigger,
    lambda workshop, name: {
        "function_name": name,
        "bucket": bucket_of(workshop, name),
        "s3_event": "s3:ObjectCreated:*",
        "prefix": "in/",
        "suffix": "",
    },
    _s3,
    (BUCKET,),
)
QUEUE = Case(triggers.create_queue, lambda workshop, name: {"queue": name})
MAPPED = Case(
    triggers.add_sqs_trigger,
    lambda workshop, name: {"function_name": name, "queue": name, "batch_size": 3},
    _mappings,
    (QUEUE,),
)
RULE = Case(
    triggers.add_schedule,
    lambda workshop, name: {"function_name": name, "rule": name, "expression": "rate(5 minutes)", "event": {"a": 1}},
    _rule,
)
URL = Case(triggers.add_url, with_name(auth_type="NONE"), _url)
PUBLISHED = Case(versions.publish_version, with_name(description="first"), _versions)
ALIAS = Case(versions.create_alias, with_name(alias="live", version="1"), _versions, (PUBLISHED,))
VARIABLE = Case(
    configuration.set_variable, with_name(variable="GREETING", value="hé\nl\nlo"), _configuration("Environment")
)


def _notification_id(workshop, name):
    bucket = bucket_of(workshop, name)
    found = workshop.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {"function_name": name, "bucket": bucket, "notification_id": found["LambdaFunctionConfigurations"][0]["Id"]}


def _uuid(workshop, name):
    return {
        "uuid": workshop.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"][0][
            "UUID"
        ]
    }


def _no_mappings(workshop, name):
    client = workshop.client("lambda")
    eventually(lambda: not client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"])
    return "gone"


CASES = [
    Case(
        functions.update_code,
        with_name(archive=Written.files({"app.py": HANDLER + "# changed\n", "lib/more.py": 'x = """\n"""\n'})),
        _configuration("CodeSha256"),
    ),
    Case(functions.delete_function, with_name(), _exists),
    Case(
        configuration.update_general,
        with_name(memory_size=256, timeout=7, ephemeral_storage=600, description='it\'s "quoted"'),
        _configuration("MemorySize", "Timeout", "EphemeralStorage", "Description"),
    ),
    Case(configuration.update_runtime, with_name(runtime=THIS_PYTHON, handler="app.other"), _configuration("Handler")),
    VARIABLE,
    Case(configuration.remove_variable, with_name(variable="GREETING"), _configuration("Environment"), (VARIABLE,)),
    Case(configuration.set_variable_to_inbox, with_name(variable="WEBHOOK_URL"), _configuration("Environment")),
    BUCKET,
    NOTIFIED,
    Case(triggers.remove_s3_trigger, _notification_id, _s3, (NOTIFIED,)),
    Case(
        triggers.put_object,
        lambda workshop, name: {
            "bucket": bucket_of(workshop, name),
            "key": "日本/a b.txt",
            "body": Written.text("x\né"),
        },
        _objects,
        (BUCKET,),
    ),
    MAPPED,
    Case(triggers.remove_mapping, _uuid, _no_mappings, (MAPPED,)),
    RULE,
    Case(triggers.remove_rule, lambda workshop, name: {"function_name": name, "rule": name}, _rule, (RULE,)),
    URL,
    Case(triggers.remove_url, with_name(), _url, (URL,)),
    PUBLISHED,
    ALIAS,
    Case(versions.point_alias, with_name(alias="live", version="1", weights={}), _versions, (ALIAS,)),
    Case(versions.delete_alias, with_name(alias="live"), _versions, (ALIAS,)),
    Case(versions.delete_version, with_name(version="1"), _versions, (PUBLISHED,)),
]


@pytest.fixture
def two(aws_of_module, monkeypatch, tmp_path):
    """The names of two functions that are the same: the action's and the cell's."""
    monkeypatch.chdir(tmp_path)
    made = []
    for each in ("by-action", "by-cell"):
        name = aws_of_module.name(each)
        _create(aws_of_module, name)
        made.append(name)
    yield made
    for name in made:
        _remove(aws_of_module, name)


def _create(workshop, name):
    role = workshop.role("service-role/AWSLambdaSQSQueueExecutionRole")
    Performer(workshop)(
        functions.create_function,
        function_name=name,
        runtime=THIS_PYTHON,
        handler="app.handler",
        role=role,
        archive=Written.files(FILES),
    )


def _remove(workshop, name):
    """The function, and what tests have made for it: all by names that are its own."""
    from helpers.resources.cleanup import remove

    client = workshop.client("lambda")
    if _exists(workshop, name):
        for each in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            client.delete_event_source_mapping(UUID=each["UUID"])
    for entry in workshop.ledger.entries():
        if name in entry.id or bucket_of(workshop, name) == entry.id:
            remove(workshop, entry)


def execute(cell: str) -> Any:
    """Run a cell as a notebook does, and give what it shows: the value of its last expression."""
    *statements, last = ast.parse(cell).body
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(ast.Module(statements, []), "cell", "exec"), namespace)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
    exec(compile(ast.Module([last], []), "cell", "exec"), namespace)
    return None


def _apart(value: Any, name: str) -> Any:
    """A value without what differs between the two: their names, and times."""
    text = json.dumps(value, default=str, sort_keys=True)
    return text.replace(name, "NAME").replace(name.partition("-")[2], "PART")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action.__name__)
def test_a_cell_has_the_effect_of_its_action(aws_of_module, two, case):
    def prepare(cases, name):
        for each in cases:
            prepare(each.before, name)
            each.action(aws_of_module, **plain(each.values(aws_of_module, name)))

    effects = []
    for name, how in zip(two, ("action", "cell"), strict=True):
        prepare(case.before, name)
        before = (
            _apart(case.effect(aws_of_module, name), name) if case.effect not in (_no_mappings, _s3, _objects) else ""
        )
        values = case.values(aws_of_module, name)
        if how == "action":
            case.action(aws_of_module, **plain(values))
        else:
            execute(cell_of(case.action, **values))
        effects.append((before, _apart(case.effect(aws_of_module, name), name)))
    assert effects[0] == effects[1]
    if effects[0][0]:
        assert (
            effects[0][0] != effects[0][1]
            or case.action is versions.point_alias
            or case.action is triggers.create_bucket
        )


READS = {
    functions.list_functions: lambda workshop, name: {"prefix": name},
    functions.get_configuration: with_name(),
    functions.download_code: with_name(),
    functions.make_role: lambda workshop, name: {"policies": ["AmazonS3ReadOnlyAccess"]},
    triggers.list_buckets: lambda workshop, name: {"prefix": bucket_of(workshop, name)},
    triggers.list_notifications: lambda workshop, name: {"buckets": [bucket_of(workshop, name)]},
    triggers.list_queues: lambda workshop, name: {"prefix": name},
    triggers.list_mappings: with_name(),
    triggers.list_rules: lambda workshop, name: {"function_arn": _arn(workshop, name)},
    triggers.list_schedules: lambda workshop, name: {"function_arn": _arn(workshop, name), "prefix": name},
    triggers.get_url: with_name(),
    versions.list_versions: with_name(),
    versions.list_aliases: with_name(),
}


def _arn(workshop, name):
    return workshop.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]


@pytest.fixture(scope="module")
def furnished(aws_of_module):
    """The name of a function that has one of all."""
    name = aws_of_module.name("furnished")
    _create(aws_of_module, name)
    for case in (BUCKET, NOTIFIED, QUEUE, MAPPED, RULE, URL, PUBLISHED, ALIAS, VARIABLE):
        case.action(aws_of_module, **plain(case.values(aws_of_module, name)))
    schedule = {
        "Name": name,
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": _arn(aws_of_module, name), "RoleArn": _scheduler_role(aws_of_module, "furnished")},
    }
    aws_of_module.client("scheduler").create_schedule(**schedule)
    yield name
    _remove(aws_of_module, name)


def _scheduler_role(workshop, name):
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = workshop.client("iam").create_role(
        RoleName=workshop.name(f"{name}-schedules"), AssumeRolePolicyDocument=document
    )
    return made["Role"]["Arn"]


@pytest.mark.parametrize("action", READS, ids=lambda action: action.__name__)
def test_a_cell_that_reads_shows_what_its_action_answers(aws_of_module, furnished, action):
    values = READS[action](aws_of_module, furnished)
    answer, shown = action(aws_of_module, **values), execute(cell_of(action, **values))
    assert answer and _without_metadata(answer) == _without_metadata(shown)


def _without_metadata(value: Any) -> Any:
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    if isinstance(value, dict):
        return {
            key: _without_metadata(each)
            for key, each in value.items()
            if key not in ("ResponseMetadata", "LastProcessingResult")
        }
    return [_without_metadata(each) for each in value] if isinstance(value, list) else value


def test_invocations_by_a_cell(aws_of_module, furnished):
    event = {"name": "Ada", "text": 'a "quoted"\nthing\n', "n": [1, 2.5, None, True]}
    status, error, payload, log = execute(cell_of(invoke.invoke, function_name=furnished, event=event))
    assert (status, error, json.loads(payload)) == (200, None, event)
    assert "REPORT RequestId" in log
    assert execute(cell_of(invoke.invoke_asynchronously, function_name=furnished, event=event)) == 202


def test_what_can_be_observed_by_a_cell(aws_of_module, furnished):
    invoke.invoke(aws_of_module, furnished, {})
    group = f"/aws/lambda/{furnished}"
    frame = execute(cell_of(observe.read_reports, function_name=furnished, hours=1))
    assert len(frame) == len(observe.read_reports(aws_of_module, furnished, 1)) > 0
    for draw in (observe.draw_durations, observe.draw_timeline):
        assert execute(cell_of(draw, function_name=furnished, hours=1)).get_title("left")
    lines = execute(cell_of(observe.filter_log, log_group=group, pattern="REPORT", minutes=15, at_most=50))
    assert lines and all("REPORT" in each["message"] for each in lines)
    query = "fields @message\n| filter @message like /REPORT/\n| limit 5"
    found = execute(cell_of(observe.query_log, log_group=group, query=query, minutes=15))
    assert found["status"] == "Complete" and found["results"]
    eventually(lambda: execute(cell_of(observe.get_metrics, function_name=furnished, hours=1))["Invocations"] > 0)


def test_a_message_and_a_log_group_by_a_cell(aws_of_module, furnished):
    assert execute(cell_of(triggers.send_message, queue=furnished, body="hello"))
    logs, group = aws_of_module.client("logs"), "/aws/lambda/deleted-by-a-cell"
    logs.create_log_group(logGroupName=group)
    for _ in range(2):  # the second time there is none
        execute(cell_of(functions.delete_log_group, log_group=group))
    assert not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]


def test_a_role_and_a_schedule_by_a_cell(aws_of_module, two):
    role = aws_of_module.role("AmazonS3ReadOnlyAccess")
    execute(cell_of(configuration.update_role, function_name=two[0], role=role))
    assert _configuration("Role")(aws_of_module, two[0]) == {"Role": role}
    scheduler = aws_of_module.client("scheduler")
    scheduler.create_schedule(
        Name=two[0],
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": _arn(aws_of_module, two[0]), "RoleArn": _scheduler_role(aws_of_module, "by-a-cell")},
    )
    execute(cell_of(triggers.remove_schedule, schedule=two[0], group="default"))
    assert not scheduler.list_schedules(NamePrefix=two[0])["Schedules"]


def test_a_function_is_created_by_a_cell_of_files_and_of_a_zip(aws_of_module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = zipped(FILES)
    Path("my code.zip").write_bytes(archive)
    for name, written in (("cell-files", Written.files(FILES)), ("cell-zip", Written.upload("my code.zip", archive))):
        values = {"runtime": THIS_PYTHON, "handler": "app.handler", "role": aws_of_module.role(), "archive": written}
        name = aws_of_module.name(name)
        execute(cell_of(functions.create_function, function_name=name, **values))
        assert functions.download_code(aws_of_module, name).getvalue() == written.value


def test_the_inbox_by_a_cell(aws_of_module):
    open_inbox(aws_of_module).post({"text": "seen by a cell"})
    assert "seen by a cell" in [message.text for message in execute(cell_of(inbox.read_inbox))]


def test_a_live_picture_by_a_cell(furnished):
    seen = execute(cell_of(live.watch_functions, functions=[furnished]))
    with seen:
        execute(cell_of(invoke.invoke, function_name=furnished, event={}))
    assert furnished in seen.sentence


def test_every_action_is_executed_as_a_cell_here():
    done = {case.action.__name__ for case in CASES} | {action.__name__ for action in READS}
    text = Path(__file__).read_text(encoding="utf-8")
    by_itself = {name for name in all_actions() if re.search(rf"execute\(cell_of\(\w+\.{name}\b", text)}
    loops = {"draw_durations", "draw_timeline"}
    with_a_case = {case.action.__name__ for each in CASES for case in each.before}
    assert set(all_actions()) == done | by_itself | loops | with_a_case
