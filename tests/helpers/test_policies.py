"""Policies are made of calls: narrow, complete, within IAM's limits; and bad input is one sentence."""

import json
import re
from types import SimpleNamespace

import boto3
import pytest
from botocore import xform_name

from helpers import lessons, policies, settings
from helpers.authoring import calls
from helpers.commands import policy
from helpers.errors import WorkshopError
from helpers.resources import log_retention
from helpers.resources.types import RESOURCE_TYPES

# Actions in use that are on no resource, as AWS documented it in November 2026:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
ON_NONE = {
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeScheduledActions",
    "cloudwatch:GetMetricStatistics",
    "dynamodb:ListTables",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSubnets",
    "events:ListRules",
    "iam:ListRoles",
    "lambda:CreateEventSourceMapping",  # with the condition that it is for a function of the learner's
    "lambda:GetAccountSettings",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "lambda:ListLayerVersions",
    "lambda:ListLayers",
    "logs:DescribeLogGroups",
    "logs:GetQueryResults",
    "s3:ListAllMyBuckets",
    "scheduler:ListSchedules",
    "secretsmanager:ListSecrets",
    "sns:ListTopics",
    "sqs:ListQueues",
    "states:ListStateMachines",
    "tag:GetResources",
}
# Of these AWS allows single ones, but clean() lists all that there are
LISTS = {
    "cloudwatch:DescribeAlarms",
    "rds:DescribeDBInstances",
    "rds:DescribeDBParameterGroups",
    "rds:DescribeDBProxies",
}
MOST = 10  # managed policies of a user, or a group: "IAM and AWS STS quotas", IAM User Guide, reference_iam-quotas
# What has no name of the learner's: ids that AWS makes up, and what is AWS's own
OF_NOBODY = re.compile(
    r"arn:aws:(apigateway:\*::/(apis|apis/\*|tags/\*)|ec2:\*:\*?:[\w-]+/\*|lambda:\*:\*:event-source-mapping:\*"
    r"|ssm:\*::parameter/aws/service/\*|iam::\*:role/aws-service-role/autoscaling\.amazonaws\.com/\*)"
)
# Calls whose action has another name than the operation
OTHER_NAMES = {
    "create_api": "POST",
    "create_integration": "POST",
    "create_route": "POST",
    "create_stage": "POST",
    "delete_api": "DELETE",
    "delete_public_access_block": "PutBucketPublicAccessBlock",
    "get_api": "GET",
    "get_apis": "GET",
    "get_bucket_tagging": "GetBucketTagging",
    "head_bucket": "ListBucket",
    "head_object": "GetObject",
    "invoke": "InvokeFunction",
    "list_buckets": "ListAllMyBuckets",
    "list_object_versions": "ListBucketVersions",
    "list_objects_v2": "ListBucket",
    "delete_objects": "DeleteObject",
    "put_bucket_notification_configuration": "PutBucketNotification",
    "get_bucket_notification_configuration": "GetBucketNotification",
    "send_message_batch": "SendMessage",
}
OF_NO_NOTEBOOK = {
    "create_connection",  # of a socket
    "delete_topic",  # clean() could, but no notebook makes a topic
    "get_caller_identity",  # which everybody may ask
    "scan",  # of a wrong answer's handler
}


def made_of(monkeypatch, tmp_path, **called):
    """What policies() makes of calls: those of one notebook."""
    path = tmp_path / "04-x.json"
    path.write_text(json.dumps({"learner": {}, "passed": {}, "roles": {}} | called))
    lesson = SimpleNamespace(number="04", calls_path=path, other_calls_path=tmp_path / "none.json")
    monkeypatch.setattr(lessons, "lesson", lambda number: lesson)
    return policies.policies(["04"], "ada")


def allowed(documents, *names):
    """What these documents allow: action, resource, condition."""
    return {
        (action, resource, json.dumps(statement.get("Condition")))
        for name, document in documents.items()
        if name in names or not names
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@pytest.mark.parametrize(
    ("arn", "pattern"),
    [
        ("*", "*"),
        ("arn:aws:lambda:us-east-1:000000000000:function:learner-hello:live", "lambda:*:*:function:${learner}-*"),
        ("arn:aws:lambda:us-east-1:000000000000:function:hello", "lambda:*:*:function:hello"),
        (
            "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:6c488421-dddf-4ec6-b610-4c75733e30d4",
            "lambda:*:*:event-source-mapping:*",
        ),
        ("arn:aws:s3:::learner-photos", "s3:::${learner}-*"),
        ("arn:aws:s3:::learner-photos/a/b.jpg", "s3:::${learner}-*/*"),
        ("arn:aws:sqs:us-east-1:000000000000:learner-q", "sqs:*:*:${learner}-*"),
        (
            "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/learner-f:log-stream:x",
            "logs:*:*:log-group:/aws/lambda/${learner}-*",
        ),
        ("arn:aws:iam::000000000000:role/learner-r", "iam::*:role/${learner}-*"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "iam::aws:policy/AdministratorAccess"),
        ("arn:aws:apigateway:us-east-1::/apis", "apigateway:*::/apis"),
        ("arn:aws:apigateway:us-east-1::/apis/abc123/routes/x1", "apigateway:*::/apis/*"),
        ("arn:aws:ec2:us-east-1:000000000000:instance/i-0abc", "ec2:*:*:instance/*"),
    ],
)
def test_an_arn_is_the_same_for_every_learner_account_and_region(arn, pattern):
    assert calls.pattern(arn) == (pattern if arn == "*" else f"arn:aws:{pattern}")


def test_calls_are_those_that_were_allowed_by_whom(tmp_path):
    def did(who, action, **more):
        return {"principal": who, "action": action, "resource": "*", "allowed": True, **more}

    person, role = "arn:aws:iam::000000000000:user/learner", "arn:aws:sts::000000000000:assumed-role/learner-r/f"
    found = calls.calls_of(
        [
            did(person, "s3:B"),
            did(person, "s3:A"),
            did(person, "s3:A"),
            did(person, "s3:Never", allowed=False),
            did(person, "iam:PassRole", passed_to="lambda.amazonaws.com"),
            did(role, "s3:C"),
            {"role": "learner-r", "policy": "{}"},
        ]
    )
    assert found == {
        "learner": {"*": ["s3:A", "s3:B"]},
        "passed": {"*": ["lambda.amazonaws.com"]},
        "roles": {"*": ["s3:C"]},
    }
    calls.write(found, tmp_path / "calls" / "04-x.json")
    assert json.loads((tmp_path / "calls" / "04-x.json").read_text()) == found


def test_a_policy_has_the_calls_with_the_prefix_and_what_aws_asks_for_beside(monkeypatch, tmp_path):
    queue, role = "arn:aws:sqs:*:*:${learner}-*", "arn:aws:iam::*:role/${learner}-*"
    found = made_of(
        monkeypatch,
        tmp_path,
        learner={queue: ["sqs:CreateQueue"], role: ["iam:CreateRole", "iam:GetRole"]},
        passed={role: ["lambda.amazonaws.com"]},
        roles={queue: ["sqs:SendMessage"]},
    )
    assert list(found) == ["lambda-workshop-ada-1", "lambda-workshop-boundary"]
    tagged = {"StringEquals": {"aws:RequestTag/learner": "ada"}}
    limit = {"ArnLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/lambda-workshop-boundary"}}
    to = {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}
    (group,) = log_retention.CALLS
    assert allowed(found, "lambda-workshop-ada-1") == {
        *(
            (f"sqs:{action}", "arn:aws:sqs:*:*:ada-*", "null")
            for action in ("CreateQueue", "TagQueue", "ListQueueTags")
        ),
        *((f"iam:{action}", "arn:aws:iam::*:role/ada-*", "null") for action in ("GetRole", "ListRoleTags")),
        ("iam:CreateRole", "arn:aws:iam::*:role/ada-*", json.dumps(limit | tagged)),
        ("iam:TagRole", "arn:aws:iam::*:role/ada-*", json.dumps(tagged)),
        ("iam:PassRole", "arn:aws:iam::*:role/ada-*", json.dumps(to)),
        *((action, group.replace("${learner}", "ada"), "null") for action in log_retention.CALLS[group]),
    }
    of_role = "arn:aws:sqs:*:*:${aws:PrincipalTag/learner}-*"
    assert allowed(found, policies.BOUNDARY) == {("sqs:SendMessage", of_role, "null")}


def test_what_does_not_fit_into_one_policy_is_in_several(monkeypatch, tmp_path):
    many = {f"arn:aws:s3:::{'x' * 60}{number}": [f"s3:Action{number}"] for number in range(150)}
    found = made_of(monkeypatch, tmp_path, learner=many)
    assert len(found) > 3
    assert all(policies.size(document) <= policies.MAX_SIZE for document in found.values())
    assert {action for action, _, _ in allowed(found)} >= {action for actions in many.values() for action in actions}


# Of the notebooks themselves


@pytest.fixture(scope="module")
def all_of_them():
    return policies.policies([], "ada")


def test_each_notebook_has_its_calls_and_none_is_of_another():
    there = {path.name for path in (settings.NOTEBOOKS / "solutions" / "calls").iterdir()}
    assert there == {lesson.calls_path.name for lesson in lessons.lessons()}


@pytest.mark.parametrize("learner", ["ada", "${aws:username}", "a" * 20])
def test_a_person_can_have_them_all(learner):
    found = policies.policies([], learner)
    assert len(found) - 1 <= MOST
    assert all(policies.size(document) <= policies.MAX_SIZE for document in found.values())
    assert "${learner}" not in json.dumps(found)


def test_the_boundary_is_one_for_everybody(all_of_them):
    assert policies.policies([], "${aws:username}")[policies.BOUNDARY] == all_of_them[policies.BOUNDARY]
    assert "ada" not in json.dumps(all_of_them[policies.BOUNDARY])


def test_what_is_allowed_on_everything_is_on_no_resource_or_a_list(all_of_them):
    on_all = {action for action, resource, _ in allowed(all_of_them) if resource == "*"}
    on_some = {action for action, resource, _ in allowed(all_of_them) if resource != "*"}
    assert on_all == ON_NONE | LISTS
    assert on_some & ON_NONE == set(), "on AWS a statement with resources does not allow these"


def test_what_bears_a_name_bears_the_learners(all_of_them):
    all_of_ada = json.loads(json.dumps(all_of_them).replace(policies.OF_ROLE, "ada"))
    others = {resource for _, resource, _ in allowed(all_of_ada) if resource != "*" and "ada-" not in resource}
    assert {resource for resource in others if not OF_NOBODY.fullmatch(resource)} == set()


def test_whatever_takes_tags_may_be_given_them():
    known = {name.lower() for name in policies.ALSO} | {name.lower() for name in policies.BESIDE}
    for kind in RESOURCE_TYPES:
        for made_by in kind.made_by:
            service, operation = made_by.split(".")
            shape = (
                boto3.client(service, region_name="us-east-1").meta.service_model.operation_model(operation).input_shape
            )
            if not {"Tags", "tags", "TagSpecifications"} & set(shape.members):
                continue
            prefix = {"stepfunctions": "states", "apigatewayv2": "apigateway"}.get(service, service)
            action = "apigateway:POST" if prefix == "apigateway" else f"{prefix}:{operation}"
            assert action.lower() in known or policies.EMBEDDED.fullmatch(action), action


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_every_call_in_the_code_of_a_lesson_is_allowed(lesson, operations):
    sources = [path.read_text() for path in lesson.folder.glob("*.py")]
    assert lacking(sources, operations, policies.policies([lesson.number], "ada", embedded=True)) == set()


OF_NOTEBOOKS = ("", "deploying", "exercises", "measuring", "resources", "session")  # what they call of helpers


def test_every_call_in_the_code_of_helpers_is_allowed(all_of_them, operations):
    folders = (settings.ROOT / "helpers" / name for name in OF_NOTEBOOKS)
    sources = [path.read_text() for folder in folders for path in folder.glob("*.py")]
    assert lacking(sources, operations, policies.policies([], "ada", embedded=True)) == set()


@pytest.fixture(scope="module")
def operations():
    """The operations of the services that the workshop uses: as boto3 calls them, and as AWS does."""
    found = {}
    for service in {kind.service for kind in RESOURCE_TYPES} | {"sts"}:
        for name in boto3.client(service, region_name="us-east-1").meta.service_model.operation_names:
            found.setdefault(xform_name(name), set()).add(name)
    return found


def lacking(sources, operations, documents):
    """The calls in these sources, by their names alone, whose action no document allows, for a person or a role."""
    may = {action.partition(":")[2] for action, _, _ in allowed(documents)}
    called = set().union(*(re.findall(r"[.]([a-z0-9_]+)\(|[\"']([a-z0-9_]+)[\"']", source) for source in sources))
    names = {name for pair in called for name in pair} & operations.keys() - OF_NO_NOTEBOOK
    return {name for name in names if not ({OTHER_NAMES.get(name)} | operations[name]) & may}


# The command


def test_the_command_prints_one_object_or_writes_a_file_for_each(tmp_path, capsys, monkeypatch):
    assert policy.show(["1"], "ada", None) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == policies.policies(["01"], "ada")
    monkeypatch.setenv("WORKSHOP_LEARNER", "ada")
    assert policy.show(["01"], None, tmp_path / "out") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / f"{name}.json") for name in printed]
    assert {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()} == printed


@pytest.mark.parametrize("prefix", ["Ada", "a_b", "-a", "*", "", "${aws:userid", "x" * 21, "日本"])
def test_a_prefix_that_is_none_is_one_sentence(prefix):
    with pytest.raises(
        policies.PolicyError, match=r"^.* is no prefix; name the WORKSHOP_LEARNER of a person, or \$\{aws"
    ):
        policies.policies(["01"], prefix)


def test_a_notebook_that_is_none_is_one_sentence():
    with pytest.raises(WorkshopError, match="^There is no notebook '77'"):
        policies.policies(["77"], "ada")


def test_a_notebook_whose_calls_are_not_known_is_one_sentence(monkeypatch, tmp_path):
    lesson = SimpleNamespace(number="04", calls_path=tmp_path / "none.json")
    monkeypatch.setattr(lessons, "lesson", lambda number: lesson)
    with pytest.raises(policies.PolicyError, match="^What notebook 04 calls is not known; run"):
        policies.policies(["04"], "ada")
