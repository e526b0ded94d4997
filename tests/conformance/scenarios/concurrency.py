"""Reserved and provisioned concurrency, and what is throttled."""

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, conflict, failed, invalid, not_found, refused

AREA = "Concurrency"
THROTTLED = refused(
    "TooManyRequestsException", "Rate Exceeded.", 429, Reason="ReservedFunctionConcurrentInvocationLimitExceeded"
)
RESERVED = recorded("TestLambdaReservedConcurrency::test_function_concurrency_exceptions", "2025-11-25")
LIMITS = recorded("TestLambdaReservedConcurrency::test_function_concurrency_limits", "2025-11-25")
DOCUMENTED = documented("https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html")
LIFE = recorded("TestLambdaProvisionedConcurrency::test_lambda_provisioned_lifecycle", "2025-11-25")
WRONG = recorded("TestLambdaProvisionedConcurrency::test_provisioned_concurrency_exceptions", "2025-11-25")
OVERLAP = recorded("TestLambdaConcurrency::test_reserved_provisioned_overlap", "2025-11-24")
TOO_MANY = bad_value(
    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
)


def reserve(aws, function, number):
    return aws.lambda_("put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=number)


@scenario(
    AREA,
    "reserving, reading, giving back",
    DOCUMENTED,
    [
        {"ReservedConcurrentExecutions": 2, "status": 200},
        {"ReservedConcurrentExecutions": 2, "status": 200},
        {"status": 204},
        {"status": 200},
    ],
)
def reserving(aws):
    name = aws.function()
    return [
        reserve(aws, name, 2),
        aws.lambda_("get_function_concurrency", FunctionName=name),
        aws.lambda_("delete_function_concurrency", FunctionName=name),
        aws.lambda_("get_function_concurrency", FunctionName=name),
    ]


@scenario(AREA, "GetFunction tells what is reserved", DOCUMENTED, {"ReservedConcurrentExecutions": 2})
def get_function_tells(aws):
    name = aws.function()
    reserve(aws, name, 2)
    return aws.lambda_("get_function", FunctionName=name).get("Concurrency")


@scenario(AREA, "reserving for no function", RESERVED, not_found(f"Function not found: {ARN}:$LATEST"))
def reserving_for_none(aws):
    return reserve(aws, aws.name("function"), 1)


@scenario(
    AREA,
    "reserving for a version",
    RESERVED,
    bad_value(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    ),
)
def reserving_for_a_version(aws):
    return reserve(aws, f"{aws.function()}:$LATEST", 1)


@scenario(
    AREA,
    "reserving more than there is",
    LIMITS,
    {
        "refused": "InvalidParameterValueException",
        "says": "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [<minimum>].",
        "status": 400,
    },
)
def reserving_too_much(aws):
    answer = reserve(aws, aws.function(), 1_000_000)
    before, bracket, after = answer.get("says", "").partition("[")
    number, end, rest = after.partition("]")
    return {**answer, "says": before + bracket + ("<minimum>" if number.isdigit() else number) + end + rest}


@scenario(
    AREA,
    "nothing reserved is no invocation",
    recorded("TestLambdaConcurrency::test_reserved_concurrency", "2025-11-25"),
    [{"ReservedConcurrentExecutions": 0, "status": 200}, THROTTLED],
)
def nothing_reserved(aws):
    name = aws.function()
    return [reserve(aws, name, 0), aws.invoke(name)]


@scenario(
    AREA,
    "an event for a function that has nothing reserved",
    recorded("TestLambdaConcurrency::test_reserved_concurrency", "2025-11-25"),
    {
        "version": "1.0",
        "timestamp": "<date>",
        "requestContext": {
            "requestId": "<id:1>",
            "functionArn": f"{ARN}:$LATEST",
            "condition": "ZeroReservedConcurrency",
            "approximateInvokeCount": 0,
        },
        "requestPayload": {},
    },
)
def event_for_nothing(aws):
    url, arn = aws.queue()
    name = aws.function()
    destination = {"DestinationConfig": {"OnFailure": {"Destination": arn}}}
    aws.lambda_("put_function_event_invoke_config", FunctionName=name, MaximumRetryAttempts=0, **destination)
    reserve(aws, name, 0)
    aws.invoke(name, InvocationType="Event")
    return aws.messages(url)[0]["Body"]


# provisioned


def provision(aws, function, qualifier, number=1):
    return aws.lambda_(
        "put_provisioned_concurrency_config",
        FunctionName=function,
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=number,
    )


def provisioned(aws, function, qualifier):
    return aws.lambda_("get_provisioned_concurrency_config", FunctionName=function, Qualifier=qualifier)


def deprovision(aws, function, qualifier):
    return aws.lambda_("delete_provisioned_concurrency_config", FunctionName=function, Qualifier=qualifier)


def ready(aws, function, qualifier):
    return aws.eventually(lambda: (a := provisioned(aws, function, qualifier)).get("Status") != "IN_PROGRESS" and a)


def state(status, requested, available, http=200, **more):
    return {
        "RequestedProvisionedConcurrentExecutions": requested,
        "AvailableProvisionedConcurrentExecutions": available,
        "AllocatedProvisionedConcurrentExecutions": available,
        "Status": status,
        "LastModified": "<date>",
        "status": http,
        **more,
    }


NONE = refused(
    "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function", 404
)


def with_version(aws, code="def handler(event, context):\n    return event\n"):
    name = aws.function(code)
    aws.publish(name)
    return name


def with_alias(aws):
    name = with_version(aws)
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion="1")
    return name


for what, qualifier, case in (
    ("a version", "1", "test_provisioned_concurrency"),
    ("an alias", "live", "test_provisioned_concurrency_on_alias"),
):

    @scenario(
        AREA,
        f"providing for {what}",
        recorded(f"TestLambdaConcurrency::{case}", "2025-11-24"),
        [state("IN_PROGRESS", 2, 0, 202), state("READY", 2, 2)],
    )
    def providing(aws, qualifier=qualifier):
        name = with_alias(aws)
        return [provision(aws, name, qualifier, 2), ready(aws, name, qualifier)]


@scenario(
    AREA,
    "what is provided is there",
    recorded("TestLambdaConcurrency::test_provisioned_concurrency", "2025-11-24"),
    "provisioned-concurrency",
)
def what_is_provided(aws):
    name = with_version(
        aws, "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    )
    provision(aws, name, "1")
    ready(aws, name, "1")
    return aws.invoke(name, Qualifier="1")["Payload"]


@scenario(
    AREA,
    "providing for a function whose init fails",
    recorded("TestLambdaConcurrency::test_provisioned_concurrency_init_failure", "2026-02-17"),
    [state("IN_PROGRESS", 1, 0, 202), state("FAILED", 1, 0, StatusReason="FUNCTION_ERROR_INIT_FAILURE")],
)
def init_that_fails(aws):
    name = with_version(aws, "raise ValueError('never')")
    return [provision(aws, name, "1"), ready(aws, name, "1")]


@scenario(
    AREA,
    "an alias on a version that has its own",
    LIFE,
    conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"),
)
def alias_on_a_version(aws):
    name = with_alias(aws)
    provision(aws, name, "1")
    return provision(aws, name, "live")


@scenario(
    AREA,
    "a version of an alias that has its own",
    LIFE,
    conflict("Version is pointed by a Provisioned Concurrency alias"),
)
def version_of_an_alias(aws):
    name = with_alias(aws)
    provision(aws, name, "live")
    return provision(aws, name, "1")


@scenario(AREA, "taking it back", LIFE, [{"status": 204}, NONE, {"ProvisionedConcurrencyConfigs": [], "status": 200}])
def taking_it_back(aws):
    name = with_alias(aws)
    provision(aws, name, "1")
    return [
        deprovision(aws, name, "1"),
        provisioned(aws, name, "1"),
        aws.lambda_("list_provisioned_concurrency_configs", FunctionName=name),
    ]


@scenario(AREA, "it goes with its alias", LIFE, not_found(f"Cannot find alias arn: {ARN}:live"))
def with_its_alias(aws):
    name = with_alias(aws)
    provision(aws, name, "live")
    aws.lambda_("delete_alias", FunctionName=name, Name="live")
    return provisioned(aws, name, "live")


@scenario(AREA, "the list of what is provided", LIFE, [f"{ARN}:live"])
def list_of_what_is_provided(aws):
    name = with_alias(aws)
    provision(aws, name, "live")
    found = aws.lambda_("list_provisioned_concurrency_configs", FunctionName=name)
    return [each["FunctionArn"] for each in found["ProvisionedConcurrencyConfigs"]]


@scenario(AREA, "taking back what there is not", WRONG, {"status": 204})
def taking_back_nothing(aws):
    return deprovision(aws, with_version(aws), "1")


NOBODY = "arn:aws:lambda:<region>:<account>:function:nobody"
NOT_LATEST = bad_value("The function resource provided must be an alias or a published version.")
for what, operation, name, qualifier, gives in (
    ("get", provisioned, "{name}", "1", NONE),
    ("get, $LATEST", provisioned, "{name}", "$LATEST", NOT_LATEST),
    ("get, an alias that is not there", provisioned, "{name}", "no", not_found(f"Cannot find alias arn: {ARN}:no")),
    ("get, a version that is not there", provisioned, "{name}", "10", not_found(f"Function not found: {ARN}:10")),
    ("get, no function", provisioned, "nobody", "no", not_found(f"Cannot find alias arn: {NOBODY}:no")),
    ("delete, $LATEST", deprovision, "{name}", "$LATEST", NOT_LATEST),
    ("delete, an alias that is not there", deprovision, "{name}", "no", not_found(f"Cannot find alias arn: {ARN}:no")),
    ("delete, a version that is not there", deprovision, "{name}", "10", not_found(f"Function not found: {ARN}:10")),
    ("delete, no function", deprovision, "nobody", "1", not_found(f"Function not found: {NOBODY}:1")),
    (
        "put, $LATEST",
        provision,
        "{name}",
        "$LATEST",
        bad_value("Provisioned Concurrency Configs cannot be applied to unpublished function versions."),
    ),
    ("put, an alias that is not there", provision, "{name}", "no", not_found(f"Cannot find alias arn: {ARN}:no")),
    ("put, a version that is not there", provision, "{name}", "10", not_found(f"Function not found: {ARN}:10")),
    ("put, no function's alias", provision, "nobody", "no", not_found(f"Cannot find alias arn: {NOBODY}:no")),
    ("put, no function's version", provision, "nobody", "1", not_found(f"Function not found: {NOBODY}:1")),
):

    @scenario(AREA, f"nothing provided: {what}", WRONG, gives)
    def nothing_provided(aws, operation=operation, name=name, qualifier=qualifier):
        return operation(aws, name.format(name=with_version(aws)), qualifier)


@scenario(
    AREA,
    "providing none",
    WRONG,
    invalid(failed("0", "provisionedConcurrentExecutions", "have value greater than or equal to 1")),
)
def providing_none(aws):
    return provision(aws, with_version(aws), "1", 0)


@scenario(
    AREA,
    "the list for no function, and an empty one",
    WRONG,
    [not_found(f"Function not found: {NOBODY}"), {"ProvisionedConcurrencyConfigs": [], "status": 200}],
)
def lists(aws):
    names = "nobody", with_version(aws)
    return [aws.lambda_("list_provisioned_concurrency_configs", FunctionName=name) for name in names]


@scenario(AREA, "providing more than is reserved", OVERLAP, TOO_MANY)
def more_than_is_reserved(aws):
    name = with_version(aws)
    reserve(aws, name, 1)
    return provision(aws, name, "1", 2)


@scenario(
    AREA,
    "reserving less than is provided",
    OVERLAP,
    {
        "refused": "InvalidParameterValueException",
        "says": " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
        "status": 400,
    },
)
def less_than_is_provided(aws):
    name = with_version(aws)
    provision(aws, name, "1", 2)
    ready(aws, name, "1")
    return reserve(aws, name, 1)


@scenario(AREA, "all that is reserved is provided: nothing is left for $LATEST", OVERLAP, THROTTLED)
def nothing_left(aws):
    name = with_version(aws)
    provision(aws, name, "1")
    ready(aws, name, "1")
    reserve(aws, name, 1)
    return aws.invoke(name)


@scenario(
    AREA,
    "its version runs on where $LATEST is throttled",
    recorded("TestLambdaConcurrency::test_lambda_concurrency_block", "2025-11-24"),
    [THROTTLED, {"ExecutedVersion": "1", "StatusCode": 200, "status": 200, "Payload": {"hello": "world"}}],
)
def version_runs_on(aws):
    name = with_version(aws)
    provision(aws, name, "1")
    ready(aws, name, "1")
    reserve(aws, name, 1)
    return [aws.invoke(name), aws.invoke(name, {"hello": "world"}, Qualifier="1")]
