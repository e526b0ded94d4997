"""PutFunctionEventInvokeConfig and its kin: retries, age and destinations of asynchronous invocations."""

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, not_found, pattern

AREA = "Event invoke configurations"
LIFE = recorded("TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle", "2025-11-25")
WRONG = recorded("TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_exceptions", "2025-11-25")
PAGES = documented("https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html")
NO_FUNCTION = not_found("The function doesn't exist.")
MISMATCH = bad_value("The derived qualifier from the function name does not match the specified qualifier.")
DESTINATION = (
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:"
    r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)


def config(qualifier="$LATEST", **more):
    return {
        "DestinationConfig": {"OnFailure": {}, "OnSuccess": {}},
        "FunctionArn": f"{ARN}:{qualifier}",
        "LastModified": "<date>",
        **more,
    }


def ok(qualifier="$LATEST", **more):
    return {**config(qualifier, **more), "status": 200}


def no_config(qualifier="$LATEST", arn=ARN):
    return not_found(f"The function {arn}:{qualifier} doesn't have an EventInvokeConfig")


def put(aws, function, **given):
    return aws.lambda_("put_function_event_invoke_config", FunctionName=function, **given)


def update(aws, function, **given):
    return aws.lambda_("update_function_event_invoke_config", FunctionName=function, **given)


def get(aws, function, **qualifier):
    return aws.lambda_("get_function_event_invoke_config", FunctionName=function, **qualifier)


def listed(aws, function, **more):
    return aws.lambda_("list_function_event_invoke_configs", FunctionName=function, **more)


def with_alias(aws):
    """A function with version 1 and alias `live`."""
    name = aws.function()
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion=aws.publish(name))
    return name


def arn_of(aws, name):
    return f"arn:aws:lambda:{aws.account.region}:{aws.account.number}:function:{name}"


@scenario(AREA, "retries alone", LIFE, ok(MaximumRetryAttempts=0))
def retries_alone(aws):
    return put(aws, aws.function(), MaximumRetryAttempts=0)


@scenario(AREA, "an age alone takes the place of retries", LIFE, ok(MaximumEventAgeInSeconds=60))
def age_takes_the_place(aws):
    name = aws.function()
    put(aws, name, MaximumRetryAttempts=0)
    return put(aws, name, MaximumEventAgeInSeconds=60)


@scenario(AREA, "an update adds to it", LIFE, ok(MaximumEventAgeInSeconds=60, MaximumRetryAttempts=1))
def update_adds(aws):
    name = aws.function()
    put(aws, name, MaximumEventAgeInSeconds=60)
    return update(aws, name, MaximumRetryAttempts=1)


@scenario(AREA, "an update without a change", LIFE, ok(MaximumEventAgeInSeconds=60))
def update_without_a_change(aws):
    name = aws.function()
    put(aws, name, MaximumEventAgeInSeconds=60)
    return update(aws, name, MaximumEventAgeInSeconds=60)


@scenario(AREA, "reading it, with $LATEST and without", LIFE, [ok(MaximumRetryAttempts=1)] * 2)
def reading(aws):
    name = aws.function()
    put(aws, name, MaximumRetryAttempts=1)
    return [get(aws, name), get(aws, name, Qualifier="$LATEST")]


@scenario(AREA, "a version has its own", LIFE, [no_config("1"), ok("1", MaximumEventAgeInSeconds=120)])
def of_a_version(aws):
    name = aws.function()
    put(aws, name, MaximumRetryAttempts=1)
    aws.publish(name)
    before = get(aws, name, Qualifier="1")
    put(aws, name, Qualifier="1", MaximumEventAgeInSeconds=120)
    return [before, get(aws, name, Qualifier="1")]


@scenario(
    AREA,
    "the list",
    LIFE,
    {
        "before": {"FunctionEventInvokeConfigs": [], "status": 200},
        "one": {"FunctionEventInvokeConfigs": [config(MaximumRetryAttempts=1)], "status": 200},
        "after $LATEST's was deleted": {
            "FunctionEventInvokeConfigs": [config("1", MaximumEventAgeInSeconds=120)],
            "status": 200,
        },
    },
)
def the_list(aws):
    name = aws.function()
    found = {"before": listed(aws, name)}
    put(aws, name, MaximumRetryAttempts=1)
    found["one"] = listed(aws, name)
    put(aws, name, Qualifier=aws.publish(name), MaximumEventAgeInSeconds=120)
    aws.lambda_("delete_function_event_invoke_config", FunctionName=name)
    return {**found, "after $LATEST's was deleted": listed(aws, name)}


@scenario(AREA, "pages of one each", PAGES, [f"{ARN}:$LATEST", f"{ARN}:1"])
def pages(aws):
    name = aws.function()
    put(aws, name, MaximumRetryAttempts=1)
    put(aws, name, Qualifier=aws.publish(name), MaximumRetryAttempts=1)
    first = listed(aws, name, MaxItems=1)
    second = listed(aws, name, MaxItems=1, Marker=first["NextMarker"])
    return [each["FunctionArn"] for page in (first, second) for each in page["FunctionEventInvokeConfigs"]]


@scenario(AREA, "deleting", WRONG, [{"status": 204}, no_config()])
def deleting(aws):
    name = aws.function()
    put(aws, name, MaximumRetryAttempts=1)
    return [aws.lambda_("delete_function_event_invoke_config", FunctionName=name) for _ in range(2)]


# which function, which qualifier

for what, name, qualifier, gives in (
    ("a name", "{name}", None, ok(MaximumRetryAttempts=1)),
    ("a name and $LATEST", "{name}", "$LATEST", ok(MaximumRetryAttempts=1)),
    ("name:$LATEST and $LATEST", "{name}:$LATEST", "$LATEST", ok(MaximumRetryAttempts=1)),
    ("a name and a version", "{name}", "1", ok("1", MaximumRetryAttempts=1)),
    ("name:version", "{name}:1", None, ok("1", MaximumRetryAttempts=1)),
    ("a name and an alias", "{name}", "live", ok("live", MaximumRetryAttempts=1)),
    ("name:alias", "{name}:live", None, ok("live", MaximumRetryAttempts=1)),
    ("name:alias and the alias", "{name}:live", "live", ok("live", MaximumRetryAttempts=1)),
    ("an alias's ARN", "{arn}:live", None, ok("live", MaximumRetryAttempts=1)),
    ("an alias's ARN and the alias", "{arn}:live", "live", ok("live", MaximumRetryAttempts=1)),
    ("name:alias and another", "{name}:live", "other", MISMATCH),
    ("an alias's ARN and another", "{arn}:live", "other", MISMATCH),
    ("name:$LATEST and a version", "{name}:$LATEST", "1", MISMATCH),
    ("name:version and $LATEST", "{name}:1", "$LATEST", MISMATCH),
    ("an alias that is not there", "{name}", "other", NO_FUNCTION),
    ("no function", "nobody", None, NO_FUNCTION),
    ("no function, by ARN", "{nobody}", None, NO_FUNCTION),
):

    @scenario(AREA, f"put, {what}", WRONG, gives)
    def which(aws, name=name, qualifier=qualifier):
        own = with_alias(aws)
        name = name.format(name=own, arn=arn_of(aws, own), nobody=arn_of(aws, "nobody"))
        return put(aws, name, MaximumRetryAttempts=1, **({"Qualifier": qualifier} if qualifier else {}))


NOBODY = "arn:aws:lambda:<region>:<account>:function:nobody"


@scenario(
    AREA,
    "no function: get, delete, update, list",
    WRONG,
    [no_config(arn=NOBODY), no_config(arn=NOBODY), NO_FUNCTION, NO_FUNCTION],
)
def of_no_function(aws):
    return [
        get(aws, "nobody"),
        aws.lambda_("delete_function_event_invoke_config", FunctionName="nobody"),
        update(aws, "nobody", MaximumRetryAttempts=0),
        listed(aws, "nobody"),
    ]


@scenario(AREA, "none yet: get, update", WRONG, [no_config("live"), no_config("other"), no_config("live"), no_config()])
def none_yet(aws):
    name = with_alias(aws)
    return [
        get(aws, name, Qualifier="live"),
        get(aws, name, Qualifier="other"),
        update(aws, name, Qualifier="live", MaximumRetryAttempts=0),
        update(aws, name, MaximumRetryAttempts=0),
    ]


# destinations


def to(success=None, failure=None):
    config = {"OnSuccess": success, "OnFailure": failure}
    return {"DestinationConfig": {key: {"Destination": arn} for key, arn in config.items() if arn is not None}}


@scenario(
    AREA, "nothing at all", WRONG, bad_value("You must specify at least one of error handling or destination setting.")
)
def nothing_at_all(aws):
    return put(aws, aws.function())


@scenario(AREA, "empty destinations", WRONG, [ok(), ok()])
def empty_destinations(aws):
    name = aws.function()
    return [put(aws, name, DestinationConfig={"OnFailure": {}}), put(aws, name, DestinationConfig={"OnSuccess": {}})]


@scenario(
    AREA,
    "another function as a destination",
    WRONG,
    ok(
        DestinationConfig={
            "OnSuccess": {"Destination": "arn:aws:lambda:<region>:<account>:function:<function:2>"},
            "OnFailure": {},
        }
    ),
)
def another_function(aws):
    return put(aws, aws.function(), **to(success=arn_of(aws, aws.function())))


@scenario(
    AREA, "itself as a destination", WRONG, bad_value("You can't specify the function as a destination for itself.")
)
def itself(aws):
    name = aws.function()
    return put(aws, name, **to(success=arn_of(aws, name)))


@scenario(
    AREA,
    "no function as a destination",
    WRONG,
    bad_value("The destination ARN arn:aws:lambda:<region>:<account>:function:nobody is invalid."),
)
def to_no_function(aws):
    return put(aws, aws.function(), **to(success=arn_of(aws, "nobody")))


@scenario(
    AREA,
    "an ARN that is none as a destination",
    WRONG,
    pattern("arn:aws:_-/!lambda:<region>:<account>:function:x", "destinationConfig.onFailure.destination", DESTINATION),
)
def to_no_arn(aws):
    return put(aws, aws.function(), **to(failure=arn_of(aws, "x").replace(":lambda:", ":_-/!lambda:")))


@scenario(
    AREA,
    "a service that is no destination",
    WRONG,
    bad_value(
        "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
        "arn:aws:iam:<region>:<account>:function:x), onFailure=null) is invalid."
    ),
)
def to_another_service(aws):
    return put(aws, aws.function(), **to(success=arn_of(aws, "x").replace(":lambda:", ":iam:")))


@scenario(AREA, "the greatest age", WRONG, ok(MaximumEventAgeInSeconds=21600, MaximumRetryAttempts=2))
def greatest_age(aws):
    return put(aws, aws.function(), MaximumEventAgeInSeconds=21600, MaximumRetryAttempts=2)
