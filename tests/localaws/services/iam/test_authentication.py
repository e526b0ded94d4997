"""Requests are signed with a key that the embedded AWS knows, or refused in the words of the service."""

import http.client
import json
import re
import socket
from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import urlencode

import boto3
import botocore.auth
import botocore.compat
import pytest
import requests
from botocore.config import Config
from localaws_client import ROLE, clients_for, eventually, made_bucket, public_url, refused, signed

from helpers.localaws import Endpoint
from helpers.localaws.access_key import access_key_of, new_access_key

CALLS = {
    "apigatewayv2": ("get_apis", "UnrecognizedClientException", "InvalidSignatureException"),
    "cloudwatch": ("list_metrics", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "dynamodb": ("list_tables", "UnrecognizedClientException", "InvalidSignatureException"),
    "ec2": ("describe_vpcs", "AuthFailure", "AuthFailure"),
    "events": ("list_rules", "UnrecognizedClientException", "InvalidSignatureException"),
    "iam": ("list_users", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "lambda": ("list_functions", "UnrecognizedClientException", "InvalidSignatureException"),
    "logs": ("describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException"),
    "s3": ("list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    "sns": ("list_topics", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "sqs": ("list_queues", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "sts": ("get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch"),
}


def client_with(endpoint: Endpoint, service, key, secret, token=None, config=None):
    session = boto3.Session(key, secret, token, region_name=endpoint.region)
    config = Config(retries={"total_max_attempts": 1}).merge(config or Config())
    return session.client(service, endpoint_url=endpoint.url, config=config)


def learner(endpoint: Endpoint, service, config):
    return client_with(endpoint, service, endpoint.access_key_id, endpoint.secret_access_key, config=config)


def code_of(call):
    return refused(call)[0]


@pytest.fixture
def bucket(clients):
    with made_bucket(clients, "tested-signatures") as name:
        clients("s3").put_object(Bucket=name, Key="a b/ü+.txt", Body=b"hello")
        yield name


# The learner's key


def test_the_learner_is_a_user_with_a_key_of_its_own(embedded_aws, clients):
    assert clients("sts").get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:user/learner"
    (key,) = clients("iam").list_access_keys(UserName="learner")["AccessKeyMetadata"]
    assert key["AccessKeyId"] == embedded_aws.access_key_id
    assert embedded_aws.secret_access_key not in repr(embedded_aws)


def test_a_key_is_kept_for_its_owner_alone_and_stays_the_same(tmp_path):
    key = access_key_of(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert access_key_of(tmp_path) == key != new_access_key()
    assert key.secret_access_key not in repr(key)


@pytest.mark.parametrize("damaged", [b"", b"[]", b"\xff", b'{"access_key_id": "AKIA", "secret_access_key": 1}', None])
def test_a_key_that_is_damaged_or_was_open_to_others_is_replaced(tmp_path, damaged):
    key = access_key_of(tmp_path)
    (file,) = tmp_path.iterdir()
    if damaged is None:
        file.chmod(0o644)
    else:
        file.write_bytes(damaged)
    assert access_key_of(tmp_path) != key
    assert file.stat().st_mode & 0o777 == 0o600


# Who is refused


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_and_a_wrong_secret_are_refused_in_the_words_of_the_service(embedded_aws, service):
    operation, unknown, wrong = CALLS[service]
    stranger = new_access_key()
    for key in (stranger.access_key_id, "test", "000000000000", "embedded"):
        assert code_of(getattr(client_with(embedded_aws, service, key, "test"), operation)) == unknown
    thief = client_with(embedded_aws, service, embedded_aws.access_key_id, stranger.secret_access_key)
    assert code_of(getattr(thief, operation)) == wrong


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic dGVzdDp0ZXN0", "AWS4-HMAC-SHA256", "AWS x"])
@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "/2015-03-31/functions", None),
        ("GET", "/2015-03-31/functions/", None),
        ("POST", "/2015-03-31/functions/any/invocations", None),
        ("POST", "/", "AmazonSQS.ListQueues"),
        ("POST", "/", "DynamoDB_20120810.ListTables"),
        ("GET", "/?Action=ListQueues", None),
        ("GET", "/?Action=ListUsers&Version=2010-05-08", None),
        ("GET", "/_aws/sqs/messages", None),
        ("GET", "/", None),
        ("PUT", "/tested-unsigned", None),
        ("PUT", "/tested-unsigned/", None),
        ("POST", "/_ministack/cfn-response/x", "AmazonSQS.ListQueues"),
        ("GET", "/_ministack/lambda-code/000000000000/us-east-1/any", None),
    ],
)
def test_without_a_signature_nothing_is_done(embedded_aws, clients, method, path, target, authorization):
    headers = {"Content-Type": "application/x-amz-json-1.0"} | ({"X-Amz-Target": target} if target else {})
    headers |= {"Authorization": authorization} if authorization else {}
    answer = requests.request(method, embedded_aws.url + path, headers=headers, data="{}", timeout=30)
    assert answer.status_code in (400, 403), answer.text
    buckets = [bucket["Name"] for bucket in clients("s3").list_buckets()["Buckets"]]
    assert "tested-unsigned" not in buckets


@pytest.mark.parametrize(
    "authorization", [None, "AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20261129/us-east-1/s3/aws4_request"]
)
def test_what_a_stranger_sends_is_not_even_read(embedded_aws, authorization):
    with socket.create_connection(("127.0.0.1", embedded_aws.port), timeout=30) as connection:
        sent = [
            "PUT /tested-no-bucket/key HTTP/1.1",
            f"Host: 127.0.0.1:{embedded_aws.port}",
            "Content-Length: 99999999",
        ]
        sent += [f"Authorization: {authorization}, SignedHeaders=host, Signature=0"] if authorization else []
        connection.sendall("\r\n".join([*sent, "", ""]).encode())  # and no body, which it would else wait for
        assert re.match(rb"HTTP/1.1 40[034] ", connection.recv(4096))


def test_what_was_signed_cannot_be_changed(embedded_aws):
    path = "/2015-03-31/functions/"
    assert signed(embedded_aws, "GET", path).status_code == 200
    with mock.patch.object(requests, "request") as sent:
        signed(embedded_aws, "POST", "/", '{"QueueNamePrefix": "a"}', "sqs", **{"X-Amz-Target": "AmazonSQS.ListQueues"})
    (method, url), options = sent.call_args
    later = datetime.now(UTC) + timedelta(seconds=10)
    changes = [
        {"data": '{"QueueNamePrefix": "b"}'},
        {"headers": options["headers"] | {"X-Amz-Target": "AmazonSQS.PurgeQueue"}},
        {"headers": options["headers"] | {"X-Amz-Date": f"{later:%Y%m%dT%H%M%SZ}"}},
    ]
    for change in changes:
        answer = requests.request(method, url, **options | change)
        assert answer.status_code in (400, 403) and "ignature" in answer.text, (change, answer.text)
    assert requests.request("GET", url, **options).status_code == 403
    assert requests.request(method, url + "?a=b", **options).status_code == 403
    assert requests.request(method, url, **options).status_code == 200


def sent_with(endpoint: Endpoint, method, path, headers, body=b""):
    """Status and body of the answer to a request with these headers, also where one is there twice."""
    connection = http.client.HTTPConnection("127.0.0.1", int(endpoint.url.rpartition(":")[2]), timeout=30)
    connection.putrequest(method, path)
    for name, value in [*headers, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def claims(key, service):
    """An Authorization header with a key, and a signature that nobody has made."""
    scope = f"{key}/{datetime.now(UTC):%Y%m%d}/us-east-1/{service}/aws4_request"
    return "Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"


@pytest.mark.parametrize("known", [False, True])
def test_no_second_authorization_is_taken_for_the_first(embedded_aws, bucket, known):
    key, other = embedded_aws.access_key_id if known else "", ("Authorization", "Bearer x")
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "text/plain")]
    users = b"Action=ListUsers&Version=2010-05-08"
    for headers in ([other, claims(key, "iam"), other], [claims(key, "iam"), other], [claims("", "iam"), other]):
        status, body = sent_with(embedded_aws, "POST", "/any/path", [*headers, *form], users)
        assert status in (400, 403, 405) and "learner" not in body
        status, body = sent_with(embedded_aws, "GET", f"/{bucket}/a%20b/%C3%BC%2B.txt", headers)
        assert status in (400, 403) and "hello" not in body


def test_a_header_on_two_lines_is_the_same_for_who_asks_and_who_answers(embedded_aws):
    twice = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "text/plain")]
    status, body = sent_with(embedded_aws, "POST", "/any/path", twice, b"Action=ListUsers&Version=2010-05-08")
    assert status == 403 and "learner" not in body


@pytest.mark.parametrize(
    ("service", "path", "body", "headers"),
    [
        ("sts", "/?Action=GetCallerIdentity", "Action=AssumeRole&Version=2011-06-15", {}),
        ("iam", "/?Action=GetUser", "Action=CreateAccessKey&UserName=learner", {}),
        ("iam", "/?Action=GetUser", "UserName=learner", {"Content-Type": "text/plain"}),
        ("iam", "/?UserName=other", "Action=CreateAccessKey&UserName=learner", {}),
        ("iam", "/", "Action=CreateAccessKey&UserName=learner", {"Content-Type": "text/plain"}),
        ("sqs", "/?Action=ListQueues", "{}", {"X-Amz-Target": "AmazonSQS.CreateQueue"}),
        ("monitoring", "/", "Action=ListMetrics", {"X-Amz-Target": "GraniteServiceVersion20100801.DeleteAlarms"}),
    ],
)
def test_what_is_judged_is_what_is_done(embedded_aws, clients, service, path, body, headers):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    answer = signed(embedded_aws, "POST", path, body, service, **headers)
    assert answer.status_code in (400, 403) and "in one place" in answer.text
    assert len(clients("iam").list_access_keys(UserName="learner")["AccessKeyMetadata"]) == 1


def test_a_message_may_speak_of_actions(clients):
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="tested-actions")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a=b&Action=ListQueues&c=d")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "a=b&Action=ListQueues&c=d"
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize(("minutes", "code"), [(-20, "expired"), (20, "not yet current"), (0, None)])
def test_a_clock_that_is_wrong_is_told(embedded_aws, minutes, code):
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: now.replace(tzinfo=None)):
        answer = signed(embedded_aws, "POST", "/", "{}", "dynamodb", **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    assert answer.status_code == (400 if code else 200)
    assert (code or "TableNames") in answer.text


# What is signed otherwise: presigned URLs, chunks


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_works_until_it_expires_and_for_what_it_was_made(embedded_aws, bucket, version):
    config = Config(signature_version=version, s3={"addressing_style": "path"})
    s3, of = learner(embedded_aws, "s3", config), {"Bucket": bucket, "Key": "a b/ü+.txt"}
    url = s3.generate_presigned_url("get_object", Params=of)
    later = re.sub(r"(?<=Expires=)\d+", lambda found: str(int(found[0]) + 1000), url)
    assert requests.get(url, timeout=30).content == b"hello"
    for changed in (url.replace("Signature=", "Signature=0"), url.replace("a%20b", "a%20c"), later):
        assert "SignatureDoesNotMatch" in requests.get(changed, timeout=30).text
    assert "SignatureDoesNotMatch" in requests.put(url, b"mine", timeout=30).text
    assert requests.get(url, timeout=30).content == b"hello"
    old = s3.generate_presigned_url("get_object", Params=of, ExpiresIn=-1 if version == "s3" else 1)
    eventually(lambda: requests.get(old, timeout=30).status_code == 403)
    assert "Request has expired" in requests.get(old, timeout=30).text


def test_a_presigned_url_of_s3_is_of_no_use_elsewhere(embedded_aws, clients, bucket):
    url = clients("s3").generate_presigned_url("list_buckets")
    query = url.partition("?")[2]
    answer = requests.get(f"{embedded_aws.url}/2015-03-31/functions/?{query}", timeout=30)
    assert answer.status_code == 403, answer.text


def test_objects_that_are_sent_in_parts_and_with_checksums_are_as_they_were(clients, bucket):
    s3, body = clients("s3"), bytes(range(256)) * 40_000
    for checksum in ("CRC32", "SHA256"):
        s3.put_object(Bucket=bucket, Key="large", Body=body, ChecksumAlgorithm=checksum)
        assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == body
    s3.delete_object(Bucket=bucket, Key="large")


def test_a_form_of_s3_is_signed_in_itself(embedded_aws, clients, bucket):
    form = clients("s3").generate_presigned_post(bucket, "posted")
    url = f"{embedded_aws.url}/{bucket}"
    changed = form["fields"] | {"x-amz-signature": "0" * 64}
    for fields in (changed, {"key": "posted"}, {"key": "posted", "AWSAccessKeyId": embedded_aws.access_key_id}):
        assert requests.post(url, fields, files={"file": b"mine"}, timeout=30).status_code in (400, 403)
    assert requests.post(url, form["fields"], files={"file": b"hello"}, timeout=30).status_code == 204
    clients("s3").delete_object(Bucket=bucket, Key="posted")


def test_an_object_is_public_only_by_a_policy_of_its_bucket(embedded_aws, clients, bucket):
    s3, url = clients("s3"), f"{embedded_aws.url}/{bucket}/a%20b/%C3%BC%2B.txt"
    assert requests.get(url, timeout=30).status_code == 403
    s3.delete_public_access_block(Bucket=bucket)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    assert requests.get(url, timeout=30).text == "hello"
    assert requests.put(url, "mine", timeout=30).status_code == 403
    assert requests.get(url, timeout=30).text == "hello"


# Who else has a key


def test_a_key_that_is_made_works_until_it_is_inactive_or_deleted(embedded_aws, clients):
    iam = clients("iam")
    iam.create_user(UserName="tested-user")
    key = iam.create_access_key(UserName="tested-user")["AccessKey"]
    sts = client_with(embedded_aws, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith(":user/tested-user")
    of = {"UserName": "tested-user", "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**of, Status="Inactive")
    assert code_of(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.update_access_key(**of, Status="Active")
    sts.get_caller_identity()
    iam.delete_access_key(**of)
    assert code_of(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.delete_user(UserName="tested-user")


IDENTITY = """
import boto3, os

def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"], dict(os.environ)
"""


def test_an_environment_has_credentials_of_its_role_which_end_with_it(make_function, embedded_aws):
    function = make_function(IDENTITY)
    arn, variables = function.invoke().payload
    assert arn == f"arn:aws:sts::000000000000:assumed-role/{ROLE.rpartition('/')[2]}/{function.name}"
    key, secret, token = (variables[f"AWS_{n}"] for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    assert key.startswith("ASIA") and embedded_aws.secret_access_key not in str(variables)
    assert client_with(embedded_aws, "sts", key, secret, token).get_caller_identity()["Arn"] == arn
    for other in (None, token[:-1] + "!"):
        refused = code_of(client_with(embedded_aws, "sts", key, secret, other).get_caller_identity)
        assert refused in ("InvalidClientTokenId", "InvalidToken")
    function.update(MemorySize=512)
    assert function.invoke().payload[1]["AWS_ACCESS_KEY_ID"] != key
    assert code_of(client_with(embedded_aws, "sts", key, secret, token).get_caller_identity) == "InvalidClientTokenId"


def test_an_iam_function_url_is_called_with_a_signature(make_function, clients, embedded_aws):
    function = make_function("def handler(event, context):\n    return event['requestContext']['http']['method']\n")
    lambda_ = clients("lambda")
    url = lambda_.create_function_url_config(FunctionName=function.name, AuthType="AWS_IAM")["FunctionUrl"]
    assert requests.get(url, timeout=30).status_code == 403
    there = Endpoint(0, 0, embedded_aws.region, access_key_id=embedded_aws.access_key_id)
    with mock.patch.object(Endpoint, "url", url.rstrip("/")):
        assert signed(embedded_aws, "GET", "/").text == "GET"
        assert signed(there, "GET", "/").status_code == 403
        key, other = embedded_aws.access_key_id, ("Authorization", "Bearer x")
        presigned = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Credential": claims(key, "s3")[1].partition("=")[2].partition(",")[0],
                "X-Amz-Signature": "00",
            }
        )
        for path, headers in ((f"/?{presigned}", [other]), ("/", [claims("", "lambda"), claims(key, "lambda")])):
            assert sent_with(embedded_aws, "GET", path, headers)[0] == 403


def test_a_public_function_url_needs_no_signature_and_sees_no_credentials(make_function, clients):
    function = make_function("def handler(event, context):\n    return event['headers'].get('authorization')\n")
    url = public_url(clients("lambda"), function.name)
    assert requests.get(url, headers={"Authorization": "Bearer mine"}, timeout=30).text == "Bearer mine"


def test_the_code_of_a_function_is_for_whom_its_address_was_given_to(make_function, clients, embedded_aws):
    function = make_function("def handler(event, context):\n    return 1\n")
    place = clients("lambda").get_function(FunctionName=function.name)["Code"]["Location"]
    assert requests.get(place, timeout=30).content.startswith(b"PK")
    for changed in (place + "0", place.partition("?")[0], place.replace(function.name, function.name + "-other")):
        assert requests.get(changed, timeout=30).status_code in (400, 403)


def test_the_same_key_is_good_for_the_next_embedded_aws_in_this_folder(embedded_aws, embedded_home):
    assert access_key_of(embedded_home).access_key_id == embedded_aws.access_key_id
    assert clients_for(embedded_aws)("sts").get_caller_identity()["Account"] == "000000000000"
