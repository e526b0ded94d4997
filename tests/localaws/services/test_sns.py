"""Names of topics are AWS's, and an error is XML whatever the request says."""

import pytest
from localaws_client import refused


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
