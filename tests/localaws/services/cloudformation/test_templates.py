"""A template that is none is refused, in CloudFormation's words, wherever it is given, and leaves no stack."""

import json

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually, refused

QUEUE = {"Type": "AWS::SQS::Queue"}
FORMAT_ERROR = "Template format error: "


@pytest.fixture
def stacks(clients):
    return clients("cloudformation")


def of(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def with_queue(**sections):
    return of({"Any": QUEUE}, **sections)


def of_property(value):
    return of({"Any": {**QUEUE, "Properties": {"QueueName": value}}})


RESOURCES, OUTPUTS = "in the Resources block of the template", "in the Outputs block of the template"
NO_RESOURCES = "At least one Resources member must be defined."
MALFORMED = "[/Resources/Any] resource definition is malformed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("text", "unsupported structure."),
        ("[1]", "unsupported structure."),
        ('{"Resources": ', "JSON not well-formed. (line 1, column 14)"),
        ("Resources:\n  Any:\n   Type: x\n  y", "YAML not well-formed. (line 4, column 4)"),
        ("{}", NO_RESOURCES),
        (of({}), NO_RESOURCES),
        (of([]), NO_RESOURCES),
        ("Resources:", "[/Resources] 'null' values are not allowed in templates"),
        (of({"Any": None}), "[/Resources/Any] 'null' values are not allowed in templates"),
        (of_property([None]), "[/Resources/Any/Properties/QueueName/0] 'null' values are not allowed in templates"),
        (of([1]), "Every Resources member must be an object."),
        (of({"Any": "queue"}), MALFORMED),
        (of({"Any": {"Type": 5}}), MALFORMED),
        (of({"Any": {**QUEUE, "Properties": "none"}}), MALFORMED),
        (of({"Any": {}}), "[/Resources/Any] Every Resources object must contain a Type member."),
        (of({"Any": {"Type": "AWS::No::Thing"}}), "Unrecognized resource types: [AWS::No::Thing]"),
        (of({"a-b": QUEUE}), "Resource name a-b is non alphanumeric."),
        (with_queue(Outputs={"a_b": {"Value": "x"}}), "Output name a_b is non alphanumeric."),
        (with_queue(Outputs={"O": {}}), "Every Outputs member must contain a Value object"),
        (with_queue(Parameters={"a-b": {"Type": "String"}}), "Parameter name a-b is non alphanumeric."),
        (with_queue(Parameters={"P": {}}), "Every Parameters object must contain a Type member."),
        (with_queue(Parameters={"P": {"Type": "Text"}}), "Unrecognized parameter type: Text"),
        (with_queue(Parameters=[]), "Every Parameters member must be an object."),
        (with_queue(AWSTemplateFormatVersion="2020-01-01"), "unsupported value for AWSTemplateFormatVersion."),
        (with_queue(Description={"Fn::Sub": "x"}), "Every Description member must be a string."),
        (with_queue(Outputs={"O": {"Value": "x", "Description": ["y"]}}), "Every Description member must be a string."),
        (of_property({"Ref": "None"}), f"Unresolved resource dependencies [None] {RESOURCES}"),
        (of_property({"Fn::GetAtt": ["None", "Arn"]}), f"Unresolved resource dependencies [None] {RESOURCES}"),
        (of_property({"Fn::GetAtt": "None.Arn"}), f"Unresolved resource dependencies [None] {RESOURCES}"),
        (
            of_property({"Fn::Sub": "a${One}${!Literal}${AWS::Region}${Two.Arn}"}),
            f"Unresolved resource dependencies [One, Two] {RESOURCES}",
        ),
        (of_property({"Fn::Sub": ["${One}${Own}", {"Own": 1}]}), f"Unresolved resource dependencies [One] {RESOURCES}"),
        (of({"Any": {**QUEUE, "DependsOn": "None"}}), f"Unresolved resource dependencies [None] {RESOURCES}"),
        (of({"Any": {**QUEUE, "DependsOn": ["Any", "No"]}}), f"Unresolved resource dependencies [No] {RESOURCES}"),
        (with_queue(Outputs={"O": {"Value": {"Ref": "No"}}}), f"Unresolved resource dependencies [No] {OUTPUTS}"),
        (of({"Any": {**QUEUE, "Condition": "No"}}), f"Unresolved condition dependency No {RESOURCES}"),
        (of_property({"Fn::If": ["No", "a", "b"]}), f"Unresolved condition dependency No {RESOURCES}"),
    ],
)
def test_a_template_that_is_none(stacks, body, words):
    told = ("ValidationError", FORMAT_ERROR + words)
    assert refused(stacks.create_stack, StackName="refused", TemplateBody=body) == told
    assert refused(stacks.validate_template, TemplateBody=body) == told
    with pytest.raises(ClientError, match="refused does not exist"):
        stacks.describe_stacks(StackName="refused")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (with_queue(Resource={}, Output={}), "Invalid template property or properties [Resource, Output]"),
        (of({"Any": {**QUEUE, "Property": {}}}), "Invalid template resource property 'Property'"),
    ],
)
def test_a_section_or_an_attribute_that_there_is_not(stacks, body, words):
    for ask in (stacks.validate_template, lambda **given: stacks.create_stack(StackName="refused", **given)):
        assert refused(ask, TemplateBody=body) == ("ValidationError", words)


def test_whoever_gives_a_template_hears_what_is_wrong_with_it(stacks):
    told = ("ValidationError", FORMAT_ERROR + NO_RESOURCES)
    stacks.create_stack(StackName="changed", TemplateBody=with_queue())
    status = lambda: stacks.describe_stacks(StackName="changed")["Stacks"][0]["StackStatus"]  # noqa: E731
    eventually(lambda: status() == "CREATE_COMPLETE")
    assert refused(stacks.update_stack, StackName="changed", TemplateBody=of({})) == told
    change = {"StackName": "changed", "ChangeSetName": "one"}
    assert refused(stacks.create_change_set, **change, TemplateBody=of({})) == told
    assert refused(stacks.get_template_summary, TemplateBody=of({})) == told
    assert status() == "CREATE_COMPLETE"
    stacks.delete_stack(StackName="changed")


WHOLE = """
AWSTemplateFormatVersion: 2010-09-09
Description: All that a template may have
Metadata: {Of: us}
Parameters:
  Name: {Type: String, Default: whole}
  Names: {Type: List<AWS::EC2::Subnet::Id>, Default: a}
  Kept: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /kept}
Conditions:
  Large: !Equals [!Ref Name, large]
Mappings:
  Sizes: {small: {seconds: 30}}
Resources:
  Dead: {Type: AWS::SQS::Queue, DeletionPolicy: Delete, UpdateReplacePolicy: Delete}
  Any:
    Type: AWS::SQS::Queue
    DependsOn: [Dead]
    Metadata: {Ref: Nobody, Of: us}
    Properties:
      QueueName: !Sub ['${Name}-${Own}-${AWS::Region}', {Own: !If [Large, 'l', 's']}]
      VisibilityTimeout: !FindInMap [Sizes, small, seconds]
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
Outputs:
  Url: {Value: !Ref Any, Condition: Large}
  Arn: {Value: !Sub 'of ${Any.QueueName}', Description: its name}
"""


def test_a_template_that_has_everything(stacks, clients):
    parameter = {"Name": "/kept", "Type": "String", "Value": "x"}
    clients("ssm").put_parameter(**parameter)
    stacks.validate_template(TemplateBody=WHOLE)
    stacks.create_stack(StackName="whole", TemplateBody=WHOLE)
    (told,) = stacks.describe_stacks(StackName="whole")["Stacks"]
    stacks.get_waiter("stack_create_complete").wait(StackName="whole", WaiterConfig={"Delay": 1})
    (told,) = stacks.describe_stacks(StackName="whole")["Stacks"]
    assert [each["OutputKey"] for each in told["Outputs"]] == ["Arn"]
    stacks.delete_stack(StackName="whole")
    clients("ssm").delete_parameter(Name="/kept")
