"""Keys, copies and pages that S3 does not allow are refused."""

import base64

import pytest
from localaws_client import made_bucket, refused

from helpers.localaws.services.s3.limits import NO_CHANGE


@pytest.fixture
def s3(clients):
    return clients("s3")


@pytest.fixture
def bucket(clients, s3):
    with made_bucket(clients, "limited") as name:
        s3.put_object(Bucket=name, Key="a/key", Body=b"hello", Metadata={"colour": "red"})
        yield name


def test_a_key_has_1024_bytes_at_most(s3, bucket):
    s3.put_object(Bucket=bucket, Key="ü" * 512, Body=b"")
    long = {"Bucket": bucket, "Key": "ü" * 512 + "x"}
    assert refused(s3.put_object, **long, Body=b"") == ("KeyTooLongError", "Your key is too long")
    assert refused(s3.get_object, **long) == ("KeyTooLongError", "Your key is too long")


@pytest.mark.parametrize(
    "changes",
    [
        {"MetadataDirective": "REPLACE", "Metadata": {"colour": "blue"}},
        {"StorageClass": "STANDARD_IA"},
        {"ServerSideEncryption": "AES256"},
        {"WebsiteRedirectLocation": "/other"},
    ],
)
def test_a_copy_to_its_own_place_has_to_change_something(s3, bucket, changes):
    its = {"Bucket": bucket, "Key": "a/key"}
    assert refused(s3.copy_object, **its, CopySource=f"{bucket}/a/key") == ("InvalidRequest", NO_CHANGE)
    assert refused(s3.copy_object, **its, CopySource=its) == ("InvalidRequest", NO_CHANGE)
    s3.copy_object(**its, CopySource=its, **changes)
    s3.copy_object(Bucket=bucket, Key="another", CopySource=its)
    assert s3.get_object(Bucket=bucket, Key="another")["Body"].read() == b"hello"


def test_a_page_has_a_thousand_keys_at_most(s3, bucket):
    for number in range(1001):
        s3.put_object(Bucket=bucket, Key=f"many/{number:04}", Body=b"")
    page = s3.list_objects_v2(Bucket=bucket, Prefix="many/", MaxKeys=5000)
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (1000, 1000, True)
    rest = s3.list_objects_v2(Bucket=bucket, Prefix="many/", ContinuationToken=page["NextContinuationToken"])
    assert [each["Key"] for each in rest["Contents"]] == ["many/1000"]
    assert len(s3.list_objects(Bucket=bucket, Prefix="many/", MaxKeys=5000)["Contents"]) == 1000


def test_a_page_without_keys_is_all_that_there_is(s3, bucket):
    for listed in (s3.list_objects_v2, s3.list_objects):
        page = listed(Bucket=bucket, MaxKeys=0)
        assert page["IsTruncated"] is False and "Contents" not in page


def test_a_page_of_fewer_than_none(s3, bucket):
    words = "Argument maxKeys must be an integer between 0 and 2147483647"
    assert refused(s3.list_objects_v2, Bucket=bucket, MaxKeys=-1) == ("InvalidArgument", words)


@pytest.mark.parametrize("token", ["zz", "no token", "ü", base64.b64encode(b"\xff").decode()])
def test_a_token_that_is_none(s3, bucket, token):
    told = refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken=token)
    assert told == ("InvalidArgument", "The continuation token provided is incorrect")
