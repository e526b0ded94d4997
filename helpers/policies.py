"""IAM policies for a person who does the workshop on AWS, made of the calls that the solutions of its notebooks made.

authoring/calls.py keeps those calls in notebooks/solutions/calls/, by resource; what a solution does not show is in
calls.json of its lesson. What AWS asks for beside, and where conditions make it narrower, is in the tables here:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import lessons
from .errors import WorkshopError
from .resources import log_retention

LEARNER = "${learner}"  # stands for the learner's prefix until a policy is made
NAME, BOUNDARY = "lambda-workshop", "lambda-workshop-boundary"
# The most that a managed policy may have, without blanks: "IAM object quotas", IAM User Guide, reference_iam-quotas
MAX_SIZE = 6_144
# A prefix, or what IAM puts in place of a variable; see "IAM policy elements: Variables", reference_policies_variables
PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?|\$\{aws:(username|PrincipalTag/\w+)\}")
OF_ROLE = "${aws:PrincipalTag/learner}"  # in the boundary, one for everybody: the workshop tags each role

Calls = dict[str, dict[str, list[str]]]  # "learner", "passed" or "roles" -> resource -> actions, or services
Statement = dict[str, Any]
Document = dict[str, Any]

_FUNCTIONS = f"arn:aws:lambda:*:*:function:{LEARNER}-*"
_MAPPINGS = "arn:aws:lambda:*:*:event-source-mapping:*"
_EC2, _OF_INSTANCE = "arn:aws:ec2:*:*", ("network-interface", "security-group", "subnet", "volume")
_OURS = {"StringEquals": {"aws:ResourceTag/learner": LEARNER}}
_TAGGED = {"StringEquals": {"aws:RequestTag/learner": LEARNER}}
_LIMITED = {"ArnLike": {"iam:PermissionsBoundary": f"arn:aws:iam::*:policy/{BOUNDARY}"}}
_TAGGED_AT_BIRTH = {"StringEquals": {"ec2:CreateAction": ["CreateLaunchTemplate", "RunInstances"]}}
_OF_FUNCTION = {"ArnLike": {"lambda:FunctionArn": _FUNCTIONS}}

# What notebooks do on the embedded AWS alone: the database of 07, the public bucket of 13
EMBEDDED = re.compile(r"rds:(?!Describe).*|secretsmanager:(?!List).*|s3:(Put|Delete)BucketP(olicy|ublic.*)")
# What AWS asks for as well, on the same resource: tags in a call that makes something, and for clean() to read them
ALSO = {
    "cloudwatch:PutMetricAlarm": ["cloudwatch:ListTagsForResource", "cloudwatch:TagResource"],
    "dynamodb:CreateTable": ["dynamodb:ListTagsOfResource", "dynamodb:TagResource"],
    "events:PutRule": [
        "events:ListTagsForResource",
        "events:ListTargetsByRule",  # for clean(), where the notebook has not removed it
        "events:RemoveTargets",
        "events:TagResource",
    ],
    "iam:CreateRole": ["iam:ListRoleTags", "iam:TagRole"],
    "lambda:CreateFunction": [
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UpdateFunctionCode",  # of deploy(), where the code is another than that of the last run
        "lambda:UpdateFunctionConfiguration",
    ],
    "lambda:PublishLayerVersion": ["lambda:GetLayerVersion"],  # of a function that takes the layer
    "logs:CreateLogGroup": ["logs:TagResource"],
    "s3:CreateBucket": ["s3:GetBucketTagging", "s3:PutBucketTagging"],
    "sns:CreateTopic": ["sns:ListTagsForResource", "sns:TagResource"],
    "sqs:CreateQueue": ["sqs:ListQueueTags", "sqs:TagQueue"],
    "states:CreateStateMachine": ["states:ListTagsForResource", "states:TagResource"],
}
# And on others
BESIDE = {
    "apigateway:POST": {  # tags of an API are not those of its routes, by which these could be known
        "arn:aws:apigateway:*::/apis": ["apigateway:TagResource"],
        "arn:aws:apigateway:*::/apis/*": ["apigateway:TagResource"],
        "arn:aws:apigateway:*::/tags/*": ["apigateway:POST", "apigateway:PUT"],
    },
    "autoscaling:CreateAutoScalingGroup": {
        "arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/*": ["iam:CreateServiceLinkedRole"]
    },
    "ec2:CreateLaunchTemplate": {f"{_EC2}:launch-template/*": ["ec2:CreateTags", "ec2:RunInstances"]},
    "ec2:RunInstances": {
        f"{_EC2}:instance/*": ["ec2:CreateTags"],
        **{f"{_EC2}:{kind}/*": ["ec2:RunInstances"] for kind in _OF_INSTANCE},
        "arn:aws:ec2:*::image/*": ["ec2:RunInstances"],
        "arn:aws:ssm:*::parameter/aws/service/*": ["ssm:GetParameters"],  # which has the newest image
    },
    "lambda:CreateEventSourceMapping": {_MAPPINGS: ["lambda:ListTags", "lambda:TagResource"]},
}
# Under which condition an action is enough for a person, and for a role: what they make is known by its tags
CONDITIONS: dict[str, dict[str, Any]] = {
    "ec2:CreateTags": _TAGGED_AT_BIRTH,
    "ec2:StartInstances": _OURS,
    "ec2:StopInstances": _OURS,
    "ec2:TerminateInstances": _OURS,
    "iam:AttachRolePolicy": _LIMITED,
    "iam:CreateRole": _LIMITED | _TAGGED,
    "iam:CreateServiceLinkedRole": {"StringEquals": {"iam:AWSServiceName": "autoscaling.amazonaws.com"}},
    "iam:PutRolePolicy": _LIMITED,
    "iam:TagRole": _TAGGED,
    "lambda:CreateEventSourceMapping": _OF_FUNCTION,
    "lambda:DeleteEventSourceMapping": _OF_FUNCTION,
    "lambda:UpdateEventSourceMapping": _OF_FUNCTION,
}
OF_ROLES = {f"ec2:{action}": _OURS for action in ("CreateTags", "DeleteTags", "StartInstances", "StopInstances")}


class PolicyError(WorkshopError):
    """No policy can be made; the message is one sentence."""


def policies(numbers: Sequence[str], learner: str, embedded: bool = False) -> dict[str, Document]:
    """Managed policies for a person, and the boundary of the roles that they make, by name.

    `numbers` are notebooks, such as "04"; all if none. `learner` is the prefix of the person's names, or a variable of
    IAM that stands for it, such as ${aws:username}. With `embedded`, also for what is done on the embedded AWS alone.

    Raises PolicyError, or LessonError for an unknown notebook.
    """
    if not PREFIX.fullmatch(learner):
        raise PolicyError(
            f"{learner!r} is no prefix; name the WORKSHOP_LEARNER of a person, or ${{aws:username}} where each "
            "person's is the name of their IAM user."
        )
    calls = [_calls(lessons.lesson(number)) for number in numbers] or [_calls(each) for each in lessons.lessons()]
    needed = _needed(_together(each["learner"] for each in calls), embedded)
    own = _statements(needed, CONDITIONS) + _passed(_together(each["passed"] for each in calls))
    name = NAME if learner.startswith("$") else f"{NAME}-{learner}"
    made = {f"{name}-{number}": each for number, each in enumerate(_documents(_for(learner, own)), start=1)}
    limits = _statements(_together(each["roles"] for each in calls), OF_ROLES)
    return made | {BOUNDARY: _document(_for(OF_ROLE, limits))}


def _calls(lesson: lessons.Lesson) -> Calls:
    try:
        calls: Calls = json.loads(lesson.calls_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PolicyError(
            f"What notebook {lesson.number} calls is not known; run `python3 -m helpers build --force`."
        ) from None
    if lesson.other_calls_path.exists():
        other: Calls = json.loads(lesson.other_calls_path.read_text(encoding="utf-8"))
        for kind, each in other.items():
            calls[kind] = {on: sorted(actions) for on, actions in _together([calls[kind], each]).items()}
    return calls


def _together(calls: Iterable[Mapping[str, Iterable[str]]]) -> dict[str, set[str]]:
    """The actions on each resource, of several notebooks."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for each in calls:
        for resource, actions in each.items():
            found[resource] |= set(actions)
    return dict(found)


def _needed(calls: Mapping[str, Iterable[str]], embedded: bool) -> dict[str, set[str]]:
    """The learner's actions on each resource, with those that AWS alone asks for."""
    needed = {
        resource: {action for action in actions if embedded or not EMBEDDED.fullmatch(action)}
        for resource, actions in calls.items()
    }
    more: list[Mapping[str, Iterable[str]]] = [log_retention.CALLS]
    for resource, actions in needed.items():
        more += [{resource: ALSO[action]} for action in actions if action in ALSO]
        more += [BESIDE[action] for action in actions if action in BESIDE]
    return _together([needed, *more])


def _statements(needed: Mapping[str, Iterable[str]], conditions: Mapping[str, Any]) -> list[Statement]:
    """A statement for each set of actions that are allowed on the same resources under the same condition."""
    allowed: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for resource, actions in needed.items():
        for action in actions:
            allowed[resource, json.dumps(conditions.get(action))].add(action)
    resources: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (resource, condition), each in sorted(allowed.items()):
        resources[condition, tuple(sorted(each))].append(resource)
    return [_allow(actions, on, json.loads(condition)) for (condition, actions), on in resources.items()]


def _passed(services: Mapping[str, Iterable[str]]) -> list[Statement]:
    """Roles that the person may hand to services, and to no others."""
    return [
        _allow(["iam:PassRole"], [role], {"StringEquals": {"iam:PassedToService": sorted(to)}})
        for role, to in sorted(services.items())
    ]


def _allow(actions: Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None) -> Statement:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _documents(statements: Iterable[Statement]) -> list[Document]:
    """As few documents as these statements fit into, one after another."""
    made = [_document([])]
    for each in statements:
        if size(_document([*made[-1]["Statement"], each])) > MAX_SIZE:
            made.append(_document([]))
        made[-1]["Statement"].append(each)
    return made


def _document(statements: list[Statement]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def size(document: Document) -> int:
    """What IAM counts of a document."""
    return len(re.sub(r"\s", "", json.dumps(document)))


def _for(learner: str, statements: list[Statement]) -> list[Statement]:
    filled: list[Statement] = json.loads(json.dumps(statements).replace(LEARNER, learner))
    return filled
