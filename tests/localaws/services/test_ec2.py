"""Instances: ids, types and launch templates that AWS refuses, and what of a template an instance has."""

import pytest
from localaws_client import refused

IMAGE = "ami-12345678"
TAGS = [{"Key": "of", "Value": "template"}, {"Key": "kept", "Value": "yes"}]
ONE = {"MinCount": 1, "MaxCount": 1}


@pytest.fixture
def ec2(clients):
    return clients("ec2")


@pytest.fixture
def run(ec2):
    """Run an instance, and tell of it; it is ended afterwards."""
    made = []

    def run(**parameters):
        (instance,) = ec2.run_instances(**ONE, **parameters)["Instances"]
        made.append(instance["InstanceId"])
        return instance

    yield run
    if made:
        ec2.terminate_instances(InstanceIds=made)


@pytest.fixture
def template(ec2):
    """A launch template of two versions, by its name and its id."""
    its = {"LaunchTemplateName": "of-a-test"}
    first = {"ImageId": IMAGE, "InstanceType": "t4g.nano", "KeyName": "mine"}
    first["TagSpecifications"] = [{"ResourceType": "instance", "Tags": TAGS}]
    made = ec2.create_launch_template(**its, LaunchTemplateData=first)["LaunchTemplate"]
    ec2.create_launch_template_version(**its, LaunchTemplateData=first | {"InstanceType": "t3.micro"})
    yield made
    ec2.delete_launch_template(**its)


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "sentence"),
    [
        ("run_instances", {**ONE, "ImageId": "linux"}, "AMI", 'Invalid id: "linux" (expecting "ami-...")'),
        ("run_instances", {**ONE, "ImageId": "ami-1"}, "AMI", 'Invalid id: "ami-1"'),
        ("stop_instances", {"InstanceIds": ["mine"]}, "Instance", 'Invalid id: "mine" (expecting "i-...")'),
        ("start_instances", {"InstanceIds": ["i-12345678", "i-XYZ"]}, "Instance", 'Invalid id: "i-XYZ"'),
        ("describe_instances", {"InstanceIds": ["i-123456789"]}, "Instance", 'Invalid id: "i-123456789"'),
        ("terminate_instances", {"InstanceIds": ["<&>"]}, "Instance", 'Invalid id: "<&>" (expecting "i-...")'),
        ("delete_launch_template", {"LaunchTemplateId": "x"}, "Template", 'Invalid id: "x" (expecting "lt-...")'),
    ],
)
def test_an_id_that_is_none(ec2, operation, parameters, code, sentence):
    codes = {"AMI": "InvalidAMIID", "Instance": "InvalidInstanceID", "Template": "InvalidLaunchTemplateId"}
    assert refused(getattr(ec2, operation), **parameters) == (f"{codes[code]}.Malformed", sentence)


def test_an_instance_that_is_not_there(ec2):
    code, _ = refused(ec2.stop_instances, InstanceIds=["i-0123456789abcdef0"])
    assert code == "InvalidInstanceID.NotFound"


@pytest.mark.parametrize("kind", ["x9.gigantic", "T3.MICRO", "<t3>"])
def test_a_type_that_there_is_not(ec2, kind):
    told = refused(ec2.run_instances, **ONE, ImageId=IMAGE, InstanceType=kind)
    assert told == ("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")


@pytest.mark.parametrize("image", [IMAGE, "ami-0123456789abcdef0", "resolve:ssm:/aws/service/any"])
@pytest.mark.parametrize("kind", ["t4g.nano", "m7i.metal-48xl"])
def test_what_is_allowed(run, image, kind):
    assert run(ImageId=image, InstanceType=kind)["InstanceType"] == kind


def test_an_instance_needs_an_image(ec2):
    told = refused(ec2.run_instances, **ONE, InstanceType="t3.micro")
    assert told == ("MissingParameter", "The request must contain the parameter ImageId")


@pytest.mark.parametrize(
    ("version", "own", "kind"),
    [
        ({}, {}, "t4g.nano"),
        ({"Version": "$Latest"}, {}, "t3.micro"),
        ({"Version": "2"}, {}, "t3.micro"),
        ({}, {"InstanceType": "m7g.large"}, "m7g.large"),
    ],
)
@pytest.mark.parametrize("by", ["LaunchTemplateName", "LaunchTemplateId"])
def test_an_instance_is_as_its_launch_template_says(run, template, by, version, own, kind):
    made = run(LaunchTemplate={by: template[by], **version}, **own)
    assert (made["ImageId"], made["InstanceType"], made["KeyName"]) == (IMAGE, kind, "mine")


@pytest.mark.parametrize(
    ("by", "code", "which"),
    [
        ({"LaunchTemplateName": "none"}, "InvalidLaunchTemplateName.NotFoundException", "template name none"),
        ({"LaunchTemplateId": "lt-12345678"}, "InvalidLaunchTemplateId.NotFound", "template ID lt-12345678"),
    ],
)
def test_a_launch_template_that_is_not_there(ec2, by, code, which):
    told = refused(ec2.run_instances, **ONE, LaunchTemplate=by)
    assert told == (code, f"The specified launch template, with {which}, does not exist.")


def test_tags_of_a_template_and_of_a_request_come_together(ec2, run, template):
    own = [{"ResourceType": "instance", "Tags": [{"Key": "of", "Value": "request"}]}]
    made = run(LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"]}, TagSpecifications=own)
    assert {each["Key"]: each["Value"] for each in made["Tags"]} == {"of": "request", "kept": "yes"}


@pytest.mark.parametrize("version", ["99", "abc"])
def test_a_version_that_is_not_there(ec2, template, version):
    told = refused(ec2.run_instances, **ONE, LaunchTemplate={"LaunchTemplateName": "of-a-test", "Version": version})
    which = f"version {version} for the launch template with ID {template['LaunchTemplateId']}"
    assert told == ("InvalidLaunchTemplateId.VersionNotFound", f"Could not find the specified {which}.")


def test_a_template_with_an_image_that_is_none(ec2, template):
    data = {"ImageId": "ami-xyz"}
    ec2.create_launch_template_version(LaunchTemplateName="of-a-test", LaunchTemplateData=data)
    latest = {"LaunchTemplateName": "of-a-test", "Version": "$Latest"}
    assert refused(ec2.run_instances, **ONE, LaunchTemplate=latest)[0] == "InvalidAMIID.Malformed"


def test_a_dry_run_starts_nothing(ec2):
    before = ec2.describe_instances()["Reservations"]
    told = refused(ec2.run_instances, **ONE, ImageId=IMAGE, DryRun=True)
    assert told == ("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    assert ec2.describe_instances()["Reservations"] == before
    assert refused(ec2.run_instances, **ONE, ImageId="none", DryRun=True)[0] == "InvalidAMIID.Malformed"


def test_a_refusal_can_be_read_whatever_it_quotes(ec2):
    assert refused(ec2.run_instances, **ONE, ImageId=IMAGE, InstanceType="t\x01")[0] == "InvalidParameterValue"
    assert refused(ec2.stop_instances, InstanceIds=["i-\x01"])[0] == "InvalidInstanceID.Malformed"
