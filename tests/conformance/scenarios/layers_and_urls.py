"""Layers and their policies; function URLs and what they answer."""

import json

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, enum, failed, invalid, not_found
from helpers.conformance.world import zipped

LAYERS, URLS = "Layers", "Function URLs"
LAYER = "arn:aws:lambda:<region>:<account>:layer:<layer>"
POLICY = recorded("TestLambdaLayer::test_layer_policy_lifecycle", "2025-11-25")
WRONG = recorded("TestLambdaLayer::test_layer_function_exceptions", "2025-11-25")
LAYER_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)"
    r"|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)


def published(**more):
    content = {"CodeSha256": "<sha256>", "CodeSize": "<size>", "Location": "<url>"}
    return {
        "Content": content,
        "CreatedDate": "<date>",
        "Description": "",
        "LayerArn": LAYER,
        "LayerVersionArn": f"{LAYER}:1",
        "Version": 1,
        **more,
    }


def publish(aws, name=None, **more):
    name = name or aws.name("layer")
    content = more.pop("Content", {"ZipFile": zipped({"python/own.py": "VALUE = 7"})})
    answer = aws.lambda_("publish_layer_version", LayerName=name, Content=content, **more)
    if "Version" in answer:
        aws.finally_("lambda", "delete_layer_version", LayerName=name, VersionNumber=answer["Version"])
    return answer


@scenario(
    LAYERS,
    "a new layer",
    recorded("TestLambdaLayer::test_layer_s3_content", "2025-11-25"),
    {**published(), "status": 201},
)
def layer_from_s3(aws):
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="layer.zip", Body=zipped({"python/own.py": ""}))
    return publish(aws, Content={"S3Bucket": bucket, "S3Key": "layer.zip"})


@scenario(
    LAYERS,
    "what a layer is for",
    recorded("TestLambdaLayer::test_layer_compatibilities[runtimes2]", "2026-01-12"),
    {
        **published(
            CompatibleRuntimes=["provided.al2023", "provided.al2", "provided"],
            CompatibleArchitectures=["arm64", "x86_64"],
        ),
        "status": 201,
    },
)
def compatibilities(aws):
    runtimes = ["provided", "provided.al2", "provided.al2023"]
    answer = publish(aws, CompatibleRuntimes=runtimes, CompatibleArchitectures=["x86_64", "arm64"])
    for member, order in (("CompatibleRuntimes", runtimes), ("CompatibleArchitectures", ["x86_64", "arm64"])):
        if sorted(answer[member]) == sorted(order):  # AWS keeps no order
            answer[member] = sorted(order, reverse=member == "CompatibleRuntimes")
    return answer


@scenario(
    LAYERS,
    "no runtimes are an empty list",
    WRONG,
    {**published(CompatibleRuntimes=[], CompatibleArchitectures=["x86_64"]), "status": 201},
)
def no_runtimes(aws):
    return publish(aws, CompatibleRuntimes=[], CompatibleArchitectures=["x86_64"])


@scenario(LAYERS, "versions count up", WRONG, [1, 2, 3])
def versions_count_up(aws):
    name = aws.name("layer")
    return [publish(aws, name)["Version"] for _ in range(3)]


def statement(sid):
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": f"{LAYER}:1",
    }


@scenario(
    LAYERS,
    "the policy of a layer",
    POLICY,
    {
        "add": [
            {"Statement": statement("s1"), "RevisionId": "<id:1>", "status": 201},
            {"Statement": statement("s2"), "RevisionId": "<id:2>", "status": 201},
        ],
        "both": {
            "Policy": {"Version": "2012-10-17", "Id": "default", "Statement": [statement("s1"), statement("s2")]},
            "RevisionId": "<id:2>",
            "status": 200,
        },
        "remove": {"status": 204},
        "one": [statement("s1")],
        "its revision": "<id:3>",
    },
)
def policy_of_a_layer(aws):
    name = aws.name("layer")
    publish(aws, name)
    layer = {"LayerName": name, "VersionNumber": 1}

    def add(sid):
        who = {"Action": "lambda:GetLayerVersion", "Principal": "*", "StatementId": sid}
        answer = aws.lambda_("add_layer_version_permission", **layer, **who)
        return {**answer, "Statement": json.loads(answer["Statement"])}

    def policy():
        answer = aws.lambda_("get_layer_version_policy", **layer)
        return {**answer, "Policy": json.loads(answer["Policy"])}

    found = {"add": [add("s1"), add("s2")], "both": policy()}
    found["remove"] = aws.lambda_("remove_layer_version_permission", StatementId="s2", **layer)
    return {**found, "one": policy()["Policy"]["Statement"], "its revision": policy()["RevisionId"]}


def function_with(aws, *layers):
    return aws.lambda_("update_function_configuration", FunctionName=aws.function(), Layers=list(layers))


@scenario(
    LAYERS,
    "a layer that is not there",
    WRONG,
    bad_value("Layer version arn:aws:lambda:<region>:<account>:layer:nothing:1 does not exist."),
)
def layer_that_is_not_there(aws):
    return function_with(aws, f"arn:aws:lambda:{aws.account.region}:{aws.account.number}:layer:nothing:1")


@scenario(LAYERS, "a version that is not there", WRONG, bad_value(f"Layer version {LAYER}:9 does not exist."))
def version_that_is_not_there(aws):
    return function_with(aws, publish(aws)["LayerArn"] + ":9")


@scenario(
    LAYERS,
    "an ARN without a version",
    WRONG,
    invalid(
        failed(
            f"[{LAYER}]",
            "layers",
            "satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or "
            f"equal to 1, Member must satisfy regular expression pattern: {LAYER_PATTERN}, Member must not be null]",
        )
    ),
    refused="Its pattern is that of today's model, which has brackets around it.",
)
def arn_without_a_version(aws):
    return function_with(aws, publish(aws)["LayerArn"])


def two_versions(first, second):
    return bad_value(
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{LAYER}:{first} and {LAYER}:{second} are versions of the same layer."
    )


for what, versions, gives in (
    ("two versions of a layer", (1, 2), two_versions(1, 2)),
    ("three versions of a layer", (1, 2, 3), two_versions(1, 2)),
    ("the same version twice", (1, 1), two_versions(1, 1)),
):

    @scenario(LAYERS, what, WRONG, gives)
    def versions_of_a_layer(aws, versions=versions):
        name = aws.name("layer")
        arns = [publish(aws, name)["LayerVersionArn"] for _ in range(max(versions))]
        return function_with(aws, *(arns[number - 1] for number in versions))


@scenario(
    LAYERS,
    "a layer of another region",
    WRONG,
    bad_value("Layers are not in the same region as the function. Layers are expected to be in region <region>."),
)
def layer_of_another_region(aws):
    return function_with(aws, f"arn:aws:lambda:us-west-2:{aws.account.number}:layer:a:1")


@scenario(
    LAYERS,
    "a function sees its layer in /opt",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"),
    [7, "/opt/python/own.py"],
)
def function_sees_its_layer(aws):
    code = "import own\ndef handler(event, context): return [own.VALUE, own.__file__]\n"
    return aws.invoke(aws.function(code, Layers=[publish(aws)["LayerVersionArn"]]))["Payload"]


# function URLs

LIFE = recorded("TestLambdaUrl::test_url_config_deletion_without_qualifier", "2025-11-25")
LISTS = recorded("TestLambdaUrl::test_url_config_list_paging", "2025-11-25")


def config(arn=ARN, **more):
    members = {"AuthType": "NONE", "CreationTime": "<date>", "FunctionArn": arn, "FunctionUrl": "<url>"}
    return {**members, **more}


def full(arn=ARN):
    return config(arn, InvokeMode="BUFFERED", LastModifiedTime="<date>")


def create_url(aws, function, **more):
    answer = aws.lambda_("create_function_url_config", FunctionName=function, **{"AuthType": "NONE", **more})
    aws.finally_("lambda", "delete_function_url_config", FunctionName=function)
    return answer


def with_alias(aws):
    name = aws.function()
    aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion=aws.publish(name))
    return name


@scenario(URLS, "a new URL", LIFE, {**config(), "status": 201})
def new_url(aws):
    return create_url(aws, aws.function())


@scenario(
    URLS,
    "a new URL with an InvokeMode",
    recorded("TestLambdaURL::test_lambda_url_echo_invoke[BUFFERED]", "2025-11-24"),
    {**config(InvokeMode="BUFFERED"), "status": 201},
)
def new_url_with_a_mode(aws):
    return create_url(aws, aws.function(), InvokeMode="BUFFERED")


@scenario(URLS, "reading a URL", LIFE, {**full(), "status": 200})
def read_url(aws):
    name = aws.function()
    create_url(aws, name)
    return aws.lambda_("get_function_url_config", FunctionName=name)


@scenario(
    URLS,
    "the URL of an alias outlives the function's",
    LIFE,
    [{"status": 204}, not_found("The resource you requested does not exist."), {**full(f"{ARN}:live"), "status": 200}],
)
def url_of_an_alias(aws):
    name = with_alias(aws)
    create_url(aws, name)
    create_url(aws, name, Qualifier="live")
    return [
        aws.lambda_("delete_function_url_config", FunctionName=name),
        aws.lambda_("get_function_url_config", FunctionName=name),
        aws.lambda_("get_function_url_config", FunctionName=name, Qualifier="live"),
    ]


@scenario(
    URLS,
    "the list of a function's URLs",
    LISTS,
    [{"FunctionUrlConfigs": [], "status": 200}, {"FunctionUrlConfigs": [full(), full(f"{ARN}:live")], "status": 200}],
)
def list_of_urls(aws):
    name = with_alias(aws)
    before = aws.lambda_("list_function_url_configs", FunctionName=name)
    create_url(aws, name)
    create_url(aws, name, Qualifier="live")
    return [before, aws.lambda_("list_function_url_configs", FunctionName=name)]


@scenario(URLS, "the list of no function", LISTS, not_found("Function does not exist"))
def list_of_no_function(aws):
    return aws.lambda_("list_function_url_configs", FunctionName=aws.name("function"))


@scenario(
    URLS,
    "an InvokeMode that there is not",
    recorded("TestLambdaURL::test_lambda_url_invalid_invoke_mode", "2025-11-24"),
    enum("UNKNOWN", "invokeMode", "RESPONSE_STREAM", "BUFFERED"),
)
def unknown_mode(aws):
    return create_url(aws, aws.function(), InvokeMode="UNKNOWN")


def open_url(aws, code, **configuration):
    """The URL of a new function, open to everybody."""
    name = aws.function(code, **configuration)
    url = create_url(aws, name)["FunctionUrl"]
    everybody = {"FunctionName": name, "Principal": "*"}
    aws.lambda_(
        "add_permission", StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **everybody
    )
    aws.lambda_(
        "add_permission",
        StatementId="function",
        Action="lambda:InvokeFunction",
        InvokedViaFunctionUrl=True,
        **everybody,
    )
    return url


def told(answer, *headers):
    return {
        "status": answer["status"],
        "body": answer["body"],
        **{name: answer["headers"].get(name) for name in headers or ("content-type", "content-length")},
    }


for kind, value, body in (
    ("boolean", "True", "true"),
    ("dict", "{'hello': 'world'}", '{"hello":"world"}'),
    ("float", "3.1", "3.1"),
    ("integer", "3", "3"),
):

    @scenario(
        URLS,
        f"a function that returns a {kind}",
        recorded(f"TestLambdaURL::test_lambda_url_invocation[{kind}]", "2025-11-24"),
        {"status": 200, "body": body, "content-type": "application/json", "content-length": str(len(body))},
    )
    def what_is_no_response(aws, value=value):
        return told(aws.http(open_url(aws, f"def handler(event, context): return {value}\n")))


@scenario(
    URLS,
    "no permission",
    recorded("TestLambdaPermissions::test_lambda_permission_url_invocation", "2025-11-24"),
    [
        403,
        {
            "Message": "Forbidden. For troubleshooting Function URL authorization issues, see: "
            "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
        },
    ],
)
def no_permission(aws):
    answer = aws.http(create_url(aws, aws.function())["FunctionUrl"])
    return [answer["status"], json.loads(answer["body"])]


@scenario(
    URLS,
    "the request's id is that of the invocation and of its log",
    recorded("TestRequestIdHandling::test_request_id_invoke_url", "2025-11-24"),
    {"body": "hi", "status": 200, "x-amzn-requestid": "<id:1>", "end": ["END RequestId: <id:1>"]},
)
def id_of_a_request(aws):
    answer = told(aws.http(open_url(aws, "def handler(event, context): return 'hi'\n")), "x-amzn-requestid")
    name = next(name for name, kind in aws.names.items() if kind == "<function>")
    lines = [line for line in aws.log_lines(name, "REPORT") if line.startswith("END ")]
    return {**answer, "end": lines}


REQUEST = """
import json
def handler(event, context):
    kept = {name: event["headers"].get(name) for name in ("content-type", "x-own", "content-length")}
    http = event["requestContext"]["http"]
    return {"version": event["version"], "routeKey": event["routeKey"], "path": event["rawPath"], "query": event["rawQueryString"],
            "parameters": event.get("queryStringParameters"), "headers": kept, "method": http["method"], "http path": http["path"],
            "body": event.get("body"), "base64": event["isBase64Encoded"], "stage": event["requestContext"]["stage"],
            "cookies": event.get("cookies")}
"""


@scenario(
    URLS,
    "the event of a request",
    recorded("TestLambdaURL::test_lambda_url_echo_http_fixture_default", "2025-11-24"),
    {
        "version": "2.0",
        "routeKey": "$default",
        "path": "/pa2%Fth/1",
        "query": "q=query&multiQuery=foo&multiQuery=%2Fbar",
        "parameters": {"q": "query", "multiQuery": "foo,/bar"},
        "headers": {"content-type": "application/json", "x-own": "With WeiRd CapS", "content-length": "14"},
        "method": "POST",
        "http path": "/pa2%Fth/1",
        "body": '{"foo": "bar"}',
        "base64": False,
        "stage": "$default",
        "cookies": None,
    },
)
def event_of_a_request(aws):
    url = open_url(aws, REQUEST) + "pa2%Fth/1?q=query&multiQuery=foo&multiQuery=%2Fbar"
    return json.loads(
        aws.http(url, "POST", b'{"foo": "bar"}', Content_Type="application/json", X_Own="With WeiRd CapS")["body"]
    )


@scenario(
    URLS,
    "a form comes in base64",
    recorded("TestLambdaURL::test_lambda_url_form_payload", "2025-11-24"),
    {"body": "LS1iDQo=", "base64": True},
)
def form(aws):
    headers = {"Content_Type": "multipart/form-data; boundary=b"}
    found = json.loads(aws.http(open_url(aws, REQUEST), "POST", b"--b\r\n", **headers)["body"])
    return {"body": found["body"], "base64": found["base64"]}


@scenario(
    URLS,
    "a response of its own",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"),
    {"status": 201, "body": "made", "content-type": "text/plain", "x-own": "1"},
)
def response_of_its_own(aws):
    response = {"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-Own": "1"}, "body": "made"}
    return told(aws.http(open_url(aws, f"def handler(event, context): return {response}\n")), "content-type", "x-own")


@scenario(
    URLS,
    "a function that fails",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"),
    {"status": 502, "body": "Internal Server Error"},
)
def function_that_fails(aws):
    answer = aws.http(open_url(aws, "def handler(event, context): raise ValueError\n"))
    return {"status": answer["status"], "body": answer["body"]}


@scenario(
    URLS,
    "a URL of a version",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html"),
    "ValidationException",
)
def url_of_a_version(aws):
    name = aws.function()
    return create_url(aws, name, Qualifier=aws.publish(name)).get("refused")
