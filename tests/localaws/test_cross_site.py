"""No web page that is open beside the workshop can use the embedded AWS, or read what it answers."""

import base64
import json

import pytest
import requests
from localaws_client import ROLE, eventually, signed, zipped

EVIL = "http://evil.example"


@pytest.fixture
def url(embedded_aws) -> str:
    return embedded_aws.url


@pytest.fixture
def bucket(clients) -> str:
    s3, name = clients("s3"), "tested-cross-site"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a.txt", Body=b"hello")
    yield name
    s3.delete_object(Bucket=name, Key="a.txt")
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:8888"])
def test_a_page_cannot_create_a_function(url, clients, origin):
    code = base64.b64encode(zipped({"app.py": "def handler(event, context):\n    return 1\n"})).decode()
    body = {"FunctionName": "tested-evil", "Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE}
    headers = {"Origin": origin, "Content-Type": "text/plain"}  # for which a browser asks nobody beforehand
    answer = requests.post(
        f"{url}/2015-03-31/functions", json.dumps({**body, "Code": {"ZipFile": code}}), headers=headers, timeout=30
    )
    assert answer.status_code == 403
    assert answer.json()["message"].endswith(f"and not the page at {origin}.")
    assert "tested-evil" not in [each["FunctionName"] for each in clients("lambda").list_functions()["Functions"]]


def test_a_page_cannot_do_by_a_picture_what_needs_no_body(url, clients):
    queue = clients("sqs").create_queue(QueueName="tested-cross-site")["QueueUrl"]
    asked = {"Action": "DeleteQueue", "QueueUrl": queue, "Version": "2012-11-05"}
    for site in ("cross-site", "same-site", "same-origin"):
        answer = requests.get(url, params=asked, headers={"Sec-Fetch-Site": site}, timeout=30)
        assert answer.status_code == 403
    assert queue in clients("sqs").list_queues(QueueNamePrefix="tested-cross-site")["QueueUrls"]
    clients("sqs").delete_queue(QueueUrl=queue)


def test_a_name_that_somebody_pointed_at_this_machine_is_not_served(url):
    answer = requests.get(f"{url}/2015-03-31/functions", headers={"Host": "evil.example"}, timeout=30)
    assert answer.status_code == 403
    assert answer.json()["message"] == "The embedded AWS is at 127.0.0.1 alone, and not at evil.example."


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:5000", "files.s3.localhost:4566", "[::1]:80"])
def test_other_names_of_this_machine_and_a_tunnels_port_are_served(url, host):
    answer = requests.get(f"{url}/_localaws", headers={"Host": host}, timeout=30)
    assert answer.ok and "pid" in answer.json()


def test_no_page_may_read_an_answer(url, bucket):
    for path in ("/_localaws", "/_localaws/inbox", "/2015-03-31/functions", f"/{bucket}/a.txt"):
        answer = requests.get(url + path, timeout=30)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], path
    ask = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{url}/2015-03-31/functions", headers=ask, timeout=30)
    assert answer.status_code == 403


def test_a_page_that_a_bucket_invites_may_use_it_and_nothing_else(url, clients, bucket):
    s3, page = clients("s3"), "http://app.example"
    rule = {"AllowedOrigins": [page], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    link = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a.txt"})
    ask = {"Origin": page, "Access-Control-Request-Method": "PUT", "Sec-Fetch-Site": "cross-site"}
    assert requests.options(link, headers=ask, timeout=30).headers["Access-Control-Allow-Origin"] == page
    answer = requests.put(link, "from a page", headers={"Origin": page, "Sec-Fetch-Site": "cross-site"}, timeout=30)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, page)
    assert s3.get_object(Bucket=bucket, Key="a.txt")["Body"].read() == b"from a page"
    unsigned = requests.put(f"{url}/{bucket}/a.txt", "mine", headers={"Origin": page}, timeout=30)
    assert unsigned.status_code == 403
    for method, path, origin in (
        ("PUT", link, EVIL),
        ("DELETE", link, page),
        ("GET", f"{url}/2015-03-31/functions/", page),
    ):
        refused = requests.request(method, path, headers={"Origin": origin}, timeout=30)
        assert refused.status_code == 403 and "and not the page at" in refused.text
    assert s3.get_object(Bucket=bucket, Key="a.txt")["Body"].read() == b"from a page"


def test_a_link_to_a_presigned_url_opens_in_a_browser(clients, bucket):
    link = clients("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a.txt"})
    browser = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
    assert requests.get(link, headers=browser, timeout=30).text == "hello"


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/config", "/_ministack/health", "/_localstack/health"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_ministacks_own_is_closed(embedded_aws, clients, method, path, bucket):
    assert requests.request(method, embedded_aws.url + path, timeout=30).status_code == 403
    assert signed(embedded_aws, method, path).status_code == 404  # whoever asks
    assert bucket in [each["Name"] for each in clients("s3").list_buckets()["Buckets"]]


CUSTOM = """
import json, urllib.request

def handler(event, context):
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": "mine", "Data": {"Word": "hello"}}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""


def test_a_custom_resource_of_cloudformation_answers_where_it_is_told_to(make_function, clients):
    function, cloudformation = make_function(CUSTOM), clients("cloudformation")
    arn = clients("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    template = {
        "Resources": {"Mine": {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceToken": arn}}},
        "Outputs": {"Word": {"Value": {"Fn::GetAtt": ["Mine", "Word"]}}},
    }
    cloudformation.create_stack(StackName="tested-custom", TemplateBody=json.dumps(template))

    def stack():
        return cloudformation.describe_stacks(StackName="tested-custom")["Stacks"][0]

    eventually(lambda: stack()["StackStatus"] == "CREATE_COMPLETE")
    assert [output["OutputValue"] for output in stack()["Outputs"]] == ["hello"]
    cloudformation.delete_stack(StackName="tested-custom")


def test_the_code_of_a_function_can_be_fetched_where_it_is_said_to_be(make_function, clients):
    function = make_function("def handler(event, context):\n    return 1\n")
    place = clients("lambda").get_function(FunctionName=function.name)["Code"]["Location"]
    assert requests.get(place, timeout=30).content.startswith(b"PK")
