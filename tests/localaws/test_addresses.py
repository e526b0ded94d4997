"""Addresses in outputs of CloudFormation and of REST APIs lead somewhere, and to nothing else than was named."""

import json

import pytest
import requests
from localaws_client import eventually

CODE = "def handler(event, context): return {'statusCode': 200, 'body': 'from ' + event.get('rawPath', 'REST')}"
FUNCTION = {"Fn::GetAtt": ["Function", "Arn"]}
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def permission(action, principal, **more):
    properties = {"FunctionName": {"Ref": "Function"}, "Action": action, "Principal": principal, **more}
    return {"Type": "AWS::Lambda::Permission", "Properties": properties}


TEMPLATE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TRUST]}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": CODE},
            },
        },
        "Url": {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": FUNCTION}},
        "OpenUrl": permission("lambda:InvokeFunctionUrl", "*", FunctionUrlAuthType="NONE"),
        "OpenFunction": permission("lambda:InvokeFunction", "*", InvokedViaFunctionUrl=True),
        "OpenApi": permission("lambda:InvokeFunction", "apigateway.amazonaws.com"),
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "tested", "ProtocolType": "HTTP", "Target": FUNCTION},
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {
        "url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}},
        "api": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
        "together": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com"}},
        "queue": {"Value": {"Ref": "Queue"}},
        "elsewhere": {"Value": "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"},
    },
}


@pytest.fixture(scope="module")
def outputs(clients):
    cloudformation = clients("cloudformation")
    cloudformation.create_stack(
        StackName="tested-outputs", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
    )

    def stack():
        found = cloudformation.describe_stacks(StackName="tested-outputs")["Stacks"][0]
        return found if found["StackStatus"] == "CREATE_COMPLETE" else None

    found = eventually(stack)
    yield {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
    cloudformation.delete_stack(StackName="tested-outputs")


@pytest.mark.parametrize("name", ["url", "api", "together"])
def test_the_address_of_a_function(outputs, name):
    assert requests.get(outputs[name].rstrip("/") + "/a", timeout=30).text == "from /a"


def test_the_address_of_a_queue(outputs, clients):
    clients("sqs").send_message(QueueUrl=outputs["queue"], MessageBody="a")
    assert clients("sqs").receive_message(QueueUrl=outputs["queue"])["Messages"][0]["Body"] == "a"


def test_the_address_of_somebody_elses_api_stays(outputs):
    assert outputs["elsewhere"] == TEMPLATE["Outputs"]["elsewhere"]["Value"]


def test_an_api_is_called_without_a_key_and_nothing_else_is(embedded_aws):
    for path in ("/_aws/execute-api/01234567/api/", "/_aws/execute-api/01234567/../../2015-03-31/functions/"):
        answer = requests.get(embedded_aws.url + path, timeout=30)
        assert answer.status_code in (403, 404), answer.text
    assert "Functions" not in answer.text
