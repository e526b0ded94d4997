"""Notifications of S3: configurations that are refused, and the events that come to a queue and to EventBridge.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import itertools
import json
import re

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually, refused

PLACE = "us-east-1:000000000000"
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
AMBIGUOUS = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules"
OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
_numbers = itertools.count(1)


class Source:
    """A bucket, and a queue that may be told of it."""

    def __init__(self, clients):
        self.s3, self.sqs, number = clients("s3"), clients("sqs"), next(_numbers)
        self.bucket, self.queue = f"notifying-{number}", f"arn:aws:sqs:{PLACE}:notified-{number}"
        self.s3.create_bucket(Bucket=self.bucket)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [ANYBODY]})
        made = self.sqs.create_queue(QueueName=f"notified-{number}", Attributes={"Policy": policy})
        self.url = made["QueueUrl"]

    def configured(self, *events, arn=None, identifier=None, **rules):
        """A configuration; a rule is prefix="…", suffix="…"."""
        filters = [{"Name": name, "Value": value} for name, value in rules.items()]
        made = {"QueueArn": arn or self.queue, "Events": list(events)}
        if filters:
            made["Filter"] = {"Key": {"FilterRules": filters}}
        return made | ({"Id": identifier} if identifier else {})

    def put(self, *configurations, **more):
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"QueueConfigurations": list(configurations), **more}
        )

    def refusal(self, *configurations, **more):
        notification = {"QueueConfigurations": list(configurations), **more}
        code, message = refused(
            self.s3.put_bucket_notification_configuration, Bucket=self.bucket, NotificationConfiguration=notification
        )
        assert code == "InvalidArgument"
        assert "QueueConfigurations" not in self.s3.get_bucket_notification_configuration(Bucket=self.bucket)
        return message

    def messages(self, count):
        """What came to the queue, once there are so many."""
        found = []

        def receive():
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                found.append(json.loads(message["Body"]))
            return len(found) >= count

        eventually(receive)
        return found

    def records(self, count):
        events = [message for message in self.messages(count + 1) if "Records" in message]
        return sorted((event["Records"][0] for event in events), key=lambda each: each["eventTime"])


@pytest.fixture
def source(clients):
    made = Source(clients)
    yield made
    versions = made.s3.list_object_versions(Bucket=made.bucket)
    for each in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
        made.s3.delete_object(Bucket=made.bucket, Key=each["Key"], VersionId=each["VersionId"])
    made.s3.delete_bucket(Bucket=made.bucket)
    made.sqs.delete_queue(QueueUrl=made.url)


CREATED, REMOVED, PUT = "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectCreated:Put"


def test_configurations_that_overlap(source):
    of = source.configured
    assert source.refusal(of(CREATED), of(CREATED)) == OVERLAP
    assert source.refusal(of(CREATED), of(PUT)) == OVERLAP
    for one, other in (
        ({"prefix": "images"}, {"prefix": "images/2026"}),
        ({"suffix": ".jpg"}, {"suffix": "g"}),
        ({"prefix": "images"}, {}),
        ({"prefix": "images", "suffix": ".jpg"}, {"suffix": ".jpg"}),
        ({"prefix": "images"}, {"suffix": ".jpg"}),
    ):
        assert source.refusal(of(CREATED, **one), of(PUT, **other)).startswith(AMBIGUOUS)


def test_configurations_that_do_not_overlap(source):
    of = source.configured
    source.put(of(CREATED), of(REMOVED))
    source.put(of(CREATED, prefix="a"), of(CREATED, prefix="b"))
    source.put(of(CREATED, prefix="a", suffix=".jpg"), of(CREATED, prefix="a", suffix=".png"))
    source.put(of(PUT), of("s3:ObjectCreated:Copy"))


def test_what_is_no_filter_and_no_event(source):
    of = source.configured
    assert source.refusal(of("s3:ObjectCreated:Paste")) == "The event is not supported for notifications"
    for name in ("prefix", "suffix"):
        twice = of(CREATED)
        twice["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for value in "ab"]}}
        assert source.refusal(twice) == f"Cannot specify more than one {name} rule in a filter."
    assert "1024 bytes" in source.refusal(of(CREATED, prefix="x" * 1025))
    same = "Same ID used for multiple configurations. IDs must be unique"
    assert source.refusal(of(CREATED, identifier="a"), of(REMOVED, identifier="a")) == same


@pytest.mark.parametrize("missing", [{"Events": []}, {"QueueArn": ""}])
def test_what_has_no_event_or_no_destination(source, missing):
    wanted = {"QueueConfigurations": [{"QueueArn": source.queue, "Events": [CREATED], **missing}]}
    with pytest.raises(ClientError, match="MalformedXML"):
        source.s3.put_bucket_notification_configuration(Bucket=source.bucket, NotificationConfiguration=wanted)


def test_destinations_that_cannot_be_reached(source, make_function):
    words = "Unable to validate the following destination configurations"
    assert source.refusal(source.configured(CREATED, arn=source.queue + "-gone")) == words
    function = f"arn:aws:lambda:{PLACE}:function:{make_function('x = 1').name}"
    ours = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": [CREATED]}]}
    assert source.refusal(**ours) == words  # S3 may not invoke it
    ours["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] += "-gone"
    assert source.refusal(**ours) == words


def test_a_destination_gets_a_test_event(source):
    source.put(source.configured(CREATED))
    (event,) = source.messages(1)
    assert (event["Service"], event["Event"], event["Bucket"]) == ("Amazon S3", "s3:TestEvent", source.bucket)


def test_the_event_of_an_object_that_was_put(source, clients):
    source.put(source.configured(CREATED, identifier="mine"))
    answer = source.s3.put_object(Bucket=source.bucket, Key="a b/日.txt", Body=b"hello")["ResponseMetadata"]
    (record,) = source.records(1)
    caller = clients("sts").get_caller_identity()
    owner = record["s3"]["bucket"]["ownerIdentity"]["principalId"]
    expected = owner if caller["Arn"].endswith(":root") else f"AWS:{caller['UserId']}"
    assert record["userIdentity"] == {"principalId": expected}
    assert re.fullmatch("A[0-9A-F]{13}", owner)
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    ids = {"x-amz-request-id": answer["RequestId"], "x-amz-id-2": answer["HostId"]}
    assert record["responseElements"] == ids
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", record["eventTime"])
    assert {name: record[name] for name in ("eventVersion", "eventSource", "awsRegion", "eventName")} == {
        "eventVersion": "2.6",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
    }
    assert (record["s3"]["s3SchemaVersion"], record["s3"]["configurationId"]) == ("1.0", "mine")
    thing = record["s3"]["object"]
    assert re.fullmatch("[0-9A-F]{18}", thing.pop("sequencer"))
    assert thing == {"key": "a+b/%E6%97%A5.txt", "size": 5, "eTag": "5d41402abc4b2a76b9719d911017c592"}


def test_the_names_of_events_and_what_a_deletion_does_not_tell(source):
    source.put(source.configured(CREATED, REMOVED, "s3:ObjectTagging:*", "s3:ObjectAcl:Put"))
    s3, of = source.s3, {"Bucket": source.bucket, "Key": "k"}
    s3.put_object(**of, Body=b"1")
    s3.copy_object(Bucket=source.bucket, Key="copy", CopySource=f"{source.bucket}/k")
    upload = s3.create_multipart_upload(**of)["UploadId"]
    part = s3.upload_part(**of, UploadId=upload, PartNumber=1, Body=b"2")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(**of, UploadId=upload, MultipartUpload=parts)
    s3.put_object_tagging(**of, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object_tagging(**of)
    s3.delete_object(**of)
    s3.delete_object(**of)  # which is gone: no event
    records = source.records(6)
    assert sorted(record["eventName"] for record in records) == [
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectCreated:Copy",
        "ObjectCreated:Put",
        "ObjectRemoved:Delete",
        "ObjectTagging:Delete",
        "ObjectTagging:Put",
    ]
    things = {record["eventName"]: record["s3"]["object"] for record in records}
    assert set(things["ObjectRemoved:Delete"]) == {"key", "sequencer"}
    assert set(things["ObjectTagging:Put"]) == {"key", "eTag"}


def test_a_versioned_bucket_names_its_versions(source):
    s3, of = source.s3, {"Bucket": source.bucket, "Key": "k"}
    s3.put_bucket_versioning(Bucket=source.bucket, VersioningConfiguration={"Status": "Enabled"})
    source.put(source.configured(CREATED, REMOVED))
    version = s3.put_object(**of, Body=b"1")["VersionId"]
    marker = s3.delete_object(**of)["VersionId"]
    s3.delete_object(**of, VersionId=version)
    things = {record["eventName"]: record["s3"]["object"] for record in source.records(3)}
    assert things["ObjectCreated:Put"]["versionId"] == things["ObjectRemoved:Delete"]["versionId"] == version
    assert things["ObjectRemoved:DeleteMarkerCreated"]["versionId"] == marker
    assert not {"size", "eTag"} & set(things["ObjectRemoved:DeleteMarkerCreated"])


def test_what_eventbridge_is_told(source, clients):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    events, name = clients("events"), source.bucket
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": source.queue}])
    source.s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    answer = source.s3.put_object(Bucket=name, Key="a b.txt", Body=b"hello")["ResponseMetadata"]
    source.s3.delete_object(Bucket=name, Key="a b.txt")
    told = {message["detail-type"]: message for message in source.messages(2)}
    created, deleted = told["Object Created"]["detail"], told["Object Deleted"]["detail"]
    assert created["object"].pop("sequencer") < deleted["object"].pop("sequencer")
    assert created == {
        "version": "0",
        "bucket": {"name": name},
        "object": {"key": "a b.txt", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"},
        "request-id": answer["RequestId"],
        "requester": "000000000000",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }
    assert deleted["object"] == {"key": "a b.txt"}
    assert (deleted["reason"], deleted["deletion-type"]) == ("DeleteObject", "Permanently Deleted")
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
