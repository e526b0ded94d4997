"""Queries of Logs Insights, as a client asks them and gets their results."""

import itertools
import json
import threading
import time

import boto3
import pytest
from localaws_client import FUNCTION, eventually, refused
from logs_here import logs_here

from helpers.localaws.services.iam.evaluation import Iam
from helpers.localaws.services.logs import queries as cloudwatch_logs_insights
from helpers.localaws.services.logs.queries import Queries
from helpers.localaws.services.logs.request import Refused

HANDLER = "def handler(event, context):\n    print('needle')\n    raise ValueError(event['n'])\n"
NOW = int(time.time())
WINDOW = {"startTime": NOW - 7200, "endTime": NOW + 86_400}  # the tests may run long after they were collected


@pytest.fixture
def ask(clients):
    """The rows of a query, as dicts, and the whole last answer."""
    client = clients("logs")

    def asked(query, **members):
        id_ = client.start_query(queryString=query, **{**WINDOW, **members})["queryId"]
        answer = eventually(lambda: (got := client.get_query_results(queryId=id_))["status"] == "Complete" and got)
        return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]], answer

    return asked


@pytest.fixture
def group(clients):
    """The name of a log group of two streams with events of JSON, by turns."""
    client, name = clients("logs"), "/test/insights"
    client.create_log_group(logGroupName=name)
    for stream in ("a", "b"):
        client.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [
            {"timestamp": (NOW - 100) * 1000 + number, "message": json.dumps({"n": number, "in": stream})}
            for number in range(stream == "b", 100, 2)
        ]
        client.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
    yield name
    client.delete_log_group(logGroupName=name)


def test_the_log_of_a_function_is_asked_as_on_aws(make_function, ask):
    function = make_function(HANDLER, MemorySize=256)
    for n in range(3):
        assert function.invoke({"n": n}).error
    group = {"logGroupName": f"/aws/lambda/{function.name}"}
    reports = function.reports()
    query = 'filter @type = "REPORT" | stats count(*) as calls, count(@initDuration) as cold, max(@memorySize) as size'
    rows, answer = ask(query, **group)
    assert rows == [{"calls": "3", "cold": "1", "size": "256000000"}]
    assert answer["queryLanguage"] == "CWLI"
    statistics = answer["statistics"]
    assert statistics["recordsMatched"] == 3 == len(reports)
    assert statistics["recordsScanned"] == len(function.logged())
    assert statistics["bytesScanned"] == sum(len(message.encode()) + 26 for message in function.messages())
    rows, _ = ask("filter @type = 'START' | fields @requestId", **group)
    assert {row["@requestId"] for row in rows} == {report[1] for report in reports}
    rows, _ = ask(r"parse @message /\[ERROR\] (?<kind>\w+)/ | filter ispresent(kind) | stats count(*) by kind", **group)
    assert rows == [{"kind": "ValueError", "count(*)": "3"}]
    rows, _ = ask("fields @message, @ptr | filter @message = 'needle\n'", **group)
    assert len(rows) == len({row["@ptr"] for row in rows}) == 3


def test_lines_of_json_have_their_fields(make_function, ask):
    code = "import logging\ndef handler(event, context):\n    logging.error('no %s', 'luck')\n"
    function = make_function(code, LoggingConfig={"LogFormat": "JSON"})
    function.invoke()
    group = {"logGroupName": f"/aws/lambda/{function.name}"}
    rows, _ = ask("filter level = 'ERROR' | display message, requestId", **group)
    (row,) = rows
    assert row["message"] == "no luck" and row["requestId"]
    rows, _ = ask(
        "filter @type = 'platform.report' | stats max(record.metrics.billedDurationMs) > 0 as billed", **group
    )
    assert rows == [{"billed": "1"}]


def test_several_groups_are_one_log(clients, group, ask):
    other = clients("logs")
    other.create_log_group(logGroupName="/test/insights/other")
    try:
        arns = [each["logGroupArn"] for each in other.describe_log_groups(logGroupNamePrefix=group)["logGroups"]]
        rows, answer = ask("fields n, in, @log | sort @timestamp | limit 3", logGroupIdentifiers=arns)
        assert [(row["n"], row["in"]) for row in rows] == [("0", "a"), ("1", "b"), ("2", "a")]
        assert answer["statistics"]["logGroupsScanned"] == 2
        rows, _ = ask("stats count(*) by @log", logGroupNames=[group, "/test/insights/other"])
        assert rows == [{"@log": f"000000000000:{group}", "count(*)": "100"}]
    finally:
        other.delete_log_group(logGroupName="/test/insights/other")


def test_times_and_limit_and_the_newest_first(group, ask):
    assert [row["@timestamp"][-3:] for row in ask("", logGroupName=group, limit=2)[0]] == ["099", "098"]
    assert len(ask("fields n", logGroupName=group, startTime=NOW - 100, endTime=NOW - 100)[0]) == 100
    assert ask("fields n", logGroupName=group, startTime=NOW - 99)[0] == []
    assert ask("fields n", logGroupName=group, endTime=NOW - 101)[0] == []


def test_results_come_in_pages(clients, group, ask):
    client = clients("logs")
    _, answer = ask("fields n | sort n", logGroupName=group)
    id_ = client.describe_queries(logGroupName=group)["queries"][0]["queryId"]
    pages, token = [], {}
    for _ in range(3):
        page = client.get_query_results(queryId=id_, maxItems=40, **token)
        pages.append(page["results"])
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else {}
    assert token == {} and list(itertools.chain(*pages)) == answer["results"]
    assert refused(client.get_query_results, queryId=id_, nextToken="x")[0] == "InvalidParameterException"


def test_a_record_is_found_by_its_pointer(clients, group, ask):
    ((row, *_), _) = ask("fields @ptr | filter n = 7", logGroupName=group)
    record = clients("logs").get_log_record(logRecordPointer=row["@ptr"])["logRecord"]
    assert record["@message"] == '{"n": 7, "in": "b"}'
    assert (record["n"], record["in"], record["@logStream"]) == ("7", "b", "b")
    assert refused(clients("logs").get_log_record, logRecordPointer="x")[0] == "InvalidParameterException"


def test_the_fields_of_a_group_are_found(clients, group):
    fields = clients("logs").get_log_group_fields(logGroupName=group, time=NOW)["logGroupFields"]
    percent = {each["name"]: each["percent"] for each in fields}
    assert percent["n"] == percent["in"] == percent["@message"] == 100


def test_a_malformed_query_says_where(clients, group):
    client = clients("logs")
    with pytest.raises(client.exceptions.MalformedQueryException) as caught:
        client.start_query(logGroupName=group, queryString="fields a | pattern @message", **WINDOW)
    error = caught.value.response["queryCompileError"]
    assert error["location"] == {"startCharOffset": 11, "endCharOffset": 18}
    assert error["message"] == "The embedded AWS does not have the command pattern of Logs Insights."
    assert caught.value.response["Error"]["Message"] == error["message"]


def test_what_start_query_refuses(clients, group):
    client = clients("logs")

    def why(**members):
        return refused(client.start_query, **{"queryString": "fields a", **WINDOW, **members})

    account = "000000000000"
    missing = f"Log group '/no' does not exist for account ID '{account}'"
    assert why(logGroupName="/no") == ("ResourceNotFoundException", missing)
    assert why(logGroupNames=[group, "/no"]) == ("ResourceNotFoundException", missing)
    assert why()[0] == "InvalidParameterException"
    assert why(logGroupName=group, logGroupNames=[group])[0] == "InvalidParameterException"
    assert why(logGroupNames=[f"{group}{n}" for n in range(51)])[0] == "InvalidParameterException"
    assert why(logGroupName=group, endTime=1)[0] == "InvalidParameterException"
    assert why(logGroupName=group, queryString="x" * 10_001)[0] == "InvalidParameterException"
    assert why(logGroupName=group, limit=100_001)[0] == "InvalidParameterException"
    assert why(logGroupName=group, queryLanguage="SQL")[0] == "InvalidParameterException"


def test_queries_that_are_not_there_or_have_ended(clients, group, ask):
    client = clients("logs")
    ask("fields n", logGroupName=group)
    done = client.describe_queries(logGroupName=group, status="Complete")["queries"][0]
    assert done["queryString"] == "fields n" and done["logGroupName"] == group
    assert refused(client.stop_query, queryId=done["queryId"])[0] == "InvalidParameterException"
    for call in (client.get_query_results, client.stop_query):
        assert refused(call, queryId="none")[0] == "ResourceNotFoundException"
    page = client.describe_queries(maxResults=1)
    assert len(page["queries"]) == 1
    assert client.describe_queries(logGroupName=group, status="Running")["queries"] == []


def test_a_query_waits_runs_and_is_stopped(tmp_path, monkeypatch):
    """In this process, where the events can be held up."""
    held, monkeypatched = threading.Event(), cloudwatch_logs_insights._merged

    def slow(*arguments):
        assert held.wait(10)
        return monkeypatched(*arguments)

    monkeypatch.setattr(cloudwatch_logs_insights, "_merged", slow)
    with logs_here(tmp_path) as logs:
        logs.write(FUNCTION, "stream", [(1000 * NOW, "x\n")])
        queries = Queries(Iam(on=False))
        asked = {"logGroupName": FUNCTION.log_group, "queryString": "", **WINDOW}
        first, second, third = (queries.start(asked)["queryId"] for _ in range(3))

        def status(id_):
            return queries.results({"queryId": id_})["status"]

        eventually(lambda: (status(first), status(second), status(third)) == ("Running", "Running", "Scheduled"))
        for id_ in (first, third):
            assert queries.stop({"queryId": id_}) == {"success": True}
        held.set()
        eventually(lambda: status(second) == "Complete")
        assert (status(first), status(third)) == ("Cancelled", "Cancelled")
        assert len(queries.results({"queryId": second})["results"]) == 1
        with pytest.raises(Refused):
            queries.stop({"queryId": second})


def test_only_the_latest_queries_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(cloudwatch_logs_insights, "KEPT", 2)
    with logs_here(tmp_path) as logs:
        logs.write(FUNCTION, "stream", [(1000 * NOW, "x\n")])
        queries = Queries(Iam(on=False))
        asked = {"logGroupName": FUNCTION.log_group, "queryString": "", **WINDOW}
        ids = [queries.start(asked)["queryId"] for _ in range(3)]
        with pytest.raises(Refused, match="does not exist"):
            queries.results({"queryId": ids[0]})
        assert {each["queryId"] for each in queries.described({})["queries"]} == set(ids[1:])


def test_each_group_of_a_query_has_to_be_allowed(embedded_aws, clients, group):
    iam, client = clients("iam"), clients("logs")
    client.create_log_group(logGroupName="/test/insights/secret")
    iam.create_user(UserName="asker")
    key = iam.create_access_key(UserName="asker")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "logs:StartQuery", "Resource": f"arn:aws:logs:*:*:log-group:{group}:*"}
    results = {"Effect": "Allow", "Action": "logs:GetQueryResults", "Resource": "*"}
    iam.put_user_policy(
        UserName="asker",
        PolicyName="asks",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed, results]}),
    )
    asker = boto3.client(
        "logs",
        region_name="us-east-1",
        endpoint_url=embedded_aws.variables()["AWS_ENDPOINT_URL"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    try:
        id_ = asker.start_query(logGroupName=group, queryString="", **WINDOW)["queryId"]
        assert eventually(lambda: asker.get_query_results(queryId=id_)["status"] == "Complete")
        for names in (["/test/insights/secret"], [group, "/test/insights/secret"]):
            denied = refused(asker.start_query, logGroupNames=names, queryString="", **WINDOW)
            assert denied[0] == "AccessDeniedException" and "logs:StartQuery" in denied[1]
        assert refused(asker.describe_queries)[0] == "AccessDeniedException"
        assert refused(asker.test_metric_filter, filterPattern="", logEventMessages=["x"])[0] == "AccessDeniedException"
    finally:
        client.delete_log_group(logGroupName="/test/insights/secret")
        iam.delete_user_policy(UserName="asker", PolicyName="asks")
        iam.delete_access_key(UserName="asker", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="asker")
