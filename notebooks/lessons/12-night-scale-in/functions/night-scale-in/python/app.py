"""Scales a group in for the night and out again, and stops tagged instances.

A first draft: notebook 12 corrects `change`.
"""

import os

import boto3

# The keys of tags: notes for the morning.
SIZE, LAST, STOPPED = "night:size", "night:last", "night:stopped"

autoscaling, ec2 = boto3.client("autoscaling"), boto3.client("ec2")


def handler(event, context):
    names = [os.environ["GROUP"]]
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names)
    change(found["AutoScalingGroups"][0], event["action"], event["time"])


def change(group, action, time):
    if action == "in":
        remember(group, SIZE, f"{group['MinSize']} {group['DesiredCapacity']}")
        resize(group, 0, 0)
        stop_instances()
    else:
        least, desired = tags_of(group)[SIZE].split()
        resize(group, int(least), int(desired))
        start_instances()


def tags_of(group):
    return {tag["Key"]: tag["Value"] for tag in group["Tags"]}


def remember(group, key, value):
    tag = {"Key": key, "Value": value, "PropagateAtLaunch": False}
    autoscaling.create_or_update_tags(Tags=[tag | of(group)])


def forget(group, key):
    autoscaling.delete_tags(Tags=[{"Key": key} | of(group)])


def of(group):
    return {
        "ResourceId": group["AutoScalingGroupName"],
        "ResourceType": "auto-scaling-group",
    }


def resize(group, least, desired):
    name = group["AutoScalingGroupName"]
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=least, DesiredCapacity=desired
    )
    print(
        f"{name}: at least {group['MinSize']} and now {group['DesiredCapacity']} -> {least} and {desired}"
    )


def stop_instances():
    ids = instances("tag:night", os.environ["NIGHT"], "running")
    if ids:
        ec2.create_tags(Resources=ids, Tags=[{"Key": STOPPED, "Value": "yes"}])
        ec2.stop_instances(InstanceIds=ids)
    print("instances stopped:", len(ids))


def start_instances():
    # and no other instances: somebody may have stopped them by day
    ids = instances(f"tag:{STOPPED}", "yes", "stopped")
    if ids:
        ec2.start_instances(InstanceIds=ids)
        ec2.delete_tags(Resources=ids, Tags=[{"Key": STOPPED}])
    print("instances started:", len(ids))


def instances(tag, value, state):
    filters = [
        {"Name": "tag:night", "Values": [os.environ["NIGHT"]]},
        {"Name": tag, "Values": [value]},
        {"Name": "instance-state-name", "Values": [state]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [
        instance["InstanceId"]
        for page in pages
        for each in page["Reservations"]
        for instance in each["Instances"]
    ]
