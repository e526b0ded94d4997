"""What the tests of notebook 12 share: an Auto Scaling group, an instance, and the function that stops them."""

import types
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from notebook_cells import Notebook, mutated

from helpers.authoring.source import solved
from helpers.connect import Workshop
from helpers.deploying.deploy import deploy
from helpers.lessons import function_folder
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry


class Night:
    """A group of one to four machines, and an instance; both have the tag of the night."""

    draft = (function_folder("night-scale-in") / "python" / "app.py").read_text(encoding="utf-8")
    change = solved(Notebook("12").text("change"))  # the notebook's own answer to its second exercise
    corrected = f"{draft}\n\n{change}"

    def __init__(self, aws: Workshop) -> None:
        self.aws, self.group, self.tag = aws, aws.name("night-web"), aws.name("off")
        self.autoscaling, self.ec2 = aws.client("autoscaling"), aws.client("ec2")
        self.variables = {"GROUP": self.group, "NIGHT": self.tag}
        for entry in aws.ledger.entries():  # whatever another test has left
            if entry.kind in ("Auto Scaling group", "launch template", "instance"):
                remove(aws, entry)
        machine = {"ImageId": "ami-12345678", "InstanceType": "t4g.nano"}
        self.ec2.create_launch_template(LaunchTemplateName=self.group, LaunchTemplateData=machine)
        [subnet, *_] = self.ec2.describe_subnets()["Subnets"]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            LaunchTemplate={"LaunchTemplateName": self.group},
            MinSize=1,
            MaxSize=4,
            DesiredCapacity=3,
            VPCZoneIdentifier=subnet["SubnetId"],
            Tags=[{"Key": "night", "Value": self.tag, "PropagateAtLaunch": False}],
        )
        notebook = Notebook("12", workshop=aws, night=self.tag, group_name=self.group)
        notebook.run("look-up", "change-group", "change-instances")
        self.role = aws.role(notebook.look_up, notebook.change_group, notebook.change_instances)
        self.others: list[str] = []
        self.server = self._instance({"night": self.tag})

    def fresh(self) -> None:
        """As it was made: one to four machines, three now; nothing remembered; one instance, which runs."""
        if self.others:
            self.ec2.terminate_instances(InstanceIds=self.others)
            self.others.clear()
        if tags := self.tags():
            self.autoscaling.delete_tags(Tags=[self.tag_of_group(key) for key in tags])
        self.set(1, 3)
        if self.state() != "running":
            self.ec2.start_instances(InstanceIds=[self.server])
        self.ec2.delete_tags(Resources=[self.server], Tags=[{"Key": "night:stopped"}])

    def instance(self, tags: dict[str, str]) -> str:
        """One more instance, until the night is fresh again."""
        self.others.append(self._instance(tags))
        return self.others[-1]

    def _instance(self, tags: dict[str, str]) -> str:
        specification = {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
        made = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": self.group}, MinCount=1, MaxCount=1, TagSpecifications=[specification]
        )
        return made["Instances"][0]["InstanceId"]

    @property
    def function(self) -> str:
        return self.aws.name("night-scale-in")

    def deploy(self, code: str, **configuration: Any) -> str:
        """Deploy this text as the function, and return its ARN."""
        options = {"Timeout": 30, "MemorySize": 10_240, "Environment": {"Variables": self.variables}} | configuration
        options.setdefault("Role", self.role)
        return deploy(self.aws, self.function, {"app.py": code}, **options)["FunctionArn"]

    def deploy_change(self, *changes: tuple[str, str]) -> str:
        """Deploy the notebook's own answer, with some of its text replaced."""
        return self.deploy(f"{self.draft}\n\n{mutated(self.change, *changes)}")

    def remove_function(self) -> None:
        remove(self.aws, Entry("function", self.function))

    def now(self) -> dict[str, Any]:
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return found["AutoScalingGroups"][0]

    def sizes(self) -> tuple[int, int]:
        now = self.now()
        return now["MinSize"], now["DesiredCapacity"]

    def set(self, least: int, desired: int) -> None:
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=self.group, MinSize=least, DesiredCapacity=desired
        )

    def tags(self) -> dict[str, str]:
        """What the function has remembered on the group."""
        return {tag["Key"]: tag["Value"] for tag in self.now()["Tags"] if tag["Key"].startswith("night:")}

    def remember(self, key: str, value: str) -> None:
        self.autoscaling.create_or_update_tags(
            Tags=[self.tag_of_group(key) | {"Value": value, "PropagateAtLaunch": False}]
        )

    def tag_of_group(self, key: str) -> dict[str, Any]:
        return {"Key": key, "ResourceId": self.group, "ResourceType": "auto-scaling-group"}

    def state(self, instance: str | None = None) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance or self.server])["Reservations"]
        return found[0]["Instances"][0]["State"]["Name"]


@pytest.fixture(scope="module")
def night_of_module(aws_of_module) -> Night:
    return Night(aws_of_module)


@pytest.fixture
def night(night_of_module) -> Night:
    """The group and the instance, as a test wants to find them."""
    night_of_module.fresh()
    return night_of_module


@pytest.fixture(scope="module")
def apps(night_of_module, embedded_aws) -> Iterator[dict[str, Any]]:
    """app.py as the draft and as the corrected one: modules of this process, that can be called and tampered with."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (embedded_aws.variables() | night_of_module.variables).items():
            patched.setenv(name, value)
        patched.setattr(boto3, "DEFAULT_SESSION", None)  # the next client reads the variables
        made = {"draft": types.ModuleType("night_draft"), "corrected": types.ModuleType("night_corrected")}
        for name, app in made.items():
            exec(compile(getattr(Night, name), f"{name} of app.py", "exec"), vars(app))
        yield made
