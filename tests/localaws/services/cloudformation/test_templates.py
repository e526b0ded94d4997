"""A template that is none is refused, in CloudFormation's words, wherever it is given, and leaves no stack."""

import json

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually, refused

QUEUE = {"Type": "AWS::SQS::Queue"}
FORMAT_ERROR = "Template format error: "
RESOURCES, OUTPUTS = "in the Resources block of the template", "in the Outputs block of the template"
NO_RESOURCES = "At least one Resources member must be defined."
MALFORMED = "[/Resources/Any] resource definition is malformed"
NO_CONDITION = "Conditions can only be boolean operations on parameters and other conditions"
BAD_SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
    "first argument, and an optional second argument to specify a mapping of values to replace in the string"
)


@pytest.fixture
def stacks(clients):
    return clients("cloudformation")


@pytest.fixture
def made(stacks):
    """Make a stack, and wait until it is; it is deleted afterwards."""
    names = []

    def make(name, body, **parameters):
        stacks.create_stack(StackName=name, TemplateBody=body, **parameters)
        names.append(name)
        return ended(stacks, name)

    yield make
    for name in names:
        stacks.delete_stack(StackName=name)


def ended(stacks, name):
    """A stack, once nothing is in progress any more."""

    def look():
        (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
        return stack if not stack["StackStatus"].endswith("IN_PROGRESS") else None

    return eventually(look)


def of(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def of_queue(**attributes):
    return of({"Any": {**QUEUE, **attributes}})


def with_queue(**sections):
    return of({"Any": QUEUE}, **sections)


def of_property(value):
    return of_queue(Properties={"QueueName": value})


def of_condition(value):
    return with_queue(Conditions={"C": value})


def unresolved(*names, block=RESOURCES):
    return f"{FORMAT_ERROR}Unresolved resource dependencies [{', '.join(names)}] {block}"


def null_at(place):
    return f"[{place}] 'null' values are not allowed in templates"


WRONG = [
    ("text", "unsupported structure."),
    ("[1]", "unsupported structure."),
    ('{"Resources": ', "JSON not well-formed. (line 1, column 14)"),
    ("Resources:\n  Any:\n   Type: x\n  y", "YAML not well-formed. (line 4, column 4)"),
    ("{}", NO_RESOURCES),
    (of({}), NO_RESOURCES),
    (of([]), NO_RESOURCES),
    (of([1]), "Every Resources member must be an object."),
    (of({"Any": "queue"}), MALFORMED),
    (of({"Fn::ForEach::Q": []}), "[/Resources/Fn::ForEach::Q] resource definition is malformed"),
    (of_queue(Properties="none"), MALFORMED),
    (of_queue(Type=5), "[/Resources/Any] Every Type member must be a string."),
    (of({"Any": {}}), "[/Resources/Any] Every Resources object must contain a Type member."),
    (of({"Any": {"Type": "AWS::No::Thing"}}), "Unrecognized resource types: [AWS::No::Thing]"),
    (of({"a-b": QUEUE}), "Resource name a-b is non alphanumeric."),
    (of_queue(DependsOn=5), "DependsOn must be a string or list of strings."),
    (of_queue(Condition=["C"]), "Every Condition member must be a string."),
    (with_queue(Outputs={"a_b": {"Value": "x"}}), "Output name a_b is non alphanumeric."),
    (with_queue(Outputs={"O": {}}), "Every Outputs member must contain a Value object"),
    (with_queue(Outputs={"O": {"Value": "x", "Condition": {}}}), "Every Condition member must be a string."),
    (with_queue(Parameters={"a-b": {"Type": "String"}}), "Parameter name a-b is non alphanumeric."),
    (with_queue(Parameters={"P": {}}), "Every Parameters object must contain a Type member."),
    (with_queue(Parameters={"P": {"Type": "Text"}}), "Unrecognized parameter type: Text"),
    (with_queue(Parameters=[]), "Every Parameters member must be an object."),
    (
        with_queue(Parameters={"P": {"Type": "String", "AllowedValues": 5}}),
        "Every AllowedValues member must be a list.",
    ),
    (with_queue(Mappings=[1]), "Every Mappings member must be an object."),
    (with_queue(Mappings={"M": {"a": "b"}}), "Every Mappings member must be an object."),
    (with_queue(AWSTemplateFormatVersion="2020-01-01"), "unsupported value for AWSTemplateFormatVersion."),
    (with_queue(Description={"Fn::Sub": "x"}), "Every Description member must be a string."),
    (with_queue(Outputs={"O": {"Value": "x", "Description": ["y"]}}), "Every Description member must be a string."),
    (with_queue(Conditions=["x"]), "Every Conditions member must be an object."),
    (of_condition("x"), NO_CONDITION),
    (of_condition({"Fn::If": ["a", "b", "c"]}), NO_CONDITION),
    (of_condition({"Fn::Not": ["x"]}), NO_CONDITION),
    (of_condition({"Condition": "No"}), "Unresolved condition dependency No in the Conditions block of the template"),
    (
        of_condition({"Fn::Equals": [{"Ref": "Any"}, "x"]}),
        "Unresolved dependencies [Any]. Cannot reference resources in the Conditions block of the template",
    ),
    (of_queue(Condition="No"), f"Unresolved condition dependency No {RESOURCES}"),
    (of_property({"Fn::If": ["No", "a", "b"]}), f"Unresolved condition dependency No {RESOURCES}"),
]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        *((body, FORMAT_ERROR + words) for body, words in WRONG),
        ("Resources:", null_at("/Resources")),
        (of({"Any": None}), null_at("/Resources/Any")),
        (of_property([None]), null_at("/Resources/Any/Type/QueueName/0")),
        (with_queue(Outputs={"O": {"Value": None}}), null_at("/Outputs/O/Value")),
        (of_property({"Ref": "None"}), unresolved("None")),
        (of_property({"Ref": "x\x01y"}), unresolved("xy")),
        (of_property({"Fn::GetAtt": ["None", "Arn"]}), unresolved("None")),
        (of_property({"Fn::GetAtt": "None.Arn"}), unresolved("None")),
        (of_property({"Fn::Sub": "a${One}${!Literal}${AWS::Region}${Two.Arn}"}), unresolved("One", "Two")),
        (of_property({"Fn::Sub": ["${One}${Own}${A.B}${C.D}", {"Own": 1, "A.B": 2, "C": 3}]}), unresolved("One", "C")),
        (of_queue(DependsOn="None"), unresolved("None")),
        (of_queue(DependsOn=["Any", "No"]), unresolved("No")),
        (with_queue(Outputs={"O": {"Value": {"Ref": "No"}}}), unresolved("No", block=OUTPUTS)),
        (of_property({"Fn::Sub": 5}), BAD_SUB),
        (of_property({"Fn::Sub": ["${X}", 5]}), BAD_SUB),
        (
            of_property({"Fn::Sub": "${VAR:-x}"}),
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
            "periods, and colons",
        ),
        (
            of_condition({"Fn::Equals": "x"}),
            "Template error: every Fn::Equals object requires a list of 2 string parameters.",
        ),
        (of_condition({"Fn::Not": []}), "Template error: every Fn::Not object requires one boolean parameter."),
        (
            of_condition({"Fn::And": [{"Fn::Equals": [1, 1]}]}),
            "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
        ),
        (of_queue(DependsOn=["Any"]), "Circular dependency between resources: [Any]"),
        (
            of({"A": {**QUEUE, "DependsOn": "B"}, "B": {**QUEUE, "Properties": {"QueueName": {"Ref": "A"}}}}),
            "Circular dependency between resources: [A, B]",
        ),
        (with_queue(Resource={}, Output={}), "Invalid template property or properties [Resource, Output]"),
        (of_queue(Property={}), "Invalid template resource property 'Property'"),
        (of_queue(Version="1.0"), "Invalid template resource property 'Version'"),
    ],
)
def test_a_template_that_is_none(stacks, body, words):
    told = ("ValidationError", words)
    assert refused(stacks.create_stack, StackName="refused", TemplateBody=body) == told
    assert refused(stacks.validate_template, TemplateBody=body) == told
    with pytest.raises(ClientError, match="refused does not exist"):
        stacks.describe_stacks(StackName="refused")


@pytest.mark.parametrize(
    "body",
    [
        of_condition({"Condition": "C"}),
        "Resources:\n  Any: &any\n    Type: AWS::SQS::Queue\n    Metadata: {Again: *any}",
        "Metadata:\n  a0: &a0 []\n"
        + "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    ],
    ids=["a condition of itself", "YAML that is in itself", "YAML that multiplies"],
)
def test_what_has_no_end_is_refused_too(stacks, body):
    told = refused(stacks.create_change_set, StackName="endless", ChangeSetName="x", TemplateBody=body, **CREATE)
    assert told == ("ValidationError", f"{FORMAT_ERROR}unsupported structure.")
    with pytest.raises(ClientError, match="endless does not exist"):
        stacks.describe_stacks(StackName="endless")


CREATE = {"ChangeSetType": "CREATE"}


def test_whoever_gives_a_template_hears_what_is_wrong_with_it(stacks, made):
    told = ("ValidationError", FORMAT_ERROR + NO_RESOURCES)
    made("changed", with_queue())
    assert refused(stacks.update_stack, StackName="changed", TemplateBody=of({})) == told
    change = {"StackName": "changed", "ChangeSetName": "one"}
    assert refused(stacks.create_change_set, **change, TemplateBody=of({})) == told
    assert refused(stacks.get_template_summary, TemplateBody=of({})) == told
    assert ended(stacks, "changed")["StackStatus"] == "CREATE_COMPLETE"


def test_a_change_set_that_is_refused_leaves_the_one_before(stacks):
    name = {"StackName": "reviewed"}
    stacks.create_change_set(**name, ChangeSetName="good", TemplateBody=with_queue(), **CREATE)
    bad = {"ChangeSetName": "bad", "TemplateBody": of({"Any": {"Type": "AWS::No::Thing"}})}
    assert refused(stacks.create_change_set, **name, **bad, **CREATE)[0] == "ValidationError"
    stacks.execute_change_set(**name, ChangeSetName="good")
    assert ended(stacks, "reviewed")["StackStatus"] == "CREATE_COMPLETE"
    stacks.delete_stack(**name)


@pytest.fixture
def bucket(clients):
    """Put a template of a nested stack into a bucket, for its address."""
    s3, name, keys = clients("s3"), "templates-of-a-test", []
    s3.create_bucket(Bucket=name)

    def put(body):
        keys.append(f"{len(keys)}.json")
        s3.put_object(Bucket=name, Key=keys[-1], Body=body)
        return f"{s3.meta.endpoint_url}/{name}/{keys[-1]}"

    yield put
    for key in keys:
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{}", NO_RESOURCES),
        (of_property({"Ref": "No"}), "Unresolved resource dependencies [No]"),
        (of({"Any": {"Type": "AWS::No::Thing"}}), "Unrecognized resource types: [AWS::No::Thing]"),
        (of_queue(Property={}), "Invalid template resource property 'Property'"),
    ],
)
def test_a_nested_template_that_is_none_fails_the_stack(stacks, made, bucket, body, words):
    before = len(stacks.describe_stacks()["Stacks"])
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": bucket(body)}}
    assert made("outer", of({"Inner": nested}))["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stacks.describe_stack_events(StackName="outer")["StackEvents"]
    assert any(words in event.get("ResourceStatusReason", "") for event in events)
    assert len(stacks.describe_stacks()["Stacks"]) == before + 1


def test_a_nested_template_that_is_well(made, bucket):
    body = of({"Any": QUEUE, "Never": {"Type": "AWS::No::Thing", "Condition": "C"}}, **NEVER)
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": bucket(body)}}
    assert made("outer-well", of({"Inner": nested}))["StackStatus"] == "CREATE_COMPLETE"


NEVER = {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}}
WHOLE = """
AWSTemplateFormatVersion: 2010-09-09
Description: All that a template may have
Metadata: {Of: us, 1: one, on: two, Ref: Nobody}
Parameters:
  Name: {Type: String, Default: whole, AllowedValues: [whole, part]}
  Names: {Type: List<AWS::EC2::Subnet::Id>, Default: a}
  Texts: {Type: List<String>, Default: 'a,b'}
  Kept: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /kept}
Conditions:
  Large: !Equals [!Ref Name, large]
  Small: !Not [!Condition Large]
  Any: !Or [!Condition Large, !And [!Condition Small, !Equals [!Ref 'AWS::Region', !Ref 'AWS::Region']]]
Mappings:
  Sizes: {small: {seconds: 30}, 123456789012: {seconds: 31}}
Resources:
  Dead: {Type: AWS::SQS::Queue, DeletionPolicy: Delete, UpdateReplacePolicy: Delete}
  Any:
    Type: AWS::SQS::Queue
    DependsOn: [Dead]
    Condition: Any
    Metadata: {Ref: Nobody, Of: us}
    Properties:
      QueueName: !Sub ['${Name}-${Own}-${A.B}-${ AWS::Region }', {Own: !If [Large, 'l', 's'], A.B: x}]
      VisibilityTimeout: !FindInMap [Sizes, '123456789012', seconds]
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  123: {Type: AWS::SQS::Queue}
Outputs:
  Url: {Value: !Ref Any, Condition: Large}
  Arn: {Value: !Sub 'of ${Any.QueueName}', Description: its name}
  Number: {Value: !GetAtt '123.QueueName'}
"""


def test_a_template_that_has_everything(stacks, made, clients):
    clients("ssm").put_parameter(Name="/kept", Type="String", Value="x")
    stacks.validate_template(TemplateBody=WHOLE)
    stack = made("whole", WHOLE)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {each["OutputKey"] for each in stack["Outputs"]} == {"Arn", "Number"}
    clients("ssm").delete_parameter(Name="/kept")


CUSTOM = {"Type": "Custom::Ping", "Version": "1.0", "Properties": {"ServiceToken": "arn:aws:sns:us-east-1:1:x"}}
INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://none/x.yaml"}}}
LOOP = {
    "Fn::ForEach::Queues": ["N", ["A", "B"], {"Q${N}": {**QUEUE, "Properties": {"QueueName": {"Fn::Sub": "${N}"}}}}]
}


@pytest.mark.parametrize(
    "body",
    [
        of({"Any": CUSTOM}),
        of({"Any": QUEUE, **INCLUDE}, Outputs={"O": {"Value": {"Ref": "OfTheSnippet"}}}),
        of({"Any": INCLUDE}),
        of(LOOP, Transform="AWS::LanguageExtensions"),
        of({"Any": {"Type": "AWS::Serverless::Function"}}, Transform="AWS::Serverless-2016-10-31", Globals={}),
        "Transform: AWS::LanguageExtensions\nResources:\n  Any:\n    Type: AWS::SQS::Queue\n    Metadata:\n"
        "      Text: !ToJsonString {a: 1}\n      Long: !Length [1]",
    ],
    ids=["custom", "snippet", "whole snippet", "loop", "serverless", "short forms"],
)
def test_what_only_a_transform_can_judge_and_custom_resources_are_not_refused(stacks, body):
    stacks.validate_template(TemplateBody=body)


def test_what_a_transform_has_made_is_judged(stacks, made):
    transform, allowed = {"Transform": "AWS::LanguageExtensions"}, {"Capabilities": ["CAPABILITY_AUTO_EXPAND"]}
    assert made("looped", of(LOOP, **transform), **allowed)["StackStatus"] == "CREATE_COMPLETE"
    wrong = of({**LOOP, "Any": {**QUEUE, "DependsOn": "No"}}, **transform)
    assert refused(stacks.create_stack, StackName="refused", TemplateBody=wrong, **allowed)[1] == unresolved("No")
