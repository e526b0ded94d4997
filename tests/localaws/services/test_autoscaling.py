"""An Auto Scaling group keeps to its bounds, and says so in AWS's words."""

import pytest
from localaws_client import refused

CODE = "ValidationError"


@pytest.fixture
def client(clients):
    return clients("autoscaling")


@pytest.fixture
def sizes(client):
    """Those of a group of two to four instances that wants three."""
    name, image = {"AutoScalingGroupName": "bounded"}, {"LaunchConfigurationName": "bounded"}
    client.create_launch_configuration(**image, ImageId="ami-12345678", InstanceType="t3.micro")
    client.create_auto_scaling_group(
        **name, **image, MinSize=2, MaxSize=4, DesiredCapacity=3, AvailabilityZones=["us-east-1a"]
    )

    def told():
        (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=["bounded"])["AutoScalingGroups"]
        return tuple(group[each] for each in ("MinSize", "MaxSize", "DesiredCapacity"))

    yield told
    client.delete_auto_scaling_group(**name, ForceDelete=True)
    client.delete_launch_configuration(**image)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"MinSize": 5}, "Max bound, 4, must be greater than or equal to min bound, 5"),
        ({"MaxSize": 1}, "Max bound, 1, must be greater than or equal to min bound, 2"),
        ({"DesiredCapacity": 0}, "Desired capacity:0 must be between the specified min size:2 and max size:4"),
        ({"DesiredCapacity": 5}, "Desired capacity:5 must be between the specified min size:2 and max size:4"),
        (
            {"MinSize": 0, "MaxSize": 1, "DesiredCapacity": 2},
            "Desired capacity:2 must be between the specified min size:0 and max size:1",
        ),
    ],
)
def test_sizes_that_cannot_be(client, sizes, asked, words):
    assert refused(client.update_auto_scaling_group, AutoScalingGroupName="bounded", **asked) == (CODE, words)
    assert sizes() == (2, 4, 3)
    both = {
        "AutoScalingGroupName": "another",
        "LaunchConfigurationName": "bounded",
        "AvailabilityZones": ["us-east-1a"],
    }
    whole = {"MinSize": 2, "MaxSize": 4, "DesiredCapacity": 3} | asked
    assert refused(client.create_auto_scaling_group, **both, **whole)[0] == CODE


@pytest.mark.parametrize(
    ("asked", "then"),
    [
        ({"MinSize": 4}, (4, 4, 4)),
        ({"MinSize": 0, "MaxSize": 1}, (0, 1, 1)),
        ({"MinSize": 0, "DesiredCapacity": 0}, (0, 4, 0)),
        ({"MinSize": 0}, (0, 4, 3)),
    ],
)
def test_new_bounds_move_what_is_wanted(client, sizes, asked, then):
    client.update_auto_scaling_group(AutoScalingGroupName="bounded", **asked)
    assert sizes() == then


@pytest.mark.parametrize(("desired", "words"), [(5, "above max value 4"), (1, "below min value 2")])
def test_what_is_wanted_is_within_the_bounds(client, sizes, desired, words):
    message = f"New SetDesiredCapacity value {desired} is {words} for the AutoScaling group."
    told = refused(client.set_desired_capacity, AutoScalingGroupName="bounded", DesiredCapacity=desired)
    assert told == (CODE, message)
    client.set_desired_capacity(AutoScalingGroupName="bounded", DesiredCapacity=2)
    assert sizes() == (2, 4, 2)
