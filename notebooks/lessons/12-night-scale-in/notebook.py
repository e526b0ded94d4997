# %% [markdown]
# # 12 Night scale-in
#
# After this notebook you will be able to
#
# - start a function at a time of day, in the time zone where people live, and say what goes wrong in UTC;
# - let a function operate AWS itself: scale an Auto Scaling group, stop and start EC2 instances;
# - make such a function safe against events that come twice, late or out of order;
# - say what it saves, and when no function is needed at all.
#
# It takes about 35 minutes. Slides: "Example 2: scale in EC2 at night" (「例2: 夜間はEC2をスケールイン」, page 27), in the part "Architectures".
#
# ![A schedule starts a function, which scales an Auto Scaling group in at night and out in the morning, and stops and starts tagged instances](lessons/12-night-scale-in/picture.svg)
#
# At three in the morning nobody uses the web servers of an office, but you pay for every second that they run. So a schedule starts a
# function in the evening. It notes how many machines there are, and stops them. In the morning it starts as many again.
#
# The slide says CloudWatch Events. That service is now called **EventBridge**. For everything that happens by the clock, AWS
# recommends the newer **EventBridge Scheduler** ([rules with a schedule are {{scheduled_rules}}]({{scheduled_rules.source}}), read on {{scheduled_rules.checked}}). We look at both.
#
# **On AWS, machines cost money while this notebook waits for you.** Up to five t4g.nano run from here to the last section, which stops them. One costs a
# quarter of a t4g.small ({{t4g_small_hour_tokyo}} an hour in Tokyo); its disk costs less than that. Each has two
# vCPUs, so the account must allow ten (*Running On-Demand Standard instances* in Service Quotas). A new account often allows five, and one on AWS's free plan may
# refuse this type: then do this notebook on the embedded AWS, which costs nothing.

# %% notes [markdown]
# Minutes: 2
#
# Say: The second example of the deck is not about users at all: it operates the account itself. Ask what runs at your
# place at three in the morning, and who needs it. The word on the slide, CloudWatch Events, is called EventBridge
# now.
#
# Goes wrong: On AWS machines cost money from the next section to the last one. In a course take the embedded AWS; a
# new account may not even allow so many machines.

# %%
import inspect
import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, explore, load_event, load_prices, reports
from helpers.lessons import function_folder
from helpers.plots import BLUE, RED
from IPython.display import Markdown, display

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
iam, ec2 = workshop.client("iam"), workshop.client("ec2")
autoscaling = workshop.client("autoscaling")
scheduler, events = workshop.client("scheduler"), workshop.client("events")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %%
prices = load_prices()  # Tokyo
nano = prices["ec2_hour"]["t4g.small"] / 4  # a quarter of a small, in price too
print(f"5 machines: {5 * nano:.3f} USD an hour on AWS (Tokyo, {prices['checked']})")

# %% [markdown]
# ## The machines
#
# An **Auto Scaling group** keeps a number of equal EC2 instances running. It has three numbers: `DesiredCapacity` is how many there should be now;
# `MinSize` and `MaxSize` are its limits. A **launch template** describes the instances.
#
# The embedded AWS keeps the data of a group and its instances, but **no machine runs**. On AWS they are real. We take the smallest type, without a
# public address. The image is Amazon Linux; `resolve:ssm:` lets AWS look up its newest version. (The embedded AWS accepts any text here.)

# %% notes [markdown]
# Minutes: 4
#
# Say: Three numbers of a group: how many there should be, and two limits. On the embedded AWS there is no machine
# behind them, and that is all right: the function cannot tell the difference.
#
# Goes wrong: On AWS the cell waits a minute or two for machines. If it says after ten minutes that not all run, read
# why; often it is the quota.
#
# Skip: How the launch template is made. Run the cells.

# %%
path = "aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
machine = {
    "ImageId": f"resolve:ssm:/{path}",
    "InstanceType": "t4g.nano",
    "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False}],
}
group_name = workshop.name("night-web")

# %%
names = {"LaunchTemplateName": group_name}
try:
    ec2.create_launch_template(LaunchTemplateData=machine, **names)
except ec2.exceptions.ClientError as error:
    if "AlreadyExists" not in error.response["Error"]["Code"]:
        raise
    print("The launch template is there already.")

# %% [markdown]
# The group goes into the subnets of your account's default network.

# %%
default = [{"Name": "default-for-az", "Values": ["true"]}]
subnets = ec2.describe_subnets(Filters=default)["Subnets"]
subnet_ids = ",".join(subnet["SubnetId"] for subnet in subnets)

# %% [markdown]
# Its tag `night` says that it may be stopped at night. Our function will be allowed to change what has this tag, and nothing else. The value holds your
# name, for accounts that several people share. (`PropagateAtLaunch`: the instances of the group do not get the tag.)

# %%
night = workshop.name("off")
sizes = {"MinSize": 1, "MaxSize": 4, "DesiredCapacity": 3}
try:
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group_name,
        LaunchTemplate={"LaunchTemplateName": group_name, "Version": "$Latest"},
        VPCZoneIdentifier=subnet_ids,
        Tags=[{"Key": "night", "Value": night, "PropagateAtLaunch": False}],
        **sizes,
    )
except autoscaling.exceptions.AlreadyExistsFault:
    print("The group is there already.")

# %% [markdown]
# We also need one instance outside the group: a build server, for example. At night it is **stopped** and not replaced, so its disk keeps everything (and
# still costs money). Never stop an instance of a group: the group thinks that it is broken, and replaces it.
#
# The first cell looks for the server of an earlier run; the second one starts a server if there is none.

# %%
tags = {"Name": workshop.name("build-server"), "night": night}
states = ["pending", "running", "stopping", "stopped"]
alive = [
    {"Name": "tag:Name", "Values": [tags["Name"]]},
    {"Name": "instance-state-name", "Values": states},
]
found = ec2.describe_instances(Filters=alive)["Reservations"]

# %%
if not found:
    pairs = [{"Key": key, "Value": text} for key, text in tags.items()]
    made = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": group_name},
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
    )
    found = [made]
build_server = found[0]["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_exists").wait(InstanceIds=[build_server])

# %% [markdown]
# Two functions that we use a lot: `look()` asks AWS for the state of all this.


# %%
def look():
    groups = autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[group_name]
    )
    [group] = groups["AutoScalingGroups"]
    servers = ec2.describe_instances(InstanceIds=[build_server])["Reservations"]
    states = [each["LifecycleState"] for each in group["Instances"]]
    return {
        "MinSize": group["MinSize"],
        "DesiredCapacity": group["DesiredCapacity"],
        "in service": states.count("InService"),
        "build server": servers[0]["Instances"][0]["State"]["Name"],
    }


# %% [markdown]
# And `fresh_day()` puts everything back to a morning: three machines, a minimum of one, and no notes from a night.


# %%
def fresh_day():
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=group_name, **sizes)
    of_group = {"ResourceId": group_name, "ResourceType": "auto-scaling-group"}
    notes = [{"Key": key} | of_group for key in ("night:size", "night:last")]
    autoscaling.delete_tags(Tags=notes)
    if look()["build server"] == "stopped":
        ec2.start_instances(InstanceIds=[build_server])


# %% [markdown]
# The folded cell calls `fresh_day()` and waits until all machines run. On AWS that takes a minute or so.

# %% wait-for-machines folded
if look()["build server"] == "stopping":
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[build_server])
fresh_day()
shown = display(look(), display_id=True)
for _ in range(600):  # seconds
    now = look()
    shown.update(now)
    if now["in service"] == 3 and now["build server"] == "running":
        break
    time.sleep(1)
else:
    last = autoscaling.describe_scaling_activities(AutoScalingGroupName=group_name)
    why = last["Activities"][0].get("StatusMessage", "Look at EC2's console.")
    raise TimeoutError(f"After ten minutes not all machines run. {why}")

# %% [markdown]
# ## The function
#
# This is a *first draft*. Where does it keep the size of the group overnight? Not in a variable: at eight in the morning its
# execution environment will be gone (notebook 04). It writes the size into a **tag of the group**, `night:size`, for example `1 3`.
#
# The cell shows `handler` and `change`. The steps that they call are in
# [app.py](lessons/12-night-scale-in/functions/night-scale-in/python/app.py).

# %% notes [markdown]
# Minutes: 3
#
# Say: A first draft, and its author was careful. Where does it keep the number overnight? Not in memory: ask why not.
# Then look at the condition in the role: a function that can stop machines can stop the wrong ones.

# %%
app_source = (function_folder("night-scale-in") / "python" / "app.py").read_text()
upper_part, _, _ = app_source.partition("\n\n\ndef tags_of")
Markdown(f"```python\n{upper_part}\n```")

# %% [markdown]
# `resize` sets `MinSize` and `DesiredCapacity` in one call, because AWS refuses a desired capacity below the minimum.
#
# The function's role can look at all groups and instances (AWS has no resource for what only looks), and change only what has our tag: a function that
# can stop machines can stop the wrong ones. The **condition** says so, since the ids of the instances are not known beforehand.

# %% look-up
reads = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"]
look_up = {"Effect": "Allow", "Action": reads, "Resource": "*"}

# %% change-group
actions = ["UpdateAutoScalingGroup", "CreateOrUpdateTags", "DeleteTags"]
groups = f"arn:{workshop.partition}:autoscaling:*:*:autoScalingGroup"
change_group = {
    "Effect": "Allow",
    "Action": [f"autoscaling:{action}" for action in actions],
    "Resource": f"{groups}:*:autoScalingGroupName/{group_name}",
    "Condition": {"StringEquals": {"autoscaling:ResourceTag/night": night}},
}

# %% change-instances
actions = ["StartInstances", "StopInstances", "CreateTags", "DeleteTags"]
change_instances = {
    "Effect": "Allow",
    "Action": [f"ec2:{action}" for action in actions],
    "Resource": f"arn:{workshop.partition}:ec2:*:*:instance/*",
    "Condition": {"StringEquals": {"ec2:ResourceTag/night": night}},
}


# %%
role_arn = workshop.role(look_up, change_group, change_instances)
function = workshop.name("night-scale-in")
options = {"Role": role_arn, "MemorySize": 256, "Timeout": 30}
options["Environment"] = {"Variables": {"GROUP": group_name, "NIGHT": night}}
deployed = deploy(workshop, function, {"app.py": app_source}, **options)

# %% [markdown]
# ## The clock
#
# EventBridge Scheduler needs a role, too, with the right to invoke the function. The condition says that it is for schedules of *this*
# account. Without it, another customer could make AWS use the role for them: the *confused deputy*. (If you may not create roles on AWS, read this
# part, and run it on the embedded AWS.)

# %% notes [markdown]
# Minutes: 6
#
# Say: Two guesses in a row, and both are about Saturday. Draw two lines on the board, Tokyo and UTC, and let somebody
# mark Friday evening. The bill is the only one that notices this fault.
#
# Goes wrong: The cron of AWS has six fields, and one of the two for days must be `?`. People write the five fields of
# Unix.
#
# Answer 12.a: From Tuesday to Saturday. 23:00 on Monday in UTC is 8:00 on Tuesday in Japan.
#
# Answer 12.b: For 118 of them, and 70 are wanted. On Saturday morning the machines start, and nothing stops them
# until Monday night.
#
# Skip: What the role of the scheduler says, and the table of rules and schedules. Run the cells.


# %%
def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


clock_role = workshop.name("night-clock")
service = {"Service": "scheduler.amazonaws.com"}
account = deployed["FunctionArn"].split(":")[4]
ours = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}}
trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"} | ours
try:
    iam.create_role(RoleName=clock_role, AssumeRolePolicyDocument=policy(trust))
except iam.exceptions.EntityAlreadyExistsException:
    print("The role is there already.")

# %%
invoke = {"Action": "lambda:InvokeFunction", "Resource": deployed["FunctionArn"]}
document = policy({"Effect": "Allow"} | invoke)
iam.put_role_policy(RoleName=clock_role, PolicyName="invoke", PolicyDocument=document)
clock_role_arn = iam.get_role(RoleName=clock_role)["Role"]["Arn"]

# %% [markdown]
# A schedule has an **expression**, a **time zone** and a **target**. The target has an `Input`: the event that the function gets. Scheduler replaces
# `<aws.scheduler.scheduled-time>` by the time of the schedule.
#
# When Scheduler cannot deliver the event, it tries again for a day, unless we say otherwise. An evening's event that comes at noon does harm, so we
# allow one hour. Then the event is in Lambda's own queue, which keeps it for up to {{event_age.hours}} by itself: so that queue gets one hour, too.

# %%
hour = {"MaximumEventAgeInSeconds": 3600}
_ = lambda_client.put_function_event_invoke_config(FunctionName=function, **hour)


# %%
def target(action):
    event = {"action": action, "time": "<aws.scheduler.scheduled-time>"}
    retries = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    to = {"Arn": deployed["FunctionArn"], "RoleArn": clock_role_arn}
    return to | {"Input": json.dumps(event), "RetryPolicy": retries}


target("in")["Input"]

# %% [markdown]
# (On AWS, Scheduler can use a new role only after some seconds; until then boto3 tries again, as `connect()` told it to.)


# %%
def schedule(name, expression, action, **more):
    more |= {"Name": workshop.name(name), "FlexibleTimeWindow": {"Mode": "OFF"}}
    more |= {"ScheduleExpressionTimezone": "Asia/Tokyo", "Target": target(action)}
    more |= {"ScheduleExpression": expression}
    try:
        scheduler.create_schedule(**more)
    except scheduler.exceptions.ConflictException:  # it is there already
        scheduler.update_schedule(**more)


# %% [markdown]
# The expression is AWS's own kind of cron, with six fields: `cron(minutes hours day-of-month month day-of-week year)`. One of the two
# fields for days must be `?`.

# %%
schedule("night-in", "cron(0 22 ? * MON-FRI *)", "in")
schedule("night-out", "cron(0 8 ? * MON-FRI *)", "out")
made = scheduler.list_schedules(NamePrefix=workshop.name("night"))["Schedules"]
[each["Name"] for each in made]

# %% [markdown]
# The machines stay off from Friday 22:00 to Monday 08:00, so Saturday and Sunday need no event.
#
# ### The same in UTC
#
# A **rule** of EventBridge, the older way, has no time zone: its cron is in UTC. Japan is nine hours ahead, all year. So 22:00 becomes 13:00, and 08:00 becomes 23:00. We make the
# two rules, but disabled and without a target, because the schedules above do the work.

# %%
for rule, hour in {"night-in": 13, "night-out": 23}.items():
    name, cron = workshop.name(rule), f"cron(0 {hour} ? * MON-FRI *)"
    events.put_rule(Name=name, ScheduleExpression=cron, State="DISABLED")

# %% [markdown]
# A rule sends this event. It holds the time and the rule, but not what to do. (The target of a rule can have an `Input`, too.)

# %%
load_event("scheduled")

# %% [markdown]
# Something is wrong with these rules. **Predict:** on which days, in Japan, do they start the machines?

# %%
predict("12.a", choices=["MON to FRI", "TUE to SAT", "SUN to THU"])

# %% [markdown]
# **Predict:** for how many of the 168 hours of a week do the machines run? (We want 5 × 14 = 70.)

# %%
predict("12.b")

# %% [markdown]
# The folded cell defines `fires`, the hours of a week at which an expression fires, and `hours_on`, the hours in which the machines run.

# %% hours-on folded
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def fires(expression, zone):
    """The hours of a week in Japan at which a cron fires; 0 is Sunday 00:00."""
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    hour = int(fields[1]) + (9 if zone == "UTC" else 0)
    ranges = [
        [DAYS.index(day) for day in part.split("-")] for part in fields[4].split(",")
    ]
    fire_on = [day for ends in ranges for day in range(ends[0], ends[-1] + 1)]
    return {(day * 24 + hour) % 168 for day in fire_on}


def hours_on(scale_out, scale_in, zone):
    """For each hour of the week in Japan whether the machines run."""
    starts, stops, on = fires(scale_out, zone), fires(scale_in, zone), False
    week = []
    for hour in 2 * [*range(168)]:  # twice: a week begins as the one before it ended
        on = (on or hour in starts) and hour not in stops
        week.append(on)
    return week[168:]


# %%
wanted = hours_on("cron(0 8 ? * MON-FRI *)", "cron(0 22 ? * MON-FRI *)", "Asia/Tokyo")
copied = hours_on("cron(0 23 ? * MON-FRI *)", "cron(0 13 ? * MON-FRI *)", "UTC")
sum(wanted), sum(copied)

# %%
starts = [DAYS[hour // 24] for hour in sorted(fires("cron(0 23 ? * MON-FRI *)", "UTC"))]
predicted("12.a", f"{starts[0]} to {starts[-1]}")
predicted("12.b", f"{sum(copied)} hours")

# %% [markdown]
# The first number is what we want, in hours a week. The picture shows where the other hours come from. (The folded cell defines the drawing.)


# %% draw-week folded
def draw_week(title, rows):
    """When the machines run, a row for each; hatched where they should be off."""
    figure, ax = plt.subplots(figsize=(10, 1.4 + 0.6 * len(rows)))
    blue = {"color": BLUE}
    red = {"facecolor": RED, "edgecolor": "white", "hatch": "///", "linewidth": 0}
    should = np.roll(wanted, -24)  # the week of the picture begins on Monday
    for place, week in enumerate(rows.values()):
        is_on = np.roll(week, -24)
        for hours, style in ((is_on & should, blue), (is_on & ~should, red)):
            changes = np.diff(hours.astype(int), prepend=0, append=0)
            ends = np.flatnonzero(changes).reshape(-1, 2)
            bars = [(start, end - start) for start, end in ends]
            ax.broken_barh(bars, (place - 0.3, 0.6), **style)
    labels = [f"{label}: {sum(week)} hours" for label, week in rows.items()]
    ax.set_yticks(range(len(rows)), labels)
    ax.set_xticks(range(0, 169, 24), [])
    for place, day in enumerate(DAYS[1:] + DAYS[:1]):
        ax.text(24 * place + 12, len(rows) - 0.4, day, ha="center", va="center")
    ax.set(xlim=(0, 168), ylim=(len(rows) - 0.15, -0.5))
    ax.grid(axis="x", color="0.6", alpha=1)
    ax.set_title(title)
    return ax


# %%
rows = {"wanted": wanted, "MON-FRI in UTC": copied}
extra = sum(copied) - sum(wanted)
_ = draw_week(f"{extra} of {sum(copied)} hours a week are not wanted", rows)

# %% [markdown]
# 23:00 on Monday in UTC is already **Tuesday** in Japan, and 23:00 on Friday is Saturday. So on Saturday the machines start, and nothing stops them until
# Monday night. Only the bill shows it.
#
# When a time moves to another day, the days must move along. In countries that change their clocks it is worse: there, a rule in UTC is wrong by
# one hour for half of the year. A schedule with a time zone follows the local clock.
#
# | | rule of EventBridge | EventBridge Scheduler |
# |---|---|---|
# | time zone | UTC | any |
# | expressions | `cron`, `rate` | `cron`, `rate`, and `at` for one moment |
# | targets | up to five | one, but almost any call of AWS's API |
# | right to invoke a function | a permission of the function (notebook 04) | a role |
# | events that it reacts to | the time; events of AWS and of your own | the time |
#
# **Retries are the same in both.** When an event cannot be delivered, both try again, by default for {{rule_event_age.hours}} and up to {{rule_retries}} times
# ([rules]({{rule_retries.source}}), [Scheduler]({{schedule_retries.source}})). A target's `RetryPolicy` can lower both numbers; its
# `DeadLetterConfig` names a queue for events that were not delivered. (The embedded AWS keeps these settings, but does not use them.) When the function itself
# fails, Lambda tries again, as in notebook 06.
#
# ## Exercise 1: from Japan's time to UTC
#
# Many rules in UTC are in use. A laboratory in Japan wants four, for these times **in Japan**:
#
# | rule | time | days |
# |---|---|---|
# | `lab-start` | 07:30 | Sunday, Tuesday, Thursday |
# | `lab-open` | 09:00 | Monday |
# | `lab-stop` | 21:45 | Sunday, Tuesday, Thursday |
# | `lab-clean` | 00:15 | Saturday |
#
# Make them with `events.put_rule`, as above. The name of the first is `workshop.name("lab-start")`, and so on. Each has a cron in UTC and
# `State="DISABLED"`. The check reads them back from EventBridge.

# %% notes [markdown]
# Minutes: 4
#
# Say: Four rules on paper first, then in the cell. Only times before nine in the morning change the day: ask why.
#
# Goes wrong: Nine hours are added and not subtracted. The days stay, or all of them move; only those before 09:00 do.
# Sunday is lost when each day moves back: before it there is Saturday. The minutes come first.

# %% lab-rules
# solution: Call events.put_rule for each of the four, with time and days in UTC.
lab_rules = {
    "lab-start": "cron(30 22 ? * SAT,MON,WED *)",
    "lab-open": "cron(0 0 ? * MON *)",
    "lab-stop": "cron(45 12 ? * SUN,TUE,THU *)",
    "lab-clean": "cron(15 15 ? * FRI *)",
}
for rule, cron in lab_rules.items():
    name = workshop.name(rule)
    events.put_rule(Name=name, ScheduleExpression=cron, State="DISABLED")

# %%
# check
check("12.1")

# %%
rules = events.list_rules(NamePrefix=workshop.name("lab"))["Rules"]
pd.DataFrame(rules, columns=["Name", "ScheduleExpression", "State"])

# %% [markdown]
# Now the rules of the office, corrected: the days of the start move to Sunday to Thursday.

# %%
corrected = hours_on("cron(0 23 ? * SUN-THU *)", "cron(0 13 ? * MON-FRI *)", "UTC")
agree = sum(np.equal(wanted, corrected))
rows["SUN-THU and MON-FRI"] = corrected
_ = draw_week(f"With the days moved, {agree} of 168 hours are as wanted", rows)

# %% [markdown]
# ## A night of ten seconds
#
# `at(…)` is a schedule for one moment: we order an evening a few seconds from now, and a morning ten seconds later. With
# `ActionAfterCompletion="DELETE"` such a schedule deletes itself when it has fired. (On AWS our night takes four minutes: Scheduler is precise
# to the minute, and machines need time to start.)
#
# The two folded cells define `watch`, which draws what `look()` says until it is morning.

# %% notes [markdown]
# Minutes: 3
#
# Say: Order an evening, and watch it come. Quiet in the room: the machines go off. Ask what you would have to see
# tomorrow morning to be sure.
#
# Goes wrong: On AWS this night takes four minutes. Tell them when the cell starts, and use the time for the question
# of the next section.
#
# Answer 12.c: On the embedded AWS both at once, as no machine has to stop. On AWS the capacity falls first, and the
# machines follow.


# %% draw-night folded
def draw_night(ax, seen):
    ax.clear()
    style = {"where": "post", "linewidth": 3}
    second, capacity = seen["second"], seen["DesiredCapacity"]
    ax.step(second, capacity, color=RED, label="DesiredCapacity", **style)
    style |= {"linestyle": "--", "label": "machines in service"}
    ax.step(second, seen["in service"], color=BLUE, **style)
    stopped = 3.5 * (seen["build server"] != "running")  # up to the legend
    grey = {"step": "post", "color": "0.88", "linewidth": 0}
    ax.fill_between(second, stopped, label="build server does not run", **grey)
    first, last = seen["in service"].iloc[[0, -1]]
    least = seen["in service"].min()
    ax.set_title(f"In service: {first} by day, {least} at night, {last} in the morning")
    ax.set(ylim=(-0.15, 4.4), yticks=range(5), xlabel="seconds", ylabel="machines")
    ax.legend(loc="upper right", ncols=3)


# %% watch folded
def watch(limit=900):
    """Look and draw until a night is over and all machines are back; return it all."""
    figure, ax = plt.subplots(figsize=(10, 4))
    plt.close(figure)
    shown = display(figure, display_id=True)
    began, rows, mornings = time.monotonic(), [], 0
    while time.monotonic() - began < limit:
        now = look()
        rows.append({"second": time.monotonic() - began} | now)
        draw_night(ax, pd.DataFrame(rows))
        shown.update(figure)
        was_night = any(row["DesiredCapacity"] == 0 for row in rows)
        all_back = now["in service"] == now["DesiredCapacity"] > 0
        mornings += was_night and all_back and now["build server"] == "running"
        if mornings == 4:  # a look at the morning, too
            return pd.DataFrame(rows)
        time.sleep(1)
    raise TimeoutError(f"No morning within {limit} s; read the log of the function.")


# %% [markdown]
# **Predict:** what falls first, the capacity or the number of machines? (On AWS, machines need time to stop and to start.)

# %%
predict("12.c", choices=["the capacity", "the machines", "both at once"])


# %%
def at(moment):
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"


# %%
fresh_day()
asked = datetime.now(UTC)
soon, duration = (8, 10) if workshop.is_embedded else (60, 240)  # seconds
evening = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(seconds=soon)
morning = evening + timedelta(seconds=duration)

# %%
once = {"ActionAfterCompletion": "DELETE"}
schedule("tonight-in", at(evening), "in", **once)
schedule("tonight-out", at(morning), "out", **once)
seen = watch()

# %% night-claims folded
first, last = seen["in service"].iloc[[0, -1]]
emptied = seen["in service"].min() == 0
claim(
    "no machine runs at night, and all are back in the morning",
    emptied and first == last,
)
capacity = seen["second"][seen["DesiredCapacity"] == 0].min()
machines = seen["second"][seen["in service"] == 0].min()
sooner = "the capacity" if capacity < machines else "the machines"
sooner = "both at once" if capacity == machines else sooner
if workshop.is_embedded:
    claim("capacity and machines fall at once here", capacity == machines)
predicted("12.c", sooner)

# %% [markdown]
# On the embedded AWS both change at once, because there is nothing to stop. On AWS the machines follow the capacity, a minute later or so. (The expressions
# are in Japan's time, wherever this notebook runs.)
#
# The schedules invoked the function; we did not. The folded cell reads what it printed.

# %% night-log folded
night_shift = reports(logs, function, at_least=2, since=asked)
claim("the function was invoked twice", len(night_shift) == 2)
group = {"logGroupName": f"/aws/lambda/{function}"}
since = int(asked.timestamp() * 1000)
pages = logs.get_paginator("filter_log_events").paginate(startTime=since, **group)
lines = [event["message"].strip() for page in pages for event in page["events"]]
ours = (group_name, "instances ")
print(*[line for line in lines if line.startswith(ours)], sep="\n")

# %% [markdown]
# ## It comes twice
#
# Scheduler promises to deliver an event **at least once**. Sometimes it delivers one twice, and so does Lambda's own queue for asynchronous events. And when a
# function fails, Lambda runs the same event again. (Sources: EventBridge Scheduler User Guide, "What is EventBridge Scheduler?"; Lambda Developer Guide, "Asynchronous invocation".)
#
# You cannot tell AWS to send an event twice, but you can do it yourself.
# `play` sends events by hand, one after the other, and shows the group after each. 13:00 UTC is the evening, and
# 23:00 UTC the morning.
#
# (On AWS an instance that is still *stopping* cannot be started. After so short a night the build server may stay off.)

# %% notes [markdown]
# Minutes: 4
#
# Say: The same careful function, and the same event a second time. Nobody has made a mistake, there is no error and
# no alarm. Then people come to work. Let them find the line that does the harm before you go on.
#
# Goes wrong: They think that it cannot happen. Events come at least once; schedules and queues say so themselves.
#
# Answer 12.d: None at all. The second evening has written a new note over the first: an empty group. In the morning
# this is restored.


# %%
def play(*happened):
    rows = []
    for action, when in happened:
        event = {"action": action, "time": when}
        answer = lambda_client.invoke(FunctionName=function, Payload=json.dumps(event))
        failed = json.load(answer["Payload"]) if "FunctionError" in answer else {}
        rows.append(event | look() | {"error": failed.get("errorType", "")})
    return pd.DataFrame(rows)


# %%
EVENING, MORNING = ("in", "2026-11-02T13:00:00Z"), ("out", "2026-11-02T23:00:00Z")
fresh_day()
play(EVENING, MORNING)

# %% [markdown]
# As it should be. Now the evening's event comes twice. Read `change` again first.
#
# **Predict:** what will `DesiredCapacity` be in the morning?

# %%
predict("12.d")

# %%
fresh_day()
twice = play(EVENING, EVENING, MORNING)
twice

# %%
predicted("12.d", twice["DesiredCapacity"].iloc[-1])

# %% [markdown]
# People come to work, and there is no web server. The function did not fail, and there was no alarm.
#
# When the second event came, the group was empty already. So the function wrote a new note over the first one: an empty group. In the morning it
# restored this empty group.
# The size is **lost**, for all the following days.
#
# Two more cases: first, the morning's event comes twice, and in between somebody has added a fourth machine; second, an evening's event comes late, after the morning's.

# %%
fresh_day()
first = play(EVENING, MORNING)
four = {"AutoScalingGroupName": group_name, "DesiredCapacity": 4}
_ = autoscaling.update_auto_scaling_group(**four)

# %%
by_hand = pd.DataFrame([{"action": "by hand", "time": "", **look(), "error": ""}])
pd.concat([first, by_hand, play(MORNING, EVENING)], ignore_index=True)

# %% [markdown]
# The second morning removed the fourth machine, and the late evening stopped all of them in the middle of the day.
#
# ## Exercise 2: work that may run twice
#
# When events come twice or late, no harm is done. Write `change` anew. It keeps its notes in tags of the group, with the functions of `app.py`:
# `tags_of(group)` is a dict, `remember(group, key, value)` and `forget(group, key)` change one tag. (`group` is what AWS said when the event came.)
#
# - An event that is **not newer** than the last one changes nothing. Keep the time of the last one in the tag `LAST`. (You can compare these times as texts.)
# - The function may **stop half-way**, and gets the same event again. So never overwrite a size that is in `SIZE` (such as `1 3`). Forget it only when it is restored.
# - A morning without a note changes nothing, and does not fail.
# - The next night begins anew, with the size of that day. `MinSize` counts too.

# %% notes [markdown]
# Minutes: 5
#
# Say: Three rules: do not overwrite a note, forget it only when it is restored, and note last that it is done. Say
# them aloud; each belongs to one line.
#
# Goes wrong: `LAST` is noted at the beginning: if the function stops half way, its second try is ignored. `SIZE` is
# overwritten by the second evening. A morning without a note fails with `KeyError`. The note is forgotten before the
# group is restored.
#
# Skip: Go through the solution together; it is short.


# %% change
def change(group, action, time):
    # solution: Ignore what is not newer than LAST; keep a SIZE; note LAST at the end.
    tags = tags_of(group)
    if time <= tags.get(LAST, ""):
        print(f"ignored: {action} of {time}, the last event was of {tags[LAST]}")
        return
    if action == "in":
        if SIZE not in tags:
            remember(group, SIZE, f"{group['MinSize']} {group['DesiredCapacity']}")
        resize(group, 0, 0)
        stop_instances()
    else:
        if SIZE in tags:
            least, desired = tags[SIZE].split()
            resize(group, int(least), int(desired))
            forget(group, SIZE)
        start_instances()
    remember(group, LAST, time)


# %%
# check
app = f"{app_source}\n\n{inspect.getsource(change)}"
deploy(workshop, function, {"app.py": app}, **options)
check("12.2")

# %%
fresh_day()
play(EVENING, EVENING, MORNING, MORNING, EVENING)

# %% [markdown]
# Why note `LAST` at the end, and not at the beginning? Because the function may stop in between. Then the event comes again. A step may be done twice, but
# none may be left out: **first do it, then note that it is done**.
#
# (Two copies of an event at the very same moment do no harm here: both note the same size. Where they do, a tag is not enough: you need a conditional
# write, as in notebooks 14 and 15.)
#
# ## What it costs, and what it saves
#
# First the function: two invocations on each of 22 working days, as long as those of the night above.

# %% notes [markdown]
# Minutes: 2
#
# Say: Less than a cent for the function. Set the slider to the machines of somebody in the room.

# %%
seconds = 22 * night_shift["billed_ms"].sum() / 1000  # an evening and a morning
gb_seconds = seconds * night_shift["memory_mb"].iloc[0] / 1024
price = prices["lambda"]
function_cost = 44 * price["request"] + gb_seconds * price["gb_second"]["x86_64"]

# %%
print(f"{gb_seconds:.1f} GB-seconds and {function_cost:.6f} USD a month")
claim("the function costs less than a cent a month", function_cost < 0.01)

# %% [markdown]
# Less than a cent. (The 44 events of Scheduler cost as little.) Now the machines: t3.small in Tokyo. Move the sliders: how many machines, and how long a day?
# (The folded cell defines the drawing.)


# %% draw-month folded
def draw_month(machines=10, hours_a_day=14):
    always = machines * prices["ec2_hour"]["t3.small"] * 730
    office = always * 5 * hours_a_day / 168
    figure, ax = plt.subplots(figsize=(10, 3))
    labels = ["always on", f"Monday to Friday,\n{hours_a_day} hours a day"]
    style = {"color": [RED, BLUE], "hatch": ["///", ""], "edgecolor": "white"}
    bars = ax.barh(labels, [always, office], **style)
    ax.bar_label(bars, fmt="%.0f USD", padding=4)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_xlabel("USD a month")
    saved = f"{always - office:.0f} of {always:.0f} USD saved"
    ax.set_title(f"{machines} t3.small: {saved}, {1 - office / always:.0%}")
    return ax


# %%
machines, hours = [1, 2, 5, 10, 20, 50, 100], [8, 10, 12, 14, 16, 20, 24]
explore(draw_month, machines=machines, hours_a_day=hours)

# %% [markdown]
# The percentage is so large because an office of 14 hours a day needs 70 of a week's 168 hours.
#
# The picture leaves something out. A stopped instance still pays for its disk. Machines that you reserve for a year (Reserved Instances, Savings Plans) cost the same by day and by night. And a
# group that scales with its load is small at night without this function.
#
# ## The hours of a month
#
# For a bill, 730 hours a month are not exact enough: months differ in days, and in weekends. (The schedule knows no holidays.)
#
# **Predict:** in which month of 2026 are the machines off for the most hours?

# %% notes [markdown]
# Minutes: 1
#
# Say: A small question for the end of a long day: which month has the most hours off?
#
# Answer 12.e: May and August: they have 31 days, and only 21 of them are working days.
#
# Skip: All of it.

# %%
predict("12.e")


# %% hours-off folded
def hours_off(year, month):
    """How many hours of a month are not between 08:00 and 22:00 on Monday to Friday."""
    days = pd.Period(f"{year}-{month:02}").days_in_month
    each_day = (datetime(year, month, day) for day in range(1, days + 1))
    workdays = sum(day.weekday() < 5 for day in each_day)
    return 24 * days - 14 * workdays


# %%
off = pd.Series({month: hours_off(2026, month) for month in range(1, 13)})
usd = (10 * prices["ec2_hour"]["t3.small"] * off).round(2)
print(f"10 t3.small: {usd.sum():,.0f} USD saved in 2026")
pd.DataFrame({"hours off": off, "USD saved": usd}).rename_axis("month")

# %%
predicted("12.e", ", ".join(f"{month}" for month in off.index[off == off.max()]))

# %% [markdown]
# ## When no function is needed
#
# Auto Scaling has **scheduled actions**: a cron (here with five fields, as in Unix), a time zone, and the new sizes.

# %% notes [markdown]
# Minutes: 1
#
# Say: The best function is none: a group can have scheduled actions. Ask when you still need code: when something
# must *look* before it acts.

# %%
this = {"AutoScalingGroupName": group_name, "ScheduledActionName": "evening"}
autoscaling.put_scheduled_update_group_action(
    Recurrence="0 22 * * MON-FRI",
    TimeZone="Asia/Tokyo",
    MinSize=0,
    DesiredCapacity=0,
    **this,
)
found = autoscaling.describe_scheduled_actions(AutoScalingGroupName=group_name)

# %%
autoscaling.delete_scheduled_action(**this)
columns = ["Recurrence", "TimeZone", "MinSize", "DesiredCapacity"]
pd.DataFrame(found["ScheduledUpdateGroupActions"])[columns]

# %% [markdown]
# (We delete it at once: it must not disturb our function. The embedded AWS keeps such actions, but does not carry them out.)
#
# A scheduled action always sets the same sizes, so it can run twice, and there is nothing to note. And EventBridge Scheduler can call AWS's API without a
# function: the **universal target** `arn:aws:scheduler:::aws-sdk:ec2:stopInstances`, with the instances as `Input`.
#
# | what you want | take |
# |---|---|
# | the same size every morning | scheduled actions of the group |
# | stop and start certain instances | Scheduler with a universal target |
# | the size of yesterday; everything with the tag; no start on holidays; a message to Slack | a function |
#
# Use a function when something must *look* before it acts.
#
# ## Stop the machines
#
# These cells delete schedules and rules, scale the group to zero and stop the build server. (`python3 -m helpers clean` removes the rest: the group, its template, the instance with its disk. On AWS the disk costs money until then.)

# %% notes [markdown]
# Minutes: 1
#
# Say: On AWS do this before anybody leaves the room.

# %%
for rule in ("night-in", "night-out", "lab-start", "lab-open", "lab-stop", "lab-clean"):
    events.delete_rule(Name=workshop.name(rule))

# %%
for name in ("night-in", "night-out"):
    try:
        scheduler.delete_schedule(Name=workshop.name(name))
    except scheduler.exceptions.ResourceNotFoundException:
        print(name, "is gone already.")

# %%
none = {"MinSize": 0, "DesiredCapacity": 0}
autoscaling.update_auto_scaling_group(AutoScalingGroupName=group_name, **none)
ec2.stop_instances(InstanceIds=[build_server])
look()

# %% [markdown]
# ## What you have learned
#
# - EventBridge Scheduler starts a function at a time of day, in the time zone that you name. A rule is in UTC, and when a time moves to another day, the days of the week must move, too.
# - A function with the right role operates AWS: it reads, notes and changes groups and instances. A condition on a tag protects the others.
# - Events come at least once, sometimes twice or late. Never overwrite a note, forget only what is restored, ignore what is not newer, and note last that it is done.
# - Nights and weekends are more than half of a week's hours, and the function that saves them costs almost nothing.
# - Where the sizes are always the same, scheduled actions do it without a function.
#
# **Next:** notebook [13](13-rendering-pages.ipynb), *Rendering pages*.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask for the three rules of exercise 2, without looking.
