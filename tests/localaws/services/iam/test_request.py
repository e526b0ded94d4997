"""What each operation of the services here is to IAM: its action, and the ARN of what it is on."""

from urllib.parse import parse_qs, urlencode

import botocore.loaders
import botocore.model
import botocore.serialize
import pytest
from ministack import app
from ministack.core import iam_actions

from helpers.localaws.server import SERVICES
from helpers.localaws.services.iam import request

CLIENTS = {  # of boto3, for each of MiniStack's services that is called otherwise
    "apigateway": ("apigateway", "apigatewayv2"),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
OTHER_NAMES = {"Invoke", "InvokeWithResponseStream", "GetLayerVersionByArn"}


@pytest.fixture(scope="module", autouse=True)
def installed():
    with pytest.MonkeyPatch.context() as patched:
        for name in {name for module, name in request.CONTRACT if module is iam_actions}:
            patched.setattr(iam_actions, name, getattr(iam_actions, name))  # put back at the end
        request.install()
        yield


def least(shape, depth=0):
    """The least value that a shape takes."""
    if shape.type_name == "structure":
        required = {name: member for name, member in shape.members.items() if name in shape.required_members}
        return {name: least(member, depth + 1) for name, member in required.items()} if depth < 6 else {}
    if shape.type_name == "list":
        return [least(shape.member, depth + 1)] if depth < 5 else []
    if shape.type_name == "map":
        return {"key": least(shape.value, depth + 1)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "abc"
    return {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True, "blob": b"x", "timestamp": 1}.get(
        shape.type_name, "abc"
    )


class Asked:
    """A request as MiniStack sees it."""

    def __init__(self, model, operation, **parameters):
        protocol = "json" if "cbor" in model.metadata["protocol"] else model.metadata["protocol"]
        serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        shape = model.operation_model(operation).input_shape
        made = serializer.serialize_to_request(
            {**(least(shape) if shape else {}), **parameters}, model.operation_model(operation)
        )
        self.method, (self.path, _, query) = made["method"], made["url_path"].partition("?")
        own = made["query_string"] or {}
        self.query = parse_qs(query, keep_blank_values=True) | (
            {name: [str(value)] for name, value in own.items()} if isinstance(own, dict) else parse_qs(own)
        )
        body = urlencode(made["body"]) if isinstance(made["body"], dict) else made["body"] or b""
        self.body = body.encode() if isinstance(body, str) else body
        scope = f"AKIA/20261129/us-east-1/{model.signing_name}/aws4_request"
        self.headers = {name.lower(): value for name, value in made["headers"].items()} | {
            "host": "127.0.0.1:4566",
            "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x",
        }
        self.query = app._routing_params(self.method, self.path, self.headers, self.body, self.query)
        self.service = app.detect_service(self.method, self.path, self.headers, self.query)

    @property
    def _arguments(self):
        return self.service, self.method, self.path, self.headers, self.body, self.query

    @property
    def action(self):
        return iam_actions.extract_iam_action(*self._arguments)

    @property
    def resource(self):
        return iam_actions.extract_resource_arn(*self._arguments, "us-east-1", "000000000000")


def model_of(client):
    """From a loader of its own: a client of S3 that is used changes the paths in the model that it shares."""
    return botocore.model.ServiceModel(botocore.loaders.create_loader().load_service_model(client, "service-2"), client)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_an_action(service):
    unknown = []
    for client in CLIENTS.get(service, (service,)):
        model = model_of(client)
        for operation in model.operation_names:
            action = Asked(model, operation).action
            if action.endswith(request.UNKNOWN):
                unknown.append(operation)
    assert unknown == []


def test_each_operation_of_lambda_has_the_action_of_its_name():
    model = model_of("lambda")
    others = {
        operation: action
        for operation in model.operation_names
        if (action := Asked(model, operation).action) != f"lambda:{operation}"
    }
    assert set(others) == OTHER_NAMES
    assert others["Invoke"] == others["InvokeWithResponseStream"] == "lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("client", "operation", "parameters", "resource"),
    [
        ("lambda", "CreateFunction", {"FunctionName": "f"}, "lambda:us-east-1:000000000000:function:f"),
        ("lambda", "Invoke", {"FunctionName": "f"}, "lambda:us-east-1:000000000000:function:f"),
        (
            "lambda",
            "InvokeAsync",
            {"FunctionName": "f", "InvokeArgs": b"{}"},
            "lambda:us-east-1:000000000000:function:f",
        ),
        ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "a"}, "lambda:us-east-1:000000000000:function:f:a"),
        *(
            (
                "lambda",
                f"{verb}ProvisionedConcurrencyConfig",
                {"FunctionName": "f", "Qualifier": "a"},
                "lambda:us-east-1:000000000000:function:f:a",
            )
            for verb in ("Put", "Get", "Delete")
        ),
        (
            "lambda",
            "ListProvisionedConcurrencyConfigs",
            {"FunctionName": "f"},
            "lambda:us-east-1:000000000000:function:f",
        ),
        ("events", "PutRule", {"Name": "r"}, "events:us-east-1:000000000000:rule/r"),
        ("events", "PutTargets", {"Rule": "r"}, "events:us-east-1:000000000000:rule/r"),
        ("events", "PutTargets", {"Rule": "r", "EventBusName": "b"}, "events:us-east-1:000000000000:rule/b/r"),
        ("logs", "FilterLogEvents", {"logGroupName": "/g"}, "logs:us-east-1:000000000000:log-group:/g:log-stream:"),
        (
            "logs",
            "GetLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            "logs:us-east-1:000000000000:log-group:/g:log-stream:s",
        ),
        (
            "sqs",
            "StartMessageMoveTask",
            {"SourceArn": "arn:aws:sqs:us-east-1:000000000000:q"},
            "sqs:us-east-1:000000000000:q",
        ),
        ("sqs", "SendMessage", {"QueueUrl": "http://127.0.0.1:4566/000000000000/q"}, "sqs:us-east-1:000000000000:q"),
        ("dynamodb", "PutItem", {"TableName": "t"}, "dynamodb:us-east-1:000000000000:table/t"),
        ("cloudwatch", "DeleteAlarms", {"AlarmNames": ["a"]}, "cloudwatch:us-east-1:000000000000:alarm:a"),
        ("rds", "CreateDBParameterGroup", {"DBParameterGroupName": "g"}, "rds:us-east-1:000000000000:pg:g"),
        ("ec2", "RunInstances", {"MinCount": 1}, "ec2:us-east-1:000000000000:instance/*"),
        ("ec2", "DeleteLaunchTemplate", {"LaunchTemplateName": "t"}, "ec2:us-east-1:000000000000:launch-template/*"),
        ("rds", "DeleteDBProxy", {"DBProxyName": "p"}, "rds:us-east-1:000000000000:db-proxy:*"),
        ("rds", "RegisterDBProxyTargets", {"DBProxyName": "p"}, "rds:us-east-1:000000000000:target-group:*"),
        ("iam", "CreateAccessKey", {"UserName": "u"}, "iam::000000000000:user/u"),
        ("iam", "CreatePolicy", {"PolicyName": "p"}, "iam::000000000000:policy/p"),
        ("scheduler", "CreateSchedule", {"Name": "s"}, "scheduler:us-east-1:000000000000:schedule/default/s"),
    ],
)
def test_the_resource_is_what_aws_documents(client, operation, parameters, resource):
    assert Asked(model_of(client), operation, **parameters).resource == f"arn:aws:{resource}"


def test_a_list_of_the_versions_of_a_layer_is_on_no_resource():
    assert Asked(model_of("lambda"), "ListLayerVersions", LayerName="x").resource == "*"
