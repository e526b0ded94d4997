"""EC2: what AWS refuses of ids, machine types and launch templates, and instances that are as their template says.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. MiniStack takes any, and starts an instance
without a look at its launch template.
"""

import re
from functools import cache
from html import escape

from ministack.services import ec2

from .contract import Contract
from .lambda_ import model
from .refusals import unless
from .shapes import Answer, Record

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
OF_A_TEMPLATE = ("ImageId", "InstanceType", "KeyName", "UserData", "SubnetId")  # that RunInstances takes itself, too


def install() -> None:
    """Let MiniStack get what AWS allows. Call once, before it serves."""
    handlers = ec2._ACTION_MAP
    run = unless(_wrong_launch, handlers["RunInstances"])
    handlers["RunInstances"] = unless(_wrong_template, lambda p: run(from_template(p)))
    for action, handle in handlers.items():
        handlers[action] = unless(_malformed_id, handle)


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


def from_template(p: Record) -> Record:
    """The parameters of RunInstances with what its launch template says, but for what the request says itself."""
    told, _, _ = ec2._resolve_launch_template_data(_template(p))
    taken = {name: [told[name]] for name in OF_A_TEMPLATE if name in told}
    groups = enumerate(told.get("SecurityGroupIds", ()), 1)
    taken |= {} if "SecurityGroupId.1" in p else {f"SecurityGroupId.{place}": [group] for place, group in groups}
    return {**taken, **p}


def _malformed_id(p: Record) -> Answer | None:
    for member in p:
        value = ec2._p(p, member)
        if value and (said := malformed(member, value)):
            return _refused(*said)
    return None


def _wrong_template(p: Record) -> Answer | None:
    """AWS's refusal of a launch template that is not there."""
    spec = _template(p)
    _, _, error = ec2._resolve_launch_template_data(spec)
    if not error:
        return None
    if identifier := spec.get("LaunchTemplateId"):
        which, code = f"template ID {identifier}", "InvalidLaunchTemplateId.NotFound"
    else:
        which, code = f"template name {spec['LaunchTemplateName']}", "InvalidLaunchTemplateName.NotFoundException"
    return _refused(code, f"The specified launch template, with {which}, does not exist.")


def _wrong_launch(p: Record) -> Answer | None:
    if not ec2._p(p, "ImageId"):
        return _refused("MissingParameter", "The request must contain the parameter ImageId")
    kind = ec2._p(p, "InstanceType")
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


def _refused(code: str, message: str) -> Answer:
    answer: Answer = ec2._error(code, escape(message), 400)
    return answer
