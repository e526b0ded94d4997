"""Resource policies of functions, their versions and aliases; tags of functions and mappings."""

import json
import re

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, changed_meanwhile, conflict, invalid, not_found, pattern

PERMISSIONS, TAGS = "Permissions", "Tags"
FIELDS = recorded("TestLambdaPermissions::test_add_lambda_permission_fields", "2025-11-25")
VERSIONED = recorded("TestLambdaPermissions::test_lambda_permission_fn_versioning", "2025-11-25")
REVISED = recorded("TestLambdaPermissions::test_lambda_permission_revisions", "2022-12-23")
REMOVED = recorded("TestLambdaPermissions::test_remove_multi_permissions", "2025-11-25")
NOTHING = not_found("The resource you requested does not exist.")


def add(aws, function, sid="s3", principal="s3.amazonaws.com", action="lambda:InvokeFunction", **more):
    """AddPermission's answer, with its statement as JSON."""
    answer = aws.lambda_(
        "add_permission", FunctionName=function, StatementId=sid, Action=action, Principal=principal, **more
    )
    return {**answer, "Statement": json.loads(answer["Statement"])} if "Statement" in answer else answer


def policy(aws, function, **qualifier):
    """GetPolicy's answer, with its policy as JSON."""
    answer = aws.lambda_("get_policy", FunctionName=function, **qualifier)
    return {**answer, "Policy": json.loads(answer["Policy"])} if "Policy" in answer else answer


def statement(sid="s3", principal=None, resource=ARN, action="lambda:InvokeFunction", **more):
    principal = {"Service": "s3.amazonaws.com"} if principal is None else principal
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def whole(*statements):
    return {
        "Policy": {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)},
        "RevisionId": "<id:1>",
        "status": 200,
    }


SAME_ACCOUNT = {"StringEquals": {"AWS:SourceAccount": "<account>"}}
ADDED = {
    "a service with a SourceAccount": (
        {"sid": "lambda", "principal": "lambda.amazonaws.com", "SourceAccount": "<account>"},
        statement("lambda", {"Service": "lambda.amazonaws.com"}, Condition=SAME_ACCOUNT),
    ),
    "everybody": (
        {"sid": "wildcard", "principal": "*", "SourceAccount": "<account>"},
        statement("wildcard", "*", Condition=SAME_ACCOUNT),
    ),
    "an account": (
        {"sid": "account-id", "principal": "<account>"},
        statement("account-id", {"AWS": "arn:aws:iam::<account>:root"}),
    ),
    "a token of an event source": (
        {"sid": "skill", "principal": "*", "EventSourceToken": "amzn1.ask.skill.x"},
        statement("skill", "*", Condition={"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}}),
    ),
    "all conditions": (
        {
            "sid": "url",
            "principal": "*",
            "action": "lambda:InvokeFunctionUrl",
            "SourceAccount": "<account>",
            "SourceArn": "arn:aws:s3:::a-bucket",
            "PrincipalOrgID": "o-1234567890",
            "FunctionUrlAuthType": "NONE",
        },
        statement(
            "url",
            "*",
            action="lambda:InvokeFunctionUrl",
            Condition={
                "StringEquals": {
                    "AWS:SourceAccount": "<account>",
                    "aws:PrincipalOrgID": "o-1234567890",
                    "lambda:FunctionUrlAuthType": "NONE",
                },
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::a-bucket"},
            },
        ),
    ),
}
for what, (given, gives) in ADDED.items():

    @scenario(PERMISSIONS, f"adding {what}", FIELDS, {"Statement": gives, "status": 201})
    def added(aws, given=given):
        return add(aws, aws.function(), **{k: v.replace("<account>", aws.account.number) for k, v in given.items()})


@scenario(
    PERMISSIONS,
    "a policy of two statements",
    recorded("TestLambdaPermissions::test_create_multiple_lambda_permissions", "2025-11-25"),
    whole(
        statement("logs", {"Service": "logs.amazonaws.com"}), statement("kinesis", {"Service": "kinesis.amazonaws.com"})
    ),
)
def two_statements(aws):
    name = aws.function()
    for service in ("logs", "kinesis"):
        add(aws, name, service, f"{service}.amazonaws.com")
    return policy(aws, name)


@scenario(PERMISSIONS, "no policy", REMOVED, NOTHING)
def no_policy(aws):
    return policy(aws, aws.function())


@scenario(
    PERMISSIONS,
    "a statement that is there",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"),
    conflict(
        "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement."
    ),
)
def statement_that_is_there(aws):
    name = aws.function()
    add(aws, name)
    return add(aws, name)


@scenario(
    PERMISSIONS,
    "removing",
    REMOVED,
    {
        "none": not_found("Statement none is not found in resource policy."),
        "one": {"status": 204},
        "left": [statement("s3")],
        "the other": {"status": 204},
        "nothing": NOTHING,
    },
)
def removing(aws):
    name = aws.function()
    add(aws, name)
    add(aws, name, "sqs", "sqs.amazonaws.com")

    def remove(sid):
        return aws.lambda_("remove_permission", FunctionName=name, StatementId=sid)

    return {
        "none": remove("none"),
        "one": remove("sqs"),
        "left": policy(aws, name)["Policy"]["Statement"],
        "the other": remove("s3"),
        "nothing": policy(aws, name),
    }


@scenario(
    PERMISSIONS,
    "a version has a policy of its own",
    VERSIONED,
    {"before": NOTHING, "version": whole(statement(resource=f"{ARN}:1")), "function": [statement()]},
)
def policy_of_a_version(aws):
    name = aws.function()
    add(aws, name)
    aws.publish(name)
    before = policy(aws, name, Qualifier="1")
    add(aws, name, Qualifier="1")
    own = policy(aws, name, Qualifier="1")
    return {"before": before, "version": own, "function": policy(aws, name)["Policy"]["Statement"]}


@scenario(PERMISSIONS, "an alias has a policy of its own", VERSIONED, whole(statement(resource=f"{ARN}:live")))
def policy_of_an_alias(aws):
    name = aws.function()
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion=aws.publish(name))
    add(aws, name, Qualifier="live")
    return policy(aws, name, Qualifier="live")


@scenario(
    PERMISSIONS,
    "adding to a revision that has passed: an alias",
    VERSIONED,
    changed_meanwhile(
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetPolicy API to retrieve the latest Revision Id"
    ),
)
def past_revision_of_an_alias(aws):
    name = aws.function()
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion=aws.publish(name))
    add(aws, name, Qualifier="live")
    return add(aws, name, "again", Qualifier="live", RevisionId="11111111-2222-4333-8444-555555555555")


@scenario(PERMISSIONS, "publishing keeps the function's policy", VERSIONED, [[statement()], True])
def publishing_keeps_the_policy(aws):
    name = aws.function()
    add(aws, name)
    before = policy(aws, name)
    aws.publish(name)
    after = policy(aws, name)
    return [after["Policy"]["Statement"], before["RevisionId"] == after["RevisionId"]]


@scenario(PERMISSIONS, "each statement is a revision", VERSIONED, ["<id:1>", "<id:2>"])
def each_statement_is_a_revision(aws):
    name, revisions = aws.function(), []
    for sid in ("s3", "s3_2"):
        add(aws, name, sid)
        revisions.append(policy(aws, name)["RevisionId"])
    return revisions


@scenario(PERMISSIONS, "the policy's own revision is taken", VERSIONED, {"Statement": statement("s3_2"), "status": 201})
def the_policys_revision(aws):
    name = aws.function()
    add(aws, name)
    return add(aws, name, "s3_2", RevisionId=policy(aws, name)["RevisionId"])


# tags

TAG_LIFE = "TestLambdaTag::test_tag_lifecycle"
WRONG = recorded("TestLambdaTags::test_tag_exceptions", "2025-11-25")
# It has got more kinds of resources since it was recorded.
TAG_PATTERN = r"arn:(aws[a-zA-Z-]*):lambda:"


def no_arn(value):
    """The refusal of an ARN, up to where its pattern names kinds of resources."""
    refusal = pattern(value, "resource", TAG_PATTERN)
    return {**refusal, "says": re.compile(re.escape(refusal["says"]) + ".+")}


NOT_OF_VERSIONS = bad_value("Tags on function aliases and versions are not supported. Please specify a function ARN.")


def arn_of(aws, kind, name):
    return f"arn:aws:lambda:{aws.account.region}:{aws.account.number}:{kind}:{name}"


def function_arn(aws):
    return arn_of(aws, "function", aws.function())


def mapping_arn(aws):
    found = aws.lambda_("create_event_source_mapping", FunctionName=aws.function(), EventSourceArn=aws.queue()[1])
    aws.finally_("lambda", "delete_event_source_mapping", UUID=found["UUID"])
    return found["EventSourceMappingArn"]


STEPS = {
    "one": ("tag_resource", {"Tags": {"A": "a"}}, {"A": "a"}),
    "several": ("tag_resource", {"Tags": {"B": "b", "C": "c"}}, {"A": "a", "B": "b", "C": "c"}),
    "some again": ("tag_resource", {"Tags": {"C": "new", "D": "d"}}, {"A": "a", "B": "b", "C": "new", "D": "d"}),
    "without one": ("untag_resource", {"TagKeys": ["A"]}, {"B": "b", "C": "new", "D": "d"}),
    "without several": ("untag_resource", {"TagKeys": ["B", "C"]}, {"D": "d"}),
    "without one that is not there": ("untag_resource", {"TagKeys": ["F"]}, {"D": "d"}),
    "without one that is, and one that is not": ("untag_resource", {"TagKeys": ["D", "F"]}, {}),
}
for kind, make, date in (("a function", function_arn, "2024-04-10"), ("a mapping", mapping_arn, "2025-11-25")):

    @scenario(
        TAGS,
        f"of {kind}, from the first to the last",
        recorded(TAG_LIFE + ("[event_source_mapping]" if make is mapping_arn else ""), date),
        {name: [{"status": 204}, {"Tags": tags, "status": 200}] for name, (_, _, tags) in STEPS.items()},
    )
    def life_of_tags(aws, make=make):
        arn = make(aws)
        return {
            name: [aws.lambda_(operation, Resource=arn, **given), aws.lambda_("list_tags", Resource=arn)]
            for name, (operation, given, _) in STEPS.items()
        }


@scenario(
    TAGS,
    "of a mapping, given when it is made",
    recorded("TestLambdaTag::test_create_tag_on_esm_create", "2025-11-25"),
    {"Tags": {"team": "blue"}, "status": 200},
)
def tags_of_a_new_mapping(aws):
    source = {"EventSourceArn": aws.queue()[1], "Tags": {"team": "blue"}}
    found = aws.lambda_("create_event_source_mapping", FunctionName=aws.function(), **source)
    aws.finally_("lambda", "delete_event_source_mapping", UUID=found["UUID"])
    return aws.lambda_("list_tags", Resource=found["EventSourceMappingArn"])


@scenario(TAGS, "none", WRONG, {"Tags": {}, "status": 200})
def no_tags(aws):
    return aws.lambda_("list_tags", Resource=function_arn(aws))


@scenario(TAGS, "tagging with none", WRONG, bad_value("An error occurred and the request cannot be processed."))
def tagging_with_none(aws):
    return aws.lambda_("tag_resource", Resource=function_arn(aws), Tags={})


@scenario(
    TAGS,
    "untagging none",
    WRONG,
    invalid("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
)
def untagging_none(aws):
    return aws.lambda_("untag_resource", Resource=function_arn(aws), TagKeys=[])


@scenario(TAGS, "an ARN of something", WRONG, no_arn("arn:aws:something"))
def arn_of_something(aws):
    return aws.lambda_("tag_resource", Resource="arn:aws:something", Tags={"A": "a"})


@scenario(TAGS, "a version that is not there", WRONG, NOT_OF_VERSIONS)
def version_that_is_not_there(aws):
    return aws.lambda_("tag_resource", Resource=arn_of(aws, "function", aws.function() + ":v"), Tags={"A": "a"})


UUID = "11111111-2222-4333-8444-555555555555"
WITH_ARN = "arn:aws:lambda:<region>:<account>:"
ALL = ("list_tags", {}), ("tag_resource", {"Tags": {"A": "a"}}), ("untag_resource", {"TagKeys": ["A"]})
for kind, name, says, case in (
    ("function", "nobody", f"Function not found: {WITH_ARN}function:nobody", "lambda_function"),
    (
        "event-source-mapping",
        UUID,
        f"Event source mapping not found: {WITH_ARN}event-source-mapping:<id:1>",
        "event_source_mapping",
    ),
):
    source = recorded(f"TestLambdaTag::test_tag_exceptions[{case}]", "2025-11-25")

    @scenario(TAGS, f"a {kind} that is not there", source, [not_found(says)] * 3)
    def of_nothing(aws, kind=kind, name=name):
        return [aws.lambda_(operation, Resource=arn_of(aws, kind, name), **given) for operation, given in ALL]

    gives = NOT_OF_VERSIONS
    if kind != "function":
        gives = no_arn(f"{WITH_ARN}{kind}:<id:1>:alias")

    @scenario(TAGS, f"an alias of a {kind}", source, gives)
    def of_an_alias(aws, kind=kind, name=name):
        return aws.lambda_("tag_resource", Resource=arn_of(aws, kind, f"{name}:alias"), Tags={"A": "a"})

    @scenario(
        TAGS,
        f"an ARN of another kind than a {kind}",
        source,
        no_arn(f"{WITH_ARN}foobar:{'nobody' if kind == 'function' else '<id:1>'}"),
    )
    def of_another_kind(aws, name=name):
        return aws.lambda_("tag_resource", Resource=arn_of(aws, "foobar", name), Tags={"A": "a"})


@scenario(
    TAGS,
    "a function that has gone",
    recorded("TestLambdaTag::test_tag_nonexisting_resource", "2025-11-25"),
    [not_found(f"Function not found: {ARN}")] * 3,
)
def function_that_has_gone(aws):
    arn = function_arn(aws)
    aws.lambda_("delete_function", FunctionName=arn)
    return [aws.lambda_(operation, Resource=arn, **given) for operation, given in ALL]


@scenario(
    TAGS,
    "a capacity provider that is not there",
    recorded("TestLambdaTag::test_tag_exceptions[capacity_provider]", "2025-11-25"),
    [not_found(f"Capacity provider not found: {WITH_ARN}capacity-provider:nobody")] * 3,
)
def no_capacity_provider(aws):
    return [
        aws.lambda_(operation, Resource=arn_of(aws, "capacity-provider", "nobody"), **given) for operation, given in ALL
    ]


@scenario(
    TAGS,
    "fifty-one",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"),
    "InvalidParameterValueException",
)
def fifty_one(aws):
    tags = {f"tag-{number}": "" for number in range(51)}
    return aws.lambda_("tag_resource", Resource=function_arn(aws), Tags=tags).get("refused")
