"""Log groups and streams are made and refused in AWS's words."""

import pytest
from localaws_client import refused

GONE = "ResourceNotFoundException"
THERE = "ResourceAlreadyExistsException"
NO_GROUP, NO_STREAM = "The specified log group does not exist.", "The specified log stream does not exist."


@pytest.fixture
def group(clients):
    client, name = clients("logs"), "/test/groups"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    client.delete_log_group(logGroupName=name)


def test_what_is_there_is_not_made_again(clients, group):
    client = clients("logs")
    assert refused(client.create_log_group, logGroupName=group) == (THERE, "The specified log group already exists")
    assert refused(client.create_log_stream, logGroupName=group, logStreamName="s") == (
        THERE,
        "The specified log stream already exists",
    )


def test_what_is_not_there(clients, group):
    client = clients("logs")
    none = {"logGroupName": "/none"}
    for call, members in (
        (client.delete_log_group, {}),
        (client.create_log_stream, {"logStreamName": "s"}),
        (client.delete_log_stream, {"logStreamName": "s"}),
        (client.put_retention_policy, {"retentionInDays": 7}),
        (client.delete_retention_policy, {}),
        (client.describe_subscription_filters, {}),
    ):
        assert refused(call, **none, **members) == (GONE, NO_GROUP)
    assert refused(client.delete_log_stream, logGroupName=group, logStreamName="no") == (GONE, NO_STREAM)


def test_names(clients, group):
    client = clients("logs")
    begins = "1 validation error detected: Value "
    code, message = refused(client.create_log_group, logGroupName="a b")
    assert (code, message) == (
        "InvalidParameterException",
        f"{begins}'a b' at 'logGroupName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
    )
    for name in ("a:b", "a*", "x" * 513):
        assert refused(client.create_log_stream, logGroupName=group, logStreamName=name)[1].startswith(begins)


PROTECTED = (
    "ValidationException",
    "Cannot delete log group with deletion protection enabled. Disable deletion protection first.",
)


def test_a_protected_group_is_not_deleted(clients):
    client, name = clients("logs"), "/test/protected"
    client.create_log_group(logGroupName=name, deletionProtectionEnabled=True)
    client.create_log_stream(logGroupName=name, logStreamName="s")

    def protected():
        return client.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["deletionProtectionEnabled"]

    assert protected()
    assert refused(client.delete_log_group, logGroupName=name) == PROTECTED
    assert refused(client.delete_log_stream, logGroupName=name, logStreamName="s") == PROTECTED
    client.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=False)
    assert not protected()
    client.delete_log_stream(logGroupName=name, logStreamName="s")
    client.delete_log_group(logGroupName=name)


def test_protection_is_put_on_a_group_by_its_name_or_its_arn(clients, group):
    client = clients("logs")
    put = client.put_log_group_deletion_protection
    arn = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    for identifier in (group, arn):
        put(logGroupIdentifier=identifier, deletionProtectionEnabled=True)
        assert refused(client.delete_log_group, logGroupName=group) == PROTECTED
        put(logGroupIdentifier=identifier, deletionProtectionEnabled=False)
    assert refused(put, logGroupIdentifier="/none", deletionProtectionEnabled=True) == (GONE, NO_GROUP)
