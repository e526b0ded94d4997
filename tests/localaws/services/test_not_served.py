"""What is not here is named: services that are off, and operations that MiniStack does not know, for each protocol."""

import boto3
import pytest
from botocore.config import Config
from localaws_client import refused, signed

NOT_HERE = [
    ("kinesis", "list_streams", {}, "Amazon Kinesis"),  # JSON
    ("cognito-idp", "list_user_pools", {"MaxResults": 1}, "Amazon Cognito Identity Provider"),
    ("codebuild", "list_projects", {}, "AWS CodeBuild"),  # CBOR
    ("ses", "list_identities", {}, "Amazon Simple Email Service"),  # Query
    ("elasticache", "describe_cache_clusters", {}, "Amazon ElastiCache"),
    ("redshift", "describe_clusters", {}, "Amazon Redshift"),  # MiniStack has not heard of it
    ("route53", "list_hosted_zones", {}, "Amazon Route 53"),  # REST, XML
    ("cloudfront", "list_distributions", {}, "Amazon CloudFront"),
    ("efs", "describe_file_systems", {}, "Amazon Elastic File System"),  # REST, JSON
    ("polly", "describe_voices", {}, "Amazon Polly"),
    ("xray", "get_sampling_rules", {}, "AWS X-Ray"),
]
UNKNOWN = [
    (
        "ec2",
        "describe_trunk_interface_associations",
        {},
        "DescribeTrunkInterfaceAssociations of Amazon Elastic Compute",
    ),
    ("sns", "list_sms_sandbox_phone_numbers", {}, "ListSMSSandboxPhoneNumbers of Amazon Simple Notification Service"),
    ("cloudwatch", "describe_insight_rules", {}, "DescribeInsightRules of Amazon CloudWatch"),
    ("ssm", "list_associations", {}, "ListAssociations of Amazon Simple Systems Manager"),
    ("kms", "describe_custom_key_stores", {}, "DescribeCustomKeyStores of AWS Key Management Service"),
    ("dynamodb", "list_global_tables", {}, "ListGlobalTables of Amazon DynamoDB"),
    ("apigatewayv2", "get_vpc_links", {}, "GET /v2/vpclinks of Amazon API Gateway"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "name"), NOT_HERE, ids=lambda each: str(each))
def test_a_service_that_is_off(clients, service, operation, parameters, name):
    code, message = refused(getattr(clients(service), operation), **parameters)
    assert code == "NotImplemented"
    assert message == f"The embedded AWS does not have {name}."


@pytest.mark.parametrize(("service", "operation", "parameters", "name"), UNKNOWN, ids=lambda each: str(each))
def test_an_operation_that_is_unknown(clients, service, operation, parameters, name):
    code, message = refused(getattr(clients(service), operation), **parameters)
    assert code == "NotImplemented"
    assert message.startswith(f"The embedded AWS does not have {name}")


def mistake(request, **rest):
    request.headers.replace_header("X-Amz-Target", "Nothing_20120810.ListTables")


def test_a_target_that_is_none(embedded_aws):
    """As a client would send it that mistakes the header X-Amz-Target."""
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{embedded_aws.port}",
        aws_access_key_id=embedded_aws.access_key_id,
        aws_secret_access_key=embedded_aws.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-sign", mistake)
    code, message = refused(client.list_tables)
    assert code == "UnknownOperationException"
    assert message == "Amazon DynamoDB has no operation Nothing_20120810.ListTables."


def test_a_request_in_cbor_is_not_taken_for_an_empty_one(embedded_aws):
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    kind = {"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}
    answer = signed(embedded_aws, "POST", path, b"\xa0", "monitoring", **kind)
    assert answer.status_code == 501
    assert b"The embedded AWS reads no CBOR; let the client of Amazon CloudWatch send JSON." in answer.content
