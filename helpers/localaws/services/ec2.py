"""EC2: what AWS refuses of ids, machine types and launch templates, and instances that are as their template says.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. MiniStack takes any, starts an instance
without a look at its launch template, and does what DryRun only asks whether it may.
"""

import re
from functools import cache
from html import escape

from ministack.services import ec2

from .contract import Contract
from .lambda_ import model
from .refusals import unless
from .shapes import Answer, Record
from .xml_text import legal

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ec2, "_ACTION_MAP"): None,
    (ec2, "_error"): ("code", "message", "status"),
    (ec2, "_p"): ("params", "key", "default"),
    (ec2, "_resolve_launch_template_data"): ("spec",),
}

# The members that hold ids: how an id begins, and the code of the refusal of what is none. An image may also stand in a
# parameter: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-systems-manager-parameter-to-find-AMI.html.
IDS = {
    "ImageId": ("ami", "InvalidAMIID.Malformed"),
    "InstanceId": ("i", "InvalidInstanceID.Malformed"),
    "LaunchTemplateId": ("lt", "InvalidLaunchTemplateId.Malformed"),
}
PARAMETER = "resolve:ssm:"
HEXADECIMAL = re.compile(r"[0-9a-f]{8}|[0-9a-f]{17}")
TEMPLATE = "LaunchTemplate.LaunchTemplate"  # what the members of RunInstances begin with that name one
TEXTS = ("ImageId", "InstanceType", "KeyName", "UserData", "SubnetId")  # of a template, as of RunInstances itself
ALLOWED = "Request would have succeeded, but DryRun flag is set."
VERSIONS = ("$Default", "$Latest")


def install() -> None:
    """Let MiniStack get what AWS allows. Call once, before it serves."""
    handlers = ec2._ACTION_MAP
    run = unless(_wrong_launch, unless(_dry_run, handlers["RunInstances"]))
    for action, handle in handlers.items():
        handlers[action] = unless(_malformed_id, unless(_dry_run, handle))
    handlers["RunInstances"] = unless(_malformed_id, unless(_wrong_template, lambda p: run(with_template(p))))


def malformed(member: str, value: str) -> tuple[str, str] | None:
    """Error code and sentence for an id that is none, in a member of a request such as "InstanceId.1", or None."""
    prefix, code = IDS.get(re.sub(r"\.\d+$", "", member), ("", ""))
    if not prefix or (prefix == "ami" and value.startswith(PARAMETER)):
        return None
    begins, _, rest = value.partition("-")
    if begins == prefix and HEXADECIMAL.fullmatch(rest):
        return None
    expected = "" if value.startswith(f"{prefix}-") else f' (expecting "{prefix}-...")'
    return code, f'Invalid id: "{value}"{expected}'


def with_template(p: Record) -> Record:
    """The parameters of RunInstances with what its launch template says, but for what the request says itself."""
    told, _, _ = ec2._resolve_launch_template_data(_template(p))
    interface = (told.get("NetworkInterfaces") or [{}])[0]
    taken = {name: [told[name]] for name in TEXTS if name in told}
    if "SubnetId" in interface:
        taken["SubnetId"] = [interface["SubnetId"]]
    if not any(name.startswith("IamInstanceProfile.") for name in p):
        taken |= {f"IamInstanceProfile.{name}": [value] for name, value in told.get("IamInstanceProfile", {}).items()}
    if not any(name.startswith("SecurityGroupId.") for name in p):
        groups = told.get("SecurityGroupIds") or interface.get("Groups", [])
        taken |= {f"SecurityGroupId.{place}": [group] for place, group in enumerate(groups, 1)}
    return {**taken, **p, **_tags(p, told.get("TagSpecifications", []))}


def _tags(p: Record, specifications: list[Record]) -> Record:
    """The tags of the instances of a request and of a template together, as one more specification of the request."""
    tags = {
        tag["Key"]: tag["Value"]
        for each in specifications
        if each["ResourceType"] == "instance"
        for tag in each["Tags"]
    }
    if not tags:
        return {}
    place = 1
    while kind := ec2._p(p, f"TagSpecification.{place}.ResourceType"):
        number, prefix = 1, f"TagSpecification.{place}.Tag"
        while kind == "instance" and (key := ec2._p(p, f"{prefix}.{number}.Key")):
            tags[key] = ec2._p(p, f"{prefix}.{number}.Value")
            number += 1
        place += 1
    prefix = f"TagSpecification.{place}"
    together = {f"{prefix}.ResourceType": ["instance"]}
    for number, (key, value) in enumerate(tags.items(), 1):
        together |= {f"{prefix}.Tag.{number}.Key": [key], f"{prefix}.Tag.{number}.Value": [value]}
    return together


def _malformed_id(p: Record) -> Answer | None:
    for member in p:
        value = ec2._p(p, member)
        if value and (said := malformed(member, value)):
            return _refused(*said)
    return None


def _dry_run(p: Record) -> Answer | None:
    return _refused("DryRunOperation", ALLOWED, 412) if ec2._p(p, "DryRun").lower() == "true" else None


def _wrong_template(p: Record) -> Answer | None:
    """AWS's refusal of a launch template, or of a version of it, that is not there."""
    spec = _template(p)
    _, record, error = ec2._resolve_launch_template_data(spec)
    if error:
        by_id = "LaunchTemplateId" in spec
        code = "InvalidLaunchTemplateId.NotFound" if by_id else "InvalidLaunchTemplateName.NotFoundException"
        which = f"ID {spec['LaunchTemplateId']}" if by_id else f"name {spec['LaunchTemplateName']}"
        return _refused(code, f"The specified launch template, with template {which}, does not exist.")
    version = spec.get("Version", "$Default")
    if not record or version in VERSIONS or version in {str(each["VersionNumber"]) for each in record["Versions"]}:
        return None
    which = f"version {version} for the launch template with ID {record['LaunchTemplateId']}"
    return _refused("InvalidLaunchTemplateId.VersionNotFound", f"Could not find the specified {which}.")


def _wrong_launch(p: Record) -> Answer | None:
    image, kind = ec2._p(p, "ImageId"), ec2._p(p, "InstanceType")
    if not image:
        return _refused("MissingParameter", "The request must contain the parameter ImageId")
    if said := malformed("ImageId", image):
        return _refused(*said)
    if kind and kind not in _instance_types():
        return _refused("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    return None


@cache
def _instance_types() -> frozenset[str]:
    """All that AWS's model of EC2 names; the model itself, which is large, is not kept."""
    return frozenset(model.read.__wrapped__("ec2")["shapes"]["InstanceType"]["enum"])


def _template(p: Record) -> dict[str, str]:
    """The launch template that RunInstances names, as MiniStack's functions want it."""
    members = {"LaunchTemplateId": f"{TEMPLATE}Id", "LaunchTemplateName": f"{TEMPLATE}Name"}
    members |= {"Version": "LaunchTemplate.Version"}
    return {name: value for name, member in members.items() if (value := ec2._p(p, member))}


def _refused(code: str, message: str, status: int = 400) -> Answer:
    answer: Answer = ec2._error(code, escape(legal(message)), status)
    return answer
