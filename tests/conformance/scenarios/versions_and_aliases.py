"""Publishing versions, and aliases that point to them."""

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import (
    ACTIVE,
    ARN,
    CODE,
    CREATING,
    bad_value,
    changed_meanwhile,
    configuration,
    conflict,
    listed,
    not_found,
    pattern,
)
from helpers.conformance.world import zipped

VERSIONS, ALIASES = "Versions", "Aliases"
LIFE = recorded("TestLambdaVersions::test_version_lifecycle", "2025-11-25")
ON_CREATE = recorded("TestLambdaVersions::test_publish_version_on_create", "2025-11-25")
WITH_UPDATE = recorded("TestLambdaVersions::test_publish_with_update", "2025-11-25")
ALIAS = recorded("TestLambdaAlias::test_alias_lifecycle", "2025-11-25")
REVISIONS = recorded("TestLambdaRevisions::test_function_revisions_version_and_alias", "2025-11-25")


def version(**different):
    """The configuration of a function's first version."""
    return configuration(ACTIVE, **{"FunctionArn": f"{ARN}:1", "Version": "1", **different})


@scenario(
    VERSIONS,
    "a version is active as soon as it is published",
    LIFE,
    {**version(Description="the first"), "status": 201},
)
def publish(aws):
    return aws.lambda_("publish_version", FunctionName=aws.function(), Description="the first")


@scenario(VERSIONS, "a version has the function's description if none is given", LIFE, "of the function")
def publish_without_description(aws):
    return aws.lambda_("publish_version", FunctionName=aws.function(Description="of the function"))["Description"]


@scenario(
    VERSIONS,
    "reading a version",
    LIFE,
    {"Configuration": version(Description="the first"), "Code": CODE, "status": 200},
)
def read_version(aws):
    name = aws.function()
    aws.publish(name, Description="the first")
    return aws.lambda_("get_function", FunctionName=name, Qualifier="1")


@scenario(VERSIONS, "a version keeps its configuration", LIFE, {"1": 3, "$LATEST": 7})
def version_keeps_its_configuration(aws):
    name = aws.function()
    aws.publish(name)
    aws.update(name, Timeout=7)
    return {
        each: aws.lambda_("get_function_configuration", FunctionName=name, Qualifier=each)["Timeout"]
        for each in ("1", "$LATEST")
    }


@scenario(VERSIONS, "nothing new is the same version", LIFE, ["1", "1", True])
def nothing_new(aws):
    name = aws.function()
    first = aws.lambda_("publish_version", FunctionName=name)
    again = aws.lambda_("publish_version", FunctionName=name, Description="another")
    return [first["Version"], again["Version"], first["RevisionId"] == again["RevisionId"]]


@scenario(VERSIONS, "a change is a new version", LIFE, ["1", "2"])
def change_is_a_new_version(aws):
    name = aws.function()
    first = aws.publish(name)
    aws.update(name, Timeout=7)
    return [first, aws.publish(name)]


@scenario(
    VERSIONS,
    "the list of versions",
    LIFE,
    {
        "Versions": [
            listed(FunctionArn=f"{ARN}:$LATEST", RevisionId="<id:1>"),
            listed(FunctionArn=f"{ARN}:1", Version="1", RevisionId="<id:2>"),
        ],
        "status": 200,
    },
)
def list_of_versions(aws):
    name = aws.function()
    aws.publish(name)
    return aws.lambda_("list_versions_by_function", FunctionName=name)


@scenario(
    VERSIONS, "a version is deleted, and its number is not used again", LIFE, {"status": 204, "left": ["$LATEST", "2"]}
)
def delete_version(aws):
    name = aws.function()
    aws.publish(name)
    answer = aws.lambda_("delete_function", FunctionName=name, Qualifier="1")
    aws.update(name, Timeout=7)
    aws.publish(name)
    versions = aws.lambda_("list_versions_by_function", FunctionName=name)["Versions"]
    return {"status": answer["status"], "left": [each["Version"] for each in versions]}


@scenario(
    VERSIONS,
    "a version that an alias points to is not deleted",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"),
    "ResourceConflictException",
)
def delete_version_of_an_alias(aws):
    name = aws.function()
    aws.publish(name)
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion="1")
    return aws.lambda_("delete_function", FunctionName=name, Qualifier="1").get("refused")


@scenario(
    VERSIONS, "publishing with CreateFunction", ON_CREATE, {**configuration(CREATING, Version="1"), "status": 201}
)
def publish_on_create(aws):
    return create_and_publish(aws)


def create_and_publish(aws):
    name = aws.name("function")
    aws.finally_("lambda", "delete_function", FunctionName=name)
    return aws.lambda_(
        "create_function",
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=aws.role,
        Code={"ZipFile": zipped({"app.py": "handler = print"})},
        Publish=True,
    )


@scenario(
    VERSIONS,
    "both versions of a function that was published with CreateFunction",
    ON_CREATE,
    {"none": ["$LATEST", ARN], "$LATEST": ["$LATEST", f"{ARN}:$LATEST"], "1": ["1", f"{ARN}:1"]},
)
def both_versions(aws):
    name = create_and_publish(aws)["FunctionName"]
    aws.active(name)
    found = {}
    for qualifier in ("none", "$LATEST", "1"):
        which = {} if qualifier == "none" else {"Qualifier": qualifier}
        answer = aws.lambda_("get_function_configuration", FunctionName=name, **which)
        found[qualifier] = [answer["Version"], answer["FunctionArn"]]
    return found


@scenario(
    VERSIONS,
    "publishing with UpdateFunctionCode",
    WITH_UPDATE,
    {**configuration(CREATING, FunctionArn=f"{ARN}:1", Version="1"), "status": 200},
)
def publish_with_update(aws):
    code = zipped({"app.py": "handler = print"})
    return aws.lambda_("update_function_code", FunctionName=aws.function(), ZipFile=code, Publish=True)


@scenario(
    VERSIONS,
    "publishing a revision that has passed",
    recorded("TestLambdaVersions::test_publish_with_wrong_revisionid", "2022-09-30"),
    changed_meanwhile(),
)
def publish_past_revision(aws):
    return aws.lambda_(
        "publish_version", FunctionName=aws.function(), RevisionId="11111111-2222-4333-8444-555555555555"
    )


@scenario(
    VERSIONS,
    "publishing other code",
    recorded("TestLambdaVersions::test_publish_with_wrong_sha256", "2025-11-25"),
    bad_value(
        "CodeSHA256 (another) is different from current CodeSHA256 in $LATEST (<sha256>). "
        "Please try again with the CodeSHA256 in $LATEST."
    ),
)
def publish_other_code(aws):
    name = aws.function()
    code = aws.lambda_("get_function_configuration", FunctionName=name)["CodeSha256"]
    answer = aws.lambda_("publish_version", FunctionName=name, CodeSha256="another")
    return {**answer, "says": answer.get("says", "").replace(code, "<sha256>")}


@scenario(
    VERSIONS,
    "publishing the code and the revision that were read",
    recorded("TestLambdaVersions::test_publish_with_wrong_sha256 and _revisionid", "2025-11-25"),
    {**version(), "status": 201},
)
def publish_what_was_read(aws):
    name = aws.function()
    read = aws.lambda_("get_function_configuration", FunctionName=name)
    return aws.lambda_(
        "publish_version", FunctionName=name, CodeSha256=read["CodeSha256"], RevisionId=read["RevisionId"]
    )


@scenario(
    VERSIONS,
    "publishing changes $LATEST's revision",
    REVISIONS,
    {"version": "<id:1>", "$LATEST before": "<id:2>", "$LATEST after": "<id:3>"},
)
def revision_of_latest(aws):
    name = aws.function()

    def revision():
        return aws.lambda_("get_function_configuration", FunctionName=name)["RevisionId"]

    before = revision()
    published = aws.lambda_("publish_version", FunctionName=name)["RevisionId"]
    return {"version": published, "$LATEST before": before, "$LATEST after": revision()}


@scenario(
    VERSIONS,
    "a change of the handler counts from the next invocation on",
    recorded("TestLambdaVersions::test_lambda_handler_update", "2025-11-24"),
    [{"handler": "one"}, {"handler": "two"}, {"handler": "two"}],
)
def change_of_the_handler(aws):
    code = "def one(e, c): return {'handler': 'one'}\ndef two(e, c): return {'handler': 'two'}\n"
    name = aws.function(code, Handler="app.one")
    first = aws.invoke(name)["Payload"]
    aws.update(name, Handler="app.two")
    second = aws.invoke(name)["Payload"]
    return [first, second, aws.invoke(name, Qualifier=aws.publish(name))["Payload"]]


# aliases


def alias(name="live", version="1", **more):
    return {
        "AliasArn": f"{ARN}:{name}",
        "Description": "",
        "FunctionVersion": version,
        "Name": name,
        "RevisionId": "<id:1>",
        **more,
    }


def published(aws, versions=1):
    """A function with so many versions."""
    name = aws.function()
    for number in range(versions):
        aws.update(name, Description=f"version {number + 1}")
        aws.publish(name)
    return name


def create_alias(aws, function, name="live", version="1", **more):
    return aws.lambda_("create_alias", FunctionName=function, Name=name, FunctionVersion=version, **more)


@scenario(ALIASES, "a new alias", ALIAS, {**alias(Description="of mine"), "status": 201})
def new_alias(aws):
    return create_alias(aws, published(aws), Description="of mine")


@scenario(ALIASES, "without a description it has an empty one", ALIAS, {**alias(), "status": 201})
def alias_without_description(aws):
    return create_alias(aws, published(aws))


@scenario(
    ALIASES,
    "weights of two versions",
    recorded("TestLambdaAliases::test_alias_routingconfig", "2025-11-24"),
    {**alias(RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}}), "status": 201},
)
def alias_with_weights(aws):
    return create_alias(aws, published(aws, 2), RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})


@scenario(ALIASES, "reading an alias", ALIAS, {**alias(), "status": 200})
def read_alias(aws):
    name = published(aws)
    create_alias(aws, name)
    return aws.lambda_("get_alias", FunctionName=name, Name="live")


@scenario(ALIASES, "weights are taken away by empty ones", ALIAS, {**alias(RevisionId="<id:1>"), "status": 200})
def take_weights_away(aws):
    name = published(aws, 2)
    create_alias(aws, name, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    return aws.lambda_("update_alias", FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})


@scenario(ALIASES, "an update is a new revision", ALIAS, ["<id:1>", "<id:2>", "<id:2>"])
def update_is_a_revision(aws):
    name = published(aws)
    first = create_alias(aws, name)
    second = aws.lambda_("update_alias", FunctionName=name, Name="live", Description="new")
    return [each["RevisionId"] for each in (first, second, aws.lambda_("get_alias", FunctionName=name, Name="live"))]


@scenario(ALIASES, "an update of a revision that has passed", REVISIONS, changed_meanwhile())
def update_past_revision(aws):
    name = published(aws)
    create_alias(aws, name)
    old = "11111111-2222-4333-8444-555555555555"
    return aws.lambda_("update_alias", FunctionName=name, Name="live", Description="new", RevisionId=old)


@scenario(
    ALIASES,
    "the list of a function's aliases, by name",
    ALIAS,
    {"Aliases": [alias("a"), alias("b", "2", RevisionId="<id:2>")], "status": 200},
)
def list_of_aliases(aws):
    name = published(aws, 2)
    create_alias(aws, name, "a"), create_alias(aws, name, "b", "2")
    return aws.lambda_("list_aliases", FunctionName=name)


@scenario(ALIASES, "the list of a version's aliases", ALIAS, {"Aliases": [alias("b", "2")], "status": 200})
def list_of_aliases_of_a_version(aws):
    name = published(aws, 2)
    create_alias(aws, name, "a"), create_alias(aws, name, "b", "2")
    return aws.lambda_("list_aliases", FunctionName=name, FunctionVersion="2")


@scenario(ALIASES, "deleting", ALIAS, [{"status": 204}, {"Aliases": [], "status": 200}])
def delete_alias(aws):
    name = published(aws)
    create_alias(aws, name)
    return [aws.lambda_("delete_alias", FunctionName=name, Name="live"), aws.lambda_("list_aliases", FunctionName=name)]


@scenario(
    ALIASES,
    "deleting none",
    recorded("TestLambdaAlias::test_non_existent_alias_deletion", "2025-11-25"),
    {"status": 204},
)
def delete_no_alias(aws):
    return aws.lambda_("delete_alias", FunctionName=aws.function(), Name="none")


@scenario(
    ALIASES,
    "an update of none",
    recorded("TestLambdaAlias::test_non_existent_alias_update", "2025-11-25"),
    not_found(f"Alias not found: {ARN}:none"),
)
def update_no_alias(aws):
    return aws.lambda_("update_alias", FunctionName=aws.function(), Name="none", Description="new")


@scenario(
    ALIASES,
    "a date is a name",
    recorded("TestLambdaAlias::test_alias_naming", "2025-11-25"),
    {**alias("2024-01-02"), "status": 201},
)
def date_as_a_name(aws):
    return create_alias(aws, published(aws), "2024-01-02")


@scenario(
    ALIASES,
    "a number is no name",
    recorded("TestLambdaAlias::test_alias_naming", "2025-11-25"),
    pattern("2024", "name", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"),
)
def number_as_a_name(aws):
    return create_alias(aws, aws.function(), "2024")


@scenario(
    ALIASES,
    "a name that is taken",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html"),
    conflict(f"Alias already exists: {ARN}:live"),
)
def alias_that_is_there(aws):
    name = published(aws)
    create_alias(aws, name)
    return create_alias(aws, name)


@scenario(
    ALIASES,
    "GetFunction by an alias",
    ALIAS,
    {"Configuration": version(FunctionArn=f"{ARN}:live", Description="version 1"), "Code": CODE, "status": 200},
)
def function_by_alias(aws):
    name = published(aws)
    create_alias(aws, name)
    return aws.lambda_("get_function", FunctionName=name, Qualifier="live")


@scenario(
    ALIASES,
    "GetFunction by an alias that is not there",
    ALIAS,
    [not_found(f"Function not found: {ARN}:none"), not_found(f"Function not found: {ARN}:none")],
)
def function_by_no_alias(aws):
    name = aws.function()
    arn = f"arn:aws:lambda:{aws.account.region}:{aws.account.number}:function:{name}:none"
    return [
        aws.lambda_("get_function", FunctionName=name, Qualifier="none"),
        aws.lambda_("get_function", FunctionName=arn),
    ]


MOVING = recorded("TestLambdaAliases::test_lambda_alias_moving", "2025-11-25")
WHICH = """
import os
def handler(event, context):
    return {"version": context.function_version, "arn": context.invoked_function_arn, "of": os.environ["OF"]}
"""


@scenario(
    ALIASES,
    "an alias moves to another version",
    MOVING,
    [
        {
            "ExecutedVersion": "1",
            "StatusCode": 200,
            "status": 200,
            "Payload": {"version": "1", "arn": f"{ARN}:live", "of": "one"},
        },
        {
            "ExecutedVersion": "1",
            "StatusCode": 200,
            "status": 200,
            "Payload": {"version": "1", "arn": f"{ARN}:live", "of": "one"},
        },
        {
            "ExecutedVersion": "2",
            "StatusCode": 200,
            "status": 200,
            "Payload": {"version": "2", "arn": f"{ARN}:live", "of": "two"},
        },
    ],
)
def alias_moves(aws):
    name = aws.function(WHICH, Environment={"Variables": {"OF": "one"}})
    aws.publish(name)
    create_alias(aws, name)
    first = aws.invoke(name, Qualifier="live")
    aws.update(name, Environment={"Variables": {"OF": "two"}})
    aws.publish(name)
    second = aws.invoke(name, Qualifier="live")
    aws.lambda_("update_alias", FunctionName=name, Name="live", FunctionVersion="2")
    return [first, second, aws.invoke(name, Qualifier="live")]


@scenario(ALIASES, "invoking an alias by its ARN", MOVING, {"version": "1", "arn": f"{ARN}:live", "of": "one"})
def alias_by_its_arn(aws):
    name = aws.function(WHICH, Environment={"Variables": {"OF": "one"}})
    aws.publish(name)
    return aws.invoke(create_alias(aws, name)["AliasArn"])["Payload"]


@scenario(ALIASES, "invoking an alias that is not there", MOVING, not_found(f"Function not found: {ARN}:none"))
def invoke_no_alias(aws):
    return aws.invoke(aws.function(), Qualifier="none")
