"""Topics, subscriptions and messages that AWS refuses, and an error that is XML whatever the request says."""

import functools
import json

import pytest
from localaws_client import refused


@pytest.fixture
def sns(clients):
    return clients("sns")


@pytest.fixture
def topic(sns):
    arn = sns.create_topic(Name="refusing")["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


def invalid(words):
    return "InvalidParameter", f"Invalid parameter: {words}"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "x" * 257, ".fifo", "\0é", "a\n"])
def test_what_is_no_name_of_a_topic(clients, name):
    assert refused(clients("sns").create_topic, Name=name) == ("InvalidParameter", "Invalid parameter: Topic Name")


@pytest.mark.parametrize("name", ["a", "A_b-1", "x" * 256, "a.fifo"])
def test_what_is_a_name_of_a_topic(clients, name):
    client = clients("sns")
    arn = client.create_topic(Name=name, Attributes={"FifoTopic": "true"} if name.endswith(".fifo") else {})["TopicArn"]
    client.delete_topic(TopicArn=arn)
    assert arn.endswith(f":{name}")


def test_an_error_is_xml_whatever_was_asked_for(clients):
    code, _ = refused(clients("sns").get_topic_attributes, TopicArn="\0\x1b")
    assert code in ("InvalidParameter", "NotFound")


@pytest.mark.parametrize(
    ("protocol", "endpoint", "words"),
    [
        ("pigeon", "x", "Amazon SNS does not support this protocol string: pigeon"),
        ("http", "https://127.0.0.1/", "Endpoint must match the specified protocol"),
        ("https", "x", "Endpoint must match the specified protocol"),
        ("email", "nobody", "Email address"),
        ("email-json", "two words@example.com", "Email address"),
        ("sqs", "orders", "SQS endpoint ARN"),
        ("lambda", "arn:aws:sqs:us-east-1:000000000000:orders", "Lambda endpoint ARN"),
    ],
)
def test_what_is_no_subscription(sns, topic, protocol, endpoint, words):
    assert refused(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint) == invalid(words)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("{", "failed to parse JSON."),
        ("[]", "Filter policy must be a JSON object"),
        ('{"colour": "red"}', '"colour" must be an object or an array'),
        ('{"car": {"colour": ["red"], "wheels": 4}}', '"wheels" must be an object or an array'),
    ],
)
def test_what_is_no_filter_policy(sns, topic, policy, words):
    told, by_mail = invalid(f"FilterPolicy: {words}"), {"Protocol": "email", "Endpoint": "a@example.com"}
    assert refused(sns.subscribe, TopicArn=topic, **by_mail, Attributes={"FilterPolicy": policy}) == told
    arn = sns.subscribe(TopicArn=topic, **by_mail, Attributes={"FilterPolicy": '{"colour": ["red"]}'})[
        "SubscriptionArn"
    ]
    new = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
    assert refused(sns.set_subscription_attributes, **new, AttributeValue=policy) == told
    sns.set_subscription_attributes(**new, AttributeValue="{}")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"Message": "x", "Subject": "x" * 100}, "Subject"),
        ({"Message": "x", "Subject": "two\nlines"}, "Subject"),
        ({"Message": "x", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
        ({"Message": "[]", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
        (
            {"Message": '{"sqs": "x"}', "MessageStructure": "json"},
            "Message Structure - No default entry in JSON message body",
        ),
        (
            {"Message": '{"default": 1}', "MessageStructure": "json"},
            "Message Structure - No default entry in JSON message body",
        ),
    ],
)
def test_what_is_no_message(sns, topic, message, words):
    assert refused(sns.publish, TopicArn=topic, **message) == invalid(words)


def test_what_is_a_message(sns, topic):
    sns.publish(TopicArn=topic, Message="x", Subject="Grüße" + "x" * 94)
    message = json.dumps({"default": "x", "sqs": "y"})
    assert sns.publish(TopicArn=topic, Message=message, MessageStructure="json")["MessageId"]


def test_what_is_no_subscription_arn(sns):
    words = "SubscriptionArn Reason: An ARN must have at least 6 elements, not 2"
    assert refused(sns.unsubscribe, SubscriptionArn="a:b") == invalid(words)


OF_ID = "The Id of a batch entry in the batch request"
NUMBER = "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"Id": "a b"}, ("InvalidBatchEntryId", f"{OF_ID} contains an impermissible character: a b")),
        ({"Id": "x" * 81}, ("InvalidBatchEntryId", f"{OF_ID} is too long: {'x' * 81}")),
        ({"Id": ""}, ("InvalidBatchEntryId", f"{OF_ID} contains an impermissible character: ")),
        ({"Id": "well"}, ("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")),
        ({"Subject": "x" * 101}, invalid("Subject")),
        ({"Message": ""}, invalid("Empty message")),
        ({"MessageStructure": "json"}, invalid("Message Structure - JSON message body failed to parse")),
        (
            {"MessageStructure": "json", "Message": "{}"},
            invalid("Message Structure - No default entry in JSON message body"),
        ),
    ],
)
def test_a_batch_with_an_entry_that_is_wrong(sns, topic, wrong, told):
    entries = [{"Id": "well", "Message": "m"}, {"Id": "wrong", "Message": "m", **wrong}]
    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == told


def test_how_many_entries_a_batch_has(sns, topic):
    ask = functools.partial(refused, sns.publish_batch, TopicArn=topic)
    none = "EmptyBatchRequest", "The batch request doesn't contain any entries."
    assert ask(PublishBatchRequestEntries=[]) == none
    assert ask(PublishBatchRequestEntries=[{"Id": "a b", "Message": ""}] * 11) == NUMBER
    gone = topic.replace("refusing", "gone")
    eleven, one = [{"Id": "a", "Message": "m"}] * 11, [{"Id": "a b", "Message": "m"}]
    assert refused(sns.publish_batch, TopicArn=gone, PublishBatchRequestEntries=eleven) == NUMBER
    assert refused(sns.publish_batch, TopicArn=gone, PublishBatchRequestEntries=one)[0] == "NotFound"


def test_a_batch_that_is_right(sns, topic):
    entries = [{"Id": "a_1-B", "Message": "m", "Subject": "s"}]
    entries.append({"Id": "2", "Message": '{"default": "m"}', "MessageStructure": "json"})
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a_1-B", "2"] and not answer["Failed"]


@pytest.mark.parametrize("by_content", ["true", "false"])
def test_a_batch_to_a_fifo_topic(sns, by_content):
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": by_content}
    topic = sns.create_topic(Name="refusing.fifo", Attributes=attributes)["TopicArn"]
    whole = {"Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    without_group, without_id = (
        {k: v for k, v in whole.items() if not k.startswith(f"Message{what}")} for what in "GD"
    )
    publish = functools.partial(sns.publish_batch, TopicArn=topic)
    for lacks in [without_group] if by_content == "true" else [without_group, without_id]:
        code, _ = refused(publish, PublishBatchRequestEntries=[{"Id": "1", **whole}, {"Id": "2", **lacks}])
        assert code == "InvalidParameter"
    right = [{"Id": "1", **whole}] + [{"Id": "2", **without_id}] * (by_content == "true")
    assert len(publish(PublishBatchRequestEntries=right)["Successful"]) == len(right)
    sns.delete_topic(TopicArn=topic)
