"""Creating, changing, reading, listing and deleting functions."""

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import (
    ACTIVE,
    ARN,
    CODE,
    CREATING,
    UPDATING,
    bad_value,
    changed_meanwhile,
    configuration,
    conflict,
    enum,
    failed,
    invalid,
    listed,
    not_found,
    pattern,
)
from helpers.conformance.world import zipped

AREA = "Functions"
LIFE = recorded("TestLambdaFunction::test_function_lifecycle", "2025-11-25")
WRONG = recorded("TestLambdaFunction::test_create_lambda_exceptions", "2026-01-12")
WRONG_UPDATE = recorded("TestLambdaFunction::test_update_lambda_exceptions", "2026-01-12")
REVISIONS = recorded("TestLambdaRevisions::test_function_revisions_basic", "2025-11-25")
ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
BROKEN_ZIP = bad_value("Could not unzip uploaded file. Please check your file, then try to upload again.")
API = "https://docs.aws.amazon.com/lambda/latest/api/"


def create(aws, code=None, **configuration):
    """CreateFunction with a configuration that is right but for what is given; None leaves a member out."""
    name = aws.name("function")
    parameters = {
        "FunctionName": name,
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": aws.role,
        "Code": {"ZipFile": zipped({"app.py": "def handler(event, context): pass"})} if code is None else code,
        **configuration,
    }
    aws.finally_("lambda", "delete_function", FunctionName=name)
    return aws.lambda_("create_function", **{key: value for key, value in parameters.items() if value is not None})


@scenario(AREA, "a new function is pending", LIFE, {**configuration(CREATING), "status": 201})
def new_function(aws):
    return create(aws)


@scenario(
    AREA,
    "variables, memory and timeout of a new function",
    LIFE,
    {
        **configuration(
            CREATING, MemorySize=256, Timeout=5, Environment={"Variables": {"OWN": "1"}}, Description="of mine"
        ),
        "status": 201,
    },
)
def settings_of_a_new_function(aws):
    return create(aws, MemorySize=256, Timeout=5, Environment={"Variables": {"OWN": "1"}}, Description="of mine")


@scenario(AREA, "no variables are an empty Environment", LIFE, {"Variables": {}})
def no_variables(aws):
    return create(aws, Environment={"Variables": {}})["Environment"]


@scenario(AREA, "an active function", LIFE, {"Configuration": configuration(ACTIVE), "Code": CODE, "status": 200})
def active_function(aws):
    return aws.lambda_("get_function", FunctionName=aws.function())


@scenario(
    AREA, "GetFunctionConfiguration is GetFunction's Configuration", LIFE, {**configuration(ACTIVE), "status": 200}
)
def configuration_alone(aws):
    return aws.lambda_("get_function_configuration", FunctionName=aws.function())


@scenario(
    AREA,
    "its tags come with GetFunction",
    recorded("TestLambdaTag::test_create_tag_on_fn_create", "2025-11-25"),
    {"get": {"team": "blue"}, "list": {"Tags": {"team": "blue"}, "status": 200}},
)
def tags_of_a_new_function(aws):
    name = aws.function(Tags={"team": "blue"})
    found = aws.lambda_("get_function", FunctionName=name)
    listed_tags = aws.lambda_("list_tags", Resource=found["Configuration"]["FunctionArn"])
    return {"get": found.get("Tags"), "list": listed_tags}


@scenario(
    AREA,
    "a change of the configuration is in progress, then successful",
    LIFE,
    {
        "answer": {**configuration(UPDATING, Description="changed", MemorySize=512, Timeout=10), "status": 200},
        "then": configuration(ACTIVE, Description="changed", MemorySize=512, Timeout=10, RevisionId="<id:2>"),
    },
)
def change_of_the_configuration(aws):
    name = aws.function()
    answer = aws.lambda_(
        "update_function_configuration", FunctionName=name, Description="changed", MemorySize=512, Timeout=10
    )
    aws.active(name)
    return {"answer": answer, "then": aws.lambda_("get_function", FunctionName=name)["Configuration"]}


@scenario(
    AREA,
    "a change of the code is in progress, then successful",
    LIFE,
    {"answer": {**configuration(UPDATING), "status": 200}, "then": configuration(ACTIVE, RevisionId="<id:2>")},
)
def change_of_the_code(aws):
    name = aws.function()
    answer = aws.lambda_("update_function_code", FunctionName=name, ZipFile=zipped({"app.py": "handler = print"}))
    aws.active(name)
    return {"answer": answer, "then": aws.lambda_("get_function", FunctionName=name)["Configuration"]}


@scenario(
    AREA,
    "an update that changes nothing",
    recorded("TestLambdaFunction::test_redundant_updates", "2025-11-25"),
    {"first": UPDATING, "again": UPDATING, "revisions": 4},
)
def update_that_changes_nothing(aws):
    name, revisions = aws.function(), []

    def update():
        answer = aws.lambda_("update_function_configuration", FunctionName=name, Description="the same")
        aws.active(name)
        revisions.extend(
            [answer["RevisionId"], aws.lambda_("get_function", FunctionName=name)["Configuration"]["RevisionId"]]
        )
        return {member: answer.get(member) for member in UPDATING}

    return {"first": update(), "again": update(), "revisions": len(set(revisions))}


@scenario(
    AREA,
    "an update while another one is in progress: code",
    recorded("TestLambdaFunction::test_lambda_concurrent_code_updates", "2025-11-25"),
    conflict(f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"),
)
def two_updates_of_the_code(aws):
    name = aws.function()
    code = zipped({"app.py": "handler = print"})
    return meanwhile(aws, name, lambda: aws.lambda_("update_function_code", FunctionName=name, ZipFile=code))


@scenario(
    AREA,
    "an update while another one is in progress: configuration",
    recorded("TestLambdaFunction::test_lambda_concurrent_config_updates", "2025-11-25"),
    conflict(f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"),
)
def two_updates_of_the_configuration(aws):
    name = aws.function()
    return meanwhile(aws, name, lambda: aws.lambda_("update_function_configuration", FunctionName=name, Timeout=4))


def meanwhile(aws, name, update):
    """The answer to the second of two updates in a row, of which the first one is not done yet, at the tenth try at last."""
    for _ in range(10):
        update()
        answer = update()
        if "refused" in answer:
            return answer
        aws.active(name)
    return answer


@scenario(
    AREA,
    "deleting",
    LIFE,
    {"first": {"StatusCode": 204, "status": 204}, "again": not_found(f"Function not found: {ARN}")},
)
def deleting(aws):
    name = aws.function()
    return {number: aws.lambda_("delete_function", FunctionName=name) for number in ("first", "again")}


@scenario(
    AREA,
    "$LATEST cannot be deleted",
    recorded("TestLambdaFunction::test_ops_with_arn_qualifier_mismatch[delete_function]", "2025-11-25"),
    {"answer": bad_value("$LATEST version cannot be deleted without deleting the function."), "still there": 200},
)
def deleting_latest(aws):
    name = aws.function()
    answer = aws.lambda_("delete_function", FunctionName=name, Qualifier="$LATEST")
    return {"answer": answer, "still there": aws.lambda_("get_function", FunctionName=name)["status"]}


@scenario(
    AREA,
    "a name that is taken",
    documented(API + "API_CreateFunction.html"),
    conflict("Function already exist: <function>"),
)
def name_that_is_taken(aws):
    name = aws.function()
    return aws.lambda_(
        "create_function",
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=aws.role,
        Code={"ZipFile": zipped({"app.py": ""})},
    )


@scenario(
    AREA,
    "a function is made anew",
    recorded("TestLambdaCleanup::test_recreate_function", "2025-11-24"),
    [{"one": 1}, {"two": 2}],
)
def made_anew(aws):
    name = aws.name("function")
    answers = []
    for code in ("def handler(e, c): return {'one': 1}", "def handler(e, c): return {'two': 2}"):
        aws.create(name, code)
        aws.active(name)
        answers.append(aws.invoke(name)["Payload"])
        aws.lambda_("delete_function", FunctionName=name)
    return answers


# what is refused


@scenario(AREA, "a role that is no ARN", WRONG, pattern("r1", "role", ROLE))
def role_that_is_no_arn(aws):
    return create(aws, Role="r1")


@scenario(AREA, "a zip that is none", WRONG, BROKEN_ZIP)
def zip_that_is_none(aws):
    return create(aws, {"ZipFile": b"this is no zip"})


@scenario(
    AREA,
    "two architectures",
    WRONG,
    invalid(failed("[x86_64, arm64]", "architectures", "have length less than or equal to 1")),
)
def two_architectures(aws):
    return create(aws, Architectures=["x86_64", "arm64"])


@scenario(
    AREA,
    "X86_64",
    WRONG,
    invalid(
        failed(
            "[X86_64]",
            "architectures",
            "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        )
    ),
)
def architecture_in_capitals(aws):
    return create(aws, Architectures=["X86_64"])


RUNTIMES = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, "
    "java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, "
    "nodejs18.x, provided.al2, java8.al2"
)
RUNTIMES_HERE = "It names the runtimes of today's model, which are more than on the day of the recording."
NO_RUNTIME = (
    "Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    + RUNTIMES
    + "] or be a valid ARN"
)
for runtime in ("non-existent-runtime", "PYTHON3.9"):

    @scenario(AREA, f"create, runtime {runtime}", WRONG, bad_value(NO_RUNTIME.format(runtime)), RUNTIMES_HERE)
    def unknown_runtime(aws, runtime=runtime):
        return create(aws, Runtime=runtime)

    @scenario(AREA, f"update, runtime {runtime}", WRONG_UPDATE, bad_value(NO_RUNTIME.format(runtime)), RUNTIMES_HERE)
    def update_to_unknown_runtime(aws, runtime=runtime):
        return aws.lambda_("update_function_configuration", FunctionName=aws.function(), Runtime=runtime)


@scenario(AREA, "update, a role that is no ARN", WRONG_UPDATE, pattern("r1", "role", ROLE))
def update_to_role_that_is_no_arn(aws):
    return aws.lambda_("update_function_configuration", FunctionName=aws.function(), Role="r1")


for runtime in ("java8", "nodejs14.x", "provided", "python3.7", "ruby2.7"):

    @scenario(
        AREA,
        f"{runtime} is not supported any more",
        recorded(
            f"TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled[{runtime}]",
            "2026-01-12",
        ),
        bad_value(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        ),
    )
    def runtime_of_old(aws, runtime=runtime):
        return create(aws, Runtime=runtime)


for what, variables in (
    ("one variable", {"LARGE": "x" * 4096}),
    ("several variables", {"SMALL": "ok", "LARGE": "x" * 4080}),
):
    measured = "{" + ",".join(f'"{name}":"{value}"' for name, value in variables.items()) + "}"
    case = (
        "test_large_environment_variables_fails"
        if len(variables) == 1
        else "test_large_environment_fails_multiple_keys"
    )

    @scenario(
        AREA,
        f"{what} of over 4 KB",
        recorded(f"TestLambdaSizeLimits::{case}", "2025-11-25"),
        bad_value(
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            f"exceeded the 4KB limit. String measured: {measured}"
        ),
    )
    def too_many_variables(aws, variables=variables):
        return create(aws, Environment={"Variables": variables})


@scenario(
    AREA,
    "EphemeralStorage of 100 MB",
    documented(API + "API_EphemeralStorage.html"),
    invalid(failed("100", "ephemeralStorage.size", "have value greater than or equal to 512")),
)
def small_storage(aws):
    return create(aws, EphemeralStorage={"Size": 100})


@scenario(
    AREA,
    "a package from S3",
    recorded("TestLambdaFunction::test_lambda_code_location_s3", "2025-11-25"),
    {"create": {**configuration(CREATING), "status": 201}, "code": CODE, "answer": {"from": "S3"}},
)
def package_from_s3(aws):
    bucket, name = aws.bucket(), aws.name("function")
    package = zipped({"app.py": "def handler(e, c): return {'from': 'S3'}"})
    aws.client("s3").put_object(Bucket=bucket, Key="app.zip", Body=package)
    answer = aws.lambda_(
        "create_function",
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=aws.role,
        Code={"S3Bucket": bucket, "S3Key": "app.zip"},
    )
    aws.finally_("lambda", "delete_function", FunctionName=name)
    aws.active(name)
    code = aws.lambda_("get_function", FunctionName=name)["Code"]
    return {"create": answer, "code": code, "answer": aws.invoke(name)["Payload"]}


@scenario(
    AREA,
    "GetFunction's Location has the package",
    recorded("TestLambdaFunction::test_lambda_code_location_zipfile", "2025-11-25"),
    {"status": 200, "the package": True},
)
def location_has_the_package(aws):
    name = aws.function()
    location = aws.lambda_("get_function", FunctionName=name)["Code"]["Location"]
    answer = aws.http(location)
    return {"status": answer["status"], "the package": answer["body"].startswith("PK")}


@scenario(
    AREA,
    "a package of over 10 MB",
    recorded("TestLambdaSizeLimits::test_large_lambda", "2025-11-25"),
    {**configuration(CREATING, Timeout=10), "status": 201},
)
def large_package(aws):
    import os

    return create(aws, {"ZipFile": zipped({"app.py": "", "data": os.urandom(11_000_000)})}, Timeout=10)


# revisions


@scenario(AREA, "each change is a revision", REVISIONS, ["<id:1>", "<id:2>", "<id:3>", "<id:4>", "<id:5>", "<id:6>"])
def each_change_is_a_revision(aws):
    revisions = [create(aws)["RevisionId"]]
    name = next(name for name, kind in aws.names.items() if kind == "<function>")

    def settled():
        aws.active(name)
        return aws.lambda_("get_function", FunctionName=name)["Configuration"]["RevisionId"]

    revisions.append(settled())
    code = zipped({"app.py": "handler = print"})
    revisions.append(aws.lambda_("update_function_code", FunctionName=name, ZipFile=code)["RevisionId"])
    revisions.append(settled())
    revisions.append(aws.lambda_("update_function_configuration", FunctionName=name, Timeout=4)["RevisionId"])
    return [*revisions, settled()]


@scenario(AREA, "an update of a revision that has passed", REVISIONS, [changed_meanwhile(), changed_meanwhile()])
def update_of_a_past_revision(aws):
    name, old = aws.function(), "11111111-2222-4333-8444-555555555555"
    code = zipped({"app.py": "handler = print"})
    return [
        aws.lambda_("update_function_code", FunctionName=name, ZipFile=code, RevisionId=old),
        aws.lambda_("update_function_configuration", FunctionName=name, Timeout=4, RevisionId=old),
    ]


@scenario(AREA, "an update of the revision that was read", REVISIONS, 200)
def update_of_the_revision_that_was_read(aws):
    name = aws.function()
    revision = aws.lambda_("get_function", FunctionName=name)["Configuration"]["RevisionId"]
    return aws.lambda_("update_function_configuration", FunctionName=name, Timeout=4, RevisionId=revision)["status"]


# lists

LISTS = recorded("TestLambdaFunction::test_list_functions", "2025-11-25")


def own(aws, answer):
    return [each for each in answer["Functions"] if each["FunctionName"] in aws.names]


def pages(aws, **parameters):
    """All functions of all pages that are of this scenario."""
    found, marker = [], {}
    while True:
        answer = aws.lambda_("list_functions", **parameters, **marker)
        found += own(aws, answer)
        if not answer.get("NextMarker"):
            return found
        marker = {"Marker": answer["NextMarker"]}


@scenario(AREA, "a list has no states", LISTS, [listed()])
def list_of_functions(aws):
    aws.function()
    return pages(aws)


@scenario(
    AREA,
    "a list of all versions",
    LISTS,
    [listed(FunctionArn=f"{ARN}:$LATEST"), listed(FunctionArn=f"{ARN}:1", Version="1", RevisionId="<id:2>")],
)
def list_of_all_versions(aws):
    aws.publish(aws.function())
    return pages(aws, FunctionVersion="ALL")


@scenario(AREA, "a list of versions that there are not", LISTS, enum("invalid", "functionVersion", "ALL"))
def list_of_unknown_versions(aws):
    return aws.lambda_("list_functions", FunctionVersion="invalid")


@scenario(
    AREA,
    "pages of one function each",
    documented(API + "API_ListFunctions.html"),
    {"first": 1, "more": True, "own": ["<function>", "<function:2>"]},
)
def pages_of_functions(aws):
    aws.function(), aws.function()
    first = aws.lambda_("list_functions", MaxItems=1)
    names = sorted(each["FunctionName"] for each in pages(aws, MaxItems=1))
    return {"first": len(first["Functions"]), "more": "NextMarker" in first, "own": names}


# logging

LOGGING = "TestLoggingConfig::test_function_partial_advanced_logging_configuration_update"
GROUP = "/aws/lambda/<function>"
for number, (given, gives) in enumerate(
    (
        (
            {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"},
            {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO", "LogGroup": GROUP},
        ),
        (
            {"LogFormat": "JSON", "SystemLogLevel": "DEBUG"},
            {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG", "LogGroup": GROUP},
        ),
        ({"LogGroup": "another-group"}, {"LogFormat": "Text", "LogGroup": "another-group"}),
    ),
    1,
):

    @scenario(
        AREA,
        f"a logging configuration of {', '.join(given)} ({number})",
        recorded(f"{LOGGING}[partial_config{number}]", "2025-11-25"),
        {"answer": {**configuration(UPDATING, LoggingConfig=gives), "status": 200}, "then": gives},
    )
    def part_of_a_logging_configuration(aws, given=given):
        name = aws.function()
        answer = aws.lambda_("update_function_configuration", FunctionName=name, LoggingConfig=given)
        aws.active(name)
        return {"answer": answer, "then": aws.lambda_("get_function_configuration", FunctionName=name)["LoggingConfig"]}


# SnapStart


@scenario(
    AREA,
    "SnapStart with a value that there is not",
    recorded("TestLambdaSnapStart::test_snapstart_exceptions", "2025-11-25"),
    enum("invalidOption", "snapStart.applyOn", "PublishedVersions", "None"),
)
def unknown_snapstart(aws):
    return create(aws, SnapStart={"ApplyOn": "invalidOption"})


@scenario(
    AREA,
    "SnapStart is set by an update",
    recorded("TestLambdaSnapStart::test_snapstart_update_function_configuration[python3.13]", "2026-01-12"),
    {**configuration(UPDATING, SnapStart={"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}), "status": 200},
)
def snapstart_by_an_update(aws):
    return aws.lambda_(
        "update_function_configuration", FunctionName=aws.function(), SnapStart={"ApplyOn": "PublishedVersions"}
    )


for runtime, date in (("java11", "2026-01-12"), ("java21", "2026-01-12"), ("java25", "2026-01-12")):

    @scenario(
        AREA,
        f"SnapStart of {runtime}",
        recorded(f"TestLambdaSnapStart::test_snapstart_update_function_configuration[{runtime}]", date),
        {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"},
        refused="SnapStart is there for functions in Python; Java functions are refused it.",
    )
    def snapstart_of_java(aws, runtime=runtime):
        name = aws.name("function")
        aws.create(name, {"a.class": ""}, Runtime=runtime, Handler="a::b", SnapStart={"ApplyOn": "PublishedVersions"})
        aws.finally_("lambda", "delete_function", FunctionName=name)
        return aws.lambda_("get_function_configuration", FunctionName=name)["SnapStart"]


# account


@scenario(
    AREA,
    "the account's settings",
    recorded("TestLambdaAccountSettings::test_account_settings", "2025-11-25"),
    {
        "AccountLimit": [
            "CodeSizeUnzipped",
            "CodeSizeZipped",
            "ConcurrentExecutions",
            "TotalCodeSize",
            "UnreservedConcurrentExecutions",
        ],
        "AccountUsage": ["FunctionCount", "TotalCodeSize"],
        "status": 200,
    },
)
def account_settings(aws):
    answer = aws.lambda_("get_account_settings")
    return {key: sorted(value) if isinstance(value, dict) else value for key, value in answer.items()}


@scenario(
    AREA,
    "recursive loops are ended unless they are allowed",
    recorded("TestLambdaRecursion::test_put_function_recursion_config_default_terminate and _allow", "2025-11-25"),
    [
        {"RecursiveLoop": "Terminate", "status": 200},
        {"RecursiveLoop": "Allow", "status": 200},
        {"RecursiveLoop": "Allow", "status": 200},
    ],
)
def recursive_loops(aws):
    name = aws.function()
    return [
        aws.lambda_("get_function_recursion_config", FunctionName=name),
        aws.lambda_("put_function_recursion_config", FunctionName=name, RecursiveLoop="Allow"),
        aws.lambda_("get_function_recursion_config", FunctionName=name),
    ]
