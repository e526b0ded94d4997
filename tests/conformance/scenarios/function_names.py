"""How Lambda's operations take the name of a function: as a name, a partial ARN, a full ARN, with a qualifier or without."""

from helpers.conformance import recorded, scenario
from helpers.conformance.expected import bad_value, failed, invalid, not_found, pattern

AREA = "Names of functions"
FULL = "arn:aws:lambda:<region>:<account>:function:"
ELSEWHERE = "arn:aws:lambda:invalid-region:<account>:function:my-function"
# The model's pattern of a name that is created, and of one that is asked for.
ARN_OF = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
)
NEW = ARN_OF + r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
KNOWN = ARN_OF + r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
QUALIFIER = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
MISMATCH = bad_value("The derived qualifier from the function name does not match the specified qualifier.")

CREATE, GET, INVOKE, DELETE = "create_function", "get_function", "invoke", "delete_function"
AGAINST_PATTERN = {
    "full_arn_with_multiple_qualifiers": (FULL + "my-function:1:2", (CREATE, DELETE, GET, INVOKE)),
    "function_name_is_single_invalid": ("*", (DELETE, GET, INVOKE)),
    "invalid_account_id_in_partial_arn": ("invalid-account:function:my-function", (CREATE, DELETE, GET)),
    "invalid_characters_in_function_name": ("my-function!", (CREATE, DELETE, INVOKE)),
    "invalid_region_in_arn": (ELSEWHERE, (CREATE, INVOKE)),
    "latest_version_with_additional_qualifier": (FULL + "my-function:$LATEST:1", (CREATE,)),
    "lowercase_latest_qualifier": (FULL + "my-function:$latest", (CREATE,)),
    "missing_account_id_in_arn": ("arn:aws:lambda:<region>::function:my-function", (CREATE, DELETE, GET, INVOKE)),
    "missing_region_in_arn": ("arn:aws:lambda::<account>:function:my-function", (CREATE, DELETE)),
    "misspelled_latest_in_arn": (FULL + "my-function:$LATES", (CREATE, DELETE, GET, INVOKE)),
    "non_lambda_arn": ("arn:aws:ec2:<region>:<account>:instance:i-1234567890abcdef0", (CREATE, DELETE, GET, INVOKE)),
    "partial_arn_with_extra_qualifier": ("function:my-function:$LATEST:extra", (CREATE, GET, INVOKE)),
    "function_name_too_long_and_invalid_region": (ELSEWHERE + "a" * 170, (DELETE, GET, INVOKE)),
}


def source(case: str, operation: str, date: str = "2025-11-25"):
    return recorded(f"test_function_name_and_qualifier_validation[{case}-{operation}]", date)


def call(aws, operation, name, qualifier=None):
    name = name.replace("<region>", aws.account.region).replace("<account>", aws.account.number)
    if operation == CREATE:
        code = {"Runtime": "python3.13", "Handler": "app.handler", "Role": aws.role, "Code": {"ZipFile": b"no zip"}}
        return aws.lambda_(operation, FunctionName=name, **code)
    return aws.lambda_(operation, FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))


def declare(case, operation, gives, name, qualifier=None, date="2025-11-25"):
    scenario(AREA, f"{operation}, {case.replace('_', ' ')}", source(case, operation, date), gives)(
        lambda aws: call(aws, operation, name, qualifier)
    )


for case, (name, operations) in AGAINST_PATTERN.items():
    for operation in operations:
        declare(case, operation, pattern(name, "functionName", NEW if operation == CREATE else KNOWN), name)

LONG = ELSEWHERE + "a" * 170
declare(
    "function_name_too_long_and_invalid_region",
    CREATE,
    invalid(
        failed(LONG, "functionName", "have length less than or equal to 140"),
        failed(LONG, "functionName", f"satisfy regular expression pattern: {NEW}"),
    ),
    LONG,
)
declare(
    "full_arn_and_qualifier_too_long_and_invalid_region",
    GET,
    invalid(
        failed("a" * 129, "qualifier", "have length less than or equal to 128"),
        failed(LONG, "functionName", f"satisfy regular expression pattern: {KNOWN}"),
    ),
    LONG,
    "a" * 129,
)
SHORT = "my-function:" + "a" * 129
declare(
    "qualifier_too_long", CREATE, invalid(failed(SHORT, "functionName", "have length less than or equal to 140")), SHORT
)
TOO_LONG = invalid(failed("a" * 129, "qualifier", "have length less than or equal to 128"))
declare("qualifier_too_long", GET, TOO_LONG, "my-function", "a" * 129)
declare("qualifier_too_long", INVOKE, TOO_LONG, "my-function", "a" * 129)
declare("qualifier_too_long0", DELETE, TOO_LONG, "my-function", "a" * 129, "2024-08-22")
NO_ALIAS = bad_value("Deletion of aliases is not currently supported.")
declare("qualifier_too_long1", DELETE, NO_ALIAS, "my-function", "a" * 65, "2024-08-22")
MISSING = not_found(f"Function not found: {FULL}my-function:{'a' * 65}")
declare("qualifier_too_long1", GET, MISSING, "my-function", "a" * 65, "2024-08-22")
declare("qualifier_too_long1", INVOKE, MISSING, "my-function", "a" * 65, "2024-08-22")
for operation in (GET, DELETE):
    missing = f"Function not found: {FULL}"
    declare("function_name_too_long", operation, not_found(missing + "a" * 65), "a" * 65)
    declare("incomplete_arn", operation, not_found(missing + "function"), FULL.rstrip(":"))
    declare("latest_version_with_additional_qualifier", operation, MISMATCH, FULL + "my-function:$LATEST", "1")
for operation in (GET, INVOKE):
    declare(
        "invalid_characters_in_qualifier",
        operation,
        pattern("invalid!", "qualifier", QUALIFIER),
        "my-function",
        "invalid!",
    )
    declare(
        "lowercase_latest_qualifier",
        operation,
        not_found(f"Function not found: {FULL}my-function:$latest"),
        FULL + "my-function",
        "$latest",
    )
declare(
    "lowercase_latest_qualifier",
    DELETE,
    not_found(f"Function not found: {FULL}my-function"),
    FULL + "my-function",
    "$latest",
)
declare_at = "arn:aws:lambda:<region>:123400000000@function:myfn"
scenario(
    AREA,
    "invoke, an ARN with an @",
    recorded("test_invalid_invoke", "2025-11-25"),
    pattern(declare_at, "functionName", KNOWN),
)(lambda aws: call(aws, INVOKE, declare_at))

for operation in ("get_function", "get_function_configuration"):
    gives = {"differ": MISMATCH, "agree": not_found(f"Function not found: {FULL}some-function:$LATEST")}

    @scenario(
        AREA,
        f"{operation}, two qualifiers",
        recorded(f"test_ops_with_arn_qualifier_mismatch[{operation}]", "2025-11-25"),
        gives,
    )
    def two_qualifiers(aws, operation=operation):
        name = FULL + "some-function:$LATEST"
        return {"differ": call(aws, operation, name, "1"), "agree": call(aws, operation, name, "$LATEST")}


@scenario(
    AREA,
    "delete_function, two qualifiers",
    recorded("test_ops_with_arn_qualifier_mismatch[delete_function]", "2025-11-25"),
    {"differ": MISMATCH, "agree": bad_value("$LATEST version cannot be deleted without deleting the function.")},
)
def delete_with_two_qualifiers(aws):
    name = FULL + "some-function:$LATEST"
    return {"differ": call(aws, DELETE, name, "1"), "agree": call(aws, DELETE, name, "$LATEST")}


for operation in (
    "delete_function",
    "get_function_code_signing_config",
    "get_function_configuration",
    "get_function_event_invoke_config",
    "get_function_url_config",
):

    @scenario(
        AREA,
        f"{operation} of another region",
        recorded(f"test_get_function_wrong_region[{operation}]", "2025-11-25"),
        not_found("Functions from 'us-west-2' are not reachable in this region ('<region>')"),
    )
    def another_region(aws, operation=operation):
        return call(aws, operation, "arn:aws:lambda:us-west-2:<account>:function:my-function")


NOWHERE = {
    "get_function": "Function not found: " + FULL + "<function>",
    "get_function_code_signing_config": "Function not found: " + FULL + "<function>",
    "get_function_concurrency": "Function not found: " + FULL + "<function>",
    "get_function_configuration": "Function not found: " + FULL + "<function>",
    "get_function_event_invoke_config": f"The function {FULL}<function>:$LATEST doesn't have an EventInvokeConfig",
    "get_function_url_config": "The resource you requested does not exist.",
}
for operation, says in NOWHERE.items():

    @scenario(
        AREA,
        f"{operation} of none",
        recorded(f"test_ops_on_nonexisting_fn[{operation}]", "2025-11-25"),
        not_found(says),
    )
    def of_none(aws, operation=operation):
        return aws.lambda_(operation, FunctionName=aws.name("function"))


@scenario(
    AREA,
    "a function by its full ARN",
    recorded("TestPartialARNMatching::test_update_function_configuration_full_arn", "2025-11-25"),
    [200, 200, 200],
)
def by_full_arn(aws):
    name = aws.function()
    arn = f"arn:aws:lambda:{aws.account.region}:{aws.account.number}:function:{name}"
    updated = aws.lambda_("update_function_configuration", FunctionName=arn, Description="by its ARN")
    return [
        updated["status"],
        *(aws.lambda_(GET, FunctionName=each)["status"] for each in (arn, f"{aws.account.number}:{name}")),
    ]
