"""The AWS CLI, version 1, which takes AWS_ENDPOINT_URL for all services but SQS."""

import json

from localaws_client import ROLE, zipped


def test_who_am_i(run):
    assert json.loads(run("aws", "sts", "get-caller-identity"))["Arn"].endswith(":user/learner")


def test_objects_of_a_bucket(run, tmp_path):
    (tmp_path / "a.txt").write_text("of mine")
    run("aws", "s3", "mb", "s3://tested-cli")
    run("aws", "s3", "cp", "a.txt", "s3://tested-cli/a.txt")
    assert "a.txt" in run("aws", "s3", "ls", "s3://tested-cli")
    assert run("aws", "s3", "cp", "s3://tested-cli/a.txt", "-") == "of mine"
    run("aws", "s3", "rb", "--force", "s3://tested-cli")


def test_a_function_from_its_package_to_its_log(run, tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"app.py": "def handler(event, context): return {'got': event}\n"}))
    make = ["--function-name", "tested-cli", "--runtime", "python3.13", "--handler", "app.handler", "--role", ROLE]
    run("aws", "lambda", "create-function", *make, "--zip-file", "fileb://a.zip")
    run("aws", "lambda", "wait", "function-active-v2", "--function-name", "tested-cli")
    run("aws", "lambda", "invoke", "--function-name", "tested-cli", "--payload", '{"a": 1}', "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == {"got": {"a": 1}}
    log = run("aws", "logs", "filter-log-events", "--log-group-name", "/aws/lambda/tested-cli", "--output", "text")
    assert "REPORT RequestId:" in log
    run("aws", "lambda", "delete-function", "--function-name", "tested-cli")


def test_sqs_needs_the_address_on_the_command_line(run, embedded_aws):
    create = ("sqs", "create-queue", "--queue-name", "tested-cli")
    url = json.loads(run("aws", "--endpoint-url", embedded_aws.url, *create))["QueueUrl"]
    assert url.startswith(embedded_aws.url)
    run("aws", "--endpoint-url", embedded_aws.url, "sqs", "delete-queue", "--queue-url", url)
