"""What the tests of notebook 12 share: an Auto Scaling group, an instance, and the function that sends them home."""

import importlib.util
from types import ModuleType
from typing import Any

import notebook_cells

from helpers import settings
from helpers.connect import Workshop
from helpers.deploy import deploy
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source

APP = settings.FUNCTIONS / "night-scale-in" / "python" / "app.py"
DRAFT = APP.read_text(encoding="utf-8")


def exercises() -> list[str]:
    """The code cells of the notebook that hold an exercise, as the author wrote them."""
    return notebook_cells.exercises("12")


def mended() -> str:
    """The file with the notebook's own answer to its second exercise."""
    return DRAFT + "\n\n" + source.solved(exercises()[1])


class Night:
    """A group of one to four machines, and an instance; both have the tag of the night."""

    def __init__(self, aws: Workshop) -> None:
        self.aws, self.group, self.tag = aws, aws.name("night-web"), aws.name("off")
        self.autoscaling, self.ec2 = aws.client("autoscaling"), aws.client("ec2")
        self.variables = {"GROUP": self.group, "NIGHT": self.tag}
        self.remove()
        machine = {"ImageId": "ami-12345678", "InstanceType": "t4g.nano"}
        self.ec2.create_launch_template(LaunchTemplateName=self.group, LaunchTemplateData=machine)
        [subnet, *_] = self.ec2.describe_subnets()["Subnets"]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.group, LaunchTemplate={"LaunchTemplateName": self.group}, MinSize=1, MaxSize=4,
            DesiredCapacity=3, VPCZoneIdentifier=subnet["SubnetId"],
            Tags=[{"Key": "night", "Value": self.tag, "PropagateAtLaunch": False}],
        )  # fmt: skip
        self.server = self.instance({"night": self.tag})

    def instance(self, tags: dict[str, str]) -> str:
        specification = {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
        made = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": self.group}, MinCount=1, MaxCount=1, TagSpecifications=[specification]
        )
        return made["Instances"][0]["InstanceId"]

    def remove(self) -> None:
        of_us = ("Auto Scaling group", "launch template", "instance")
        for entry in self.aws.ledger.entries():
            if entry.kind in of_us or entry.id in (self.function, f"/aws/lambda/{self.function}"):
                remove(self.aws, entry)

    @property
    def function(self) -> str:
        return self.aws.name("night-scale-in")

    def deploy(self, code: str, **configuration: Any) -> str:
        """Deploy this text as the function, and return its ARN."""
        options = {"Timeout": 30, "MemorySize": 256, "Environment": {"Variables": self.variables}} | configuration
        return deploy(self.aws, self.function, {"app.py": code}, **options)["FunctionArn"]

    def now(self) -> dict[str, Any]:
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return found["AutoScalingGroups"][0]

    def sizes(self) -> tuple[int, int]:
        return self.now()["MinSize"], self.now()["DesiredCapacity"]

    def set(self, least: int, desired: int) -> None:
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=self.group, MinSize=least, DesiredCapacity=desired
        )

    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.now()["Tags"] if tag["Key"].startswith("night:")}

    def state(self, instance: str | None = None) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance or self.server])["Reservations"]
        return found[0]["Instances"][0]["State"]["Name"]


def module(code: str) -> ModuleType:
    """The text of app.py as a module of this process, so that it can be called and tampered with."""
    spec = importlib.util.spec_from_loader("night_app", loader=None)
    found = importlib.util.module_from_spec(spec)
    exec(compile(code, str(APP), "exec"), found.__dict__)
    return found


def function_entry(aws: Workshop) -> Entry:
    return Entry("function", aws.name("night-scale-in"))
