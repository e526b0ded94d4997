# %% [markdown]
# # 12 Night scale-in
#
# After this notebook you will be able to
#
# - start a function at a time of day, in the time zone where people live, and say what goes wrong in UTC;
# - let a function operate AWS itself: scale an Auto Scaling group, stop and start EC2 instances;
# - make such a function bear events that come twice, late or out of order;
# - say what it saves, and when no function is needed at all.
#
# It takes about 40 minutes. Slides: "Example 2: scale in EC2 at night", in the part "Architectures".
#
# ![A schedule starts a function, which scales an Auto Scaling group in at night and out in the morning, and stops and starts tagged instances](lessons/12-night-scale-in/picture.svg)
#
# Nobody uses the web servers of an office at three in the morning, but EC2 is paid by the second that a machine runs. So a clock starts a
# function in the evening. It writes down how many machines there are, and sends them home. In the morning it brings back as many.
#
# The slide says CloudWatch Events; that service is called **EventBridge** today, and has a younger relative, **EventBridge Scheduler**, which AWS recommends for everything that happens by the clock ([rules with a schedule are {{scheduled_rules}}]({{scheduled_rules.source}}), read on {{scheduled_rules.checked}}). We look at both.

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

workshop = connect()
lambda_client, logs, iam = (
    workshop.client("lambda"),
    workshop.client("logs"),
    workshop.client("iam"),
)
scheduler, events = workshop.client("scheduler"), workshop.client("events")
autoscaling, ec2 = workshop.client("autoscaling"), workshop.client("ec2")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## The machines
#
# An **Auto Scaling group** keeps a number of equal EC2 instances alive. It has three numbers: `DesiredCapacity`, how many there should be now;
# `MinSize` and `MaxSize`, between which that may lie. What an instance looks like is said in a **launch template**.
#
# The embedded AWS keeps the books of a group and its instances, but **no machine runs**. On AWS they are real. We take the smallest type, without a
# public address, and this is what you pay until the end of this notebook (which scales to zero):

# %%
prices = load_prices()  # Tokyo
nano = (
    prices["ec2_hour"]["t4g.small"] / 4
)  # a nano has a quarter of a small, in memory and in price
print(
    f"4 machines: {4 * nano:.3f} USD an hour on AWS (t4g.nano, {prices['region']}, {prices['checked']})"
)

# %% [markdown]
# The image is Amazon Linux; `resolve:ssm:` lets AWS look up its newest version. (The embedded AWS takes any text here.)

# %%
group_name = workshop.name("night-web")
try:
    ec2.create_launch_template(
        LaunchTemplateName=group_name,
        LaunchTemplateData={
            "ImageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            "InstanceType": "t4g.nano",
            "NetworkInterfaces": [
                {"DeviceIndex": 0, "AssociatePublicIpAddress": False}
            ],
        },
    )
except ec2.exceptions.ClientError as error:
    if (
        error.response["Error"]["Code"]
        != "InvalidLaunchTemplateName.AlreadyExistsException"
    ):
        raise
    print("The launch template is there already.")

# %% [markdown]
# The group goes into the subnets of your account's default network. Its tag `night` says that it may be stopped at night: our function will be
# allowed to touch what has this tag, and nothing else. (`PropagateAtLaunch`: the instances of the group do not inherit it.)

# %%
night = workshop.name(
    "off"
)  # the value of the tag: with your name in it, for accounts that several people share
subnets = ec2.describe_subnets(
    Filters=[{"Name": "default-for-az", "Values": ["true"]}]
)["Subnets"]
try:
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group_name,
        LaunchTemplate={"LaunchTemplateName": group_name, "Version": "$Latest"},
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=3,
        VPCZoneIdentifier=",".join(subnet["SubnetId"] for subnet in subnets),
        Tags=[{"Key": "night", "Value": night, "PropagateAtLaunch": False}],
    )
except autoscaling.exceptions.AlreadyExistsFault:
    print("The group is there already.")

# %% [markdown]
# And one instance that belongs to no group: a build server, say. It is not replaced but **stopped**: its disk stays (and is paid for), and so does what is on
# it. (Never stop an instance of a group. The group would think that it is broken, and put another one in its place.)

# %%
server_tags = {"Name": workshop.name("build-server"), "night": night}
alive = [
    {"Name": "tag:Name", "Values": [server_tags["Name"]]},
    {
        "Name": "instance-state-name",
        "Values": ["pending", "running", "stopping", "stopped"],
    },
]
found = ec2.describe_instances(Filters=alive)["Reservations"]
if not found:
    tags = [{"Key": key, "Value": text} for key, text in server_tags.items()]
    made = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": group_name},
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    ec2.get_waiter("instance_exists").wait(
        InstanceIds=[made["Instances"][0]["InstanceId"]]
    )
    found = [made]
build_server = found[0]["Instances"][0]["InstanceId"]

# %% [markdown]
# `look()` tells what AWS says of all this, and `fresh_day()` makes it morning: at least one machine, three now, and nothing remembered from a night. We will use both
# a lot.


# %%
def look():
    group = autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[group_name]
    )["AutoScalingGroups"][0]
    server = ec2.describe_instances(InstanceIds=[build_server])["Reservations"][0][
        "Instances"
    ][0]
    return {
        "MinSize": group["MinSize"],
        "DesiredCapacity": group["DesiredCapacity"],
        "in service": sum(
            each["LifecycleState"] == "InService" for each in group["Instances"]
        ),
        "build server": server["State"]["Name"],
    }


def fresh_day():
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group_name, MinSize=1, DesiredCapacity=3
    )
    of_group = {"ResourceId": group_name, "ResourceType": "auto-scaling-group"}
    autoscaling.delete_tags(
        Tags=[{"Key": key} | of_group for key in ("night:size", "night:last")]
    )
    if look()["build server"] == "stopped":
        ec2.start_instances(InstanceIds=[build_server])


# %% [markdown]
# On AWS the next cell takes a minute or so, until the machines have started.

# %%
if look()["build server"] == "stopping":
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[build_server])
fresh_day()
while look()["in service"] != 3 or look()["build server"] != "running":
    time.sleep(1)
look()

# %% [markdown]
# ## The function
#
# It is a *first draft*. Read `handler` and `change`; what is below them are the single steps. Where does it keep the size of the group overnight? Not in a variable: at eight in the morning its
# environment will be gone (notebook 04). It writes the size into a **tag of the group**, `night:size`, for example `1 3`.

# %%
app_source = (function_folder("night-scale-in") / "python" / "app.py").read_text()
display(Markdown(f"```python\n{app_source}```"))

# %% [markdown]
# `resize` sets `MinSize` and `DesiredCapacity` in one call, since AWS refuses a desired capacity below the minimum. (The embedded AWS does not check that.)
#
# Its role may read everything of EC2 and Auto Scaling, and change only what carries our tag. That matters: a function that can stop machines can stop the wrong ones. (The
# embedded AWS does not enforce roles. AWS does.)

# %%
role_arn = workshop.role("AmazonEC2ReadOnlyAccess")  # which includes Auto Scaling
may_change = [
    {
        "Effect": "Allow",
        "Action": [
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
        ],
        "Resource": "*",
        "Condition": {"StringEquals": {"autoscaling:ResourceTag/night": night}},
    },
    {
        "Effect": "Allow",
        "Action": [
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {"StringEquals": {"ec2:ResourceTag/night": night}},
    },
]

# %%
iam.put_role_policy(
    RoleName=role_arn.rsplit("/", 1)[-1],
    PolicyName="night",
    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": may_change}),
)
function = workshop.name("night-scale-in")
options = {
    "Role": role_arn,
    "MemorySize": 256,
    "Timeout": 30,
    "Environment": {"Variables": {"GROUP": group_name, "NIGHT": night}},
}
function_arn = deploy(workshop, function, {"app.py": app_source}, **options)[
    "FunctionArn"
]

# %% [markdown]
# ## The clock
#
# EventBridge Scheduler needs a role too: it has to be allowed to invoke the function.


# %%
def policy(statement):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]}
    )


clock_role = workshop.name("night-clock")
trust = {
    "Principal": {"Service": "scheduler.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
try:
    iam.create_role(RoleName=clock_role, AssumeRolePolicyDocument=policy(trust))
except iam.exceptions.EntityAlreadyExistsException:
    print("The role is there already.")
may_invoke = {"Action": "lambda:InvokeFunction", "Resource": function_arn}
iam.put_role_policy(
    RoleName=clock_role, PolicyName="invoke", PolicyDocument=policy(may_invoke)
)
clock_role_arn = iam.get_role(RoleName=clock_role)["Role"]["Arn"]

# %% [markdown]
# A schedule has an **expression**, a **time zone** and a **target**. The expression of six fields, `cron(minutes hours day-of-month month day-of-week year)`, is
# AWS's own dialect: of the two fields for days one has to be `?`.
#
# `Input` is the event that the function gets. Scheduler puts the time of the schedule in place of `<aws.scheduler.scheduled-time>`. And when the event
# cannot be delivered, it tries again for a day, unless we say otherwise: an evening's event that comes at noon is worse than none, so we give it an hour.


# %%
def target(action):
    return {
        "Arn": function_arn,
        "RoleArn": clock_role_arn,
        "Input": json.dumps(
            {"action": action, "time": "<aws.scheduler.scheduled-time>"}
        ),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
    }


target("in")["Input"]

# %% [markdown]
# On AWS a new role takes some seconds until Scheduler may assume it, so `schedule` tries again.


# %%
def schedule(name, **parameters):
    """Create the schedule, or update it."""
    parameters |= {"Name": workshop.name(name), "FlexibleTimeWindow": {"Mode": "OFF"}}
    for attempt in range(12):  # 12 * 5 s == a minute
        try:
            return scheduler.create_schedule(**parameters)
        except scheduler.exceptions.ConflictException:
            return scheduler.update_schedule(**parameters)
        except scheduler.exceptions.ValidationException as error:
            if attempt == 11 or "assume the role" not in str(error):
                raise
            time.sleep(5)


japan = {"ScheduleExpressionTimezone": "Asia/Tokyo"}
schedule(
    "night-in",
    ScheduleExpression="cron(0 22 ? * MON-FRI *)",
    Target=target("in"),
    **japan,
)
schedule(
    "night-out",
    ScheduleExpression="cron(0 8 ? * MON-FRI *)",
    Target=target("out"),
    **japan,
)
[
    each["Name"]
    for each in scheduler.list_schedules(NamePrefix=workshop.name("night"))["Schedules"]
]

# %% [markdown]
# That is all: from Friday 22:00 to Monday 08:00 nobody works, so there is no event on Saturday and Sunday.
#
# ### The same in UTC
#
# A **rule** of EventBridge, the older way, has no time zone: its cron is in UTC. Japan is nine hours ahead, all year. So 22:00 becomes 13:00, and 08:00 becomes 23:00. We make the
# two rules, but disabled and without a target, because the schedules above do the work.

# %%
for name, expression in [
    ("night-in", "cron(0 13 ? * MON-FRI *)"),
    ("night-out", "cron(0 23 ? * MON-FRI *)"),
]:
    events.put_rule(
        Name=workshop.name(name), ScheduleExpression=expression, State="DISABLED"
    )
load_event("scheduled")

# %% [markdown]
# (The last line shows what a rule would send: when, and which rule. It does not say what to do. A rule's target can be given an `Input`, too.)
#
# Do you see what is wrong with these rules?
#
# **Predict:** on which days, in Japan, do the machines start by them?

# %%
predict("12.a", choices=["MON to FRI", "TUE to SAT", "SUN to THU"])

# %% [markdown]
# **Predict:** for how many of the 168 hours of a week do they run? (Wanted are 5 × 14 = 70.)

# %%
predict("12.b")

# %% [markdown]
# The next cell draws a week. It works out in which of its 168 hours the machines are on, from the two expressions and their time zone.

# %% hours-on
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def fires(expression, zone):
    """The hours of a week in Japan at which a cron expression fires; 0 is Sunday 00:00."""
    minutes, hours, _, _, days, _ = (
        expression.removeprefix("cron(").removesuffix(")").split()
    )
    ahead = 9 if zone == "UTC" else 0
    ranges = [[DAYS.index(day) for day in part.split("-")] for part in days.split(",")]
    fire_on = [day for ends in ranges for day in range(ends[0], ends[-1] + 1)]
    return {(day * 24 + int(hours) + ahead) % 168 for day in fire_on}


def hours_on(scale_out, scale_in, zone):
    """For each hour of the week whether the machines are on."""
    starts, stops, on = fires(scale_out, zone), fires(scale_in, zone), False
    week = []
    for hour in 2 * [
        *range(168)
    ]:  # twice, so that the week begins as the one before it ended
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
# The first number is what we want, in hours a week. The picture shows where the others come from. (You need not read the cell that draws it.)


# %%
def draw_week(title, rows):
    """In which hours of a week in Japan the machines are on, in a row for each; hatched where they should be off."""
    figure, ax = plt.subplots(figsize=(11, 1.6 + 0.8 * len(rows)))
    blue, red = (
        {"color": BLUE},
        {"facecolor": RED, "edgecolor": "white", "hatch": "///", "linewidth": 0},
    )
    should = np.roll(wanted, -24)  # the week of the picture begins on Monday
    for place, week in enumerate(rows.values()):
        is_on = np.roll(week, -24)
        for hours, style in ((is_on & should, blue), (is_on & ~should, red)):
            ends = np.flatnonzero(
                np.diff(hours.astype(int), prepend=0, append=0)
            ).reshape(-1, 2)
            ax.broken_barh(
                [(start, end - start) for start, end in ends],
                (place - 0.3, 0.6),
                **style,
            )
    ax.set_yticks(
        range(len(rows)),
        [f"{label}: {sum(week)} hours" for label, week in rows.items()],
    )
    ax.set_xticks(range(0, 169, 24), [])
    for place, day in enumerate(DAYS[1:] + DAYS[:1]):
        ax.text(24 * place + 12, len(rows) - 0.4, day, ha="center", va="center")
    ax.set(xlim=(0, 168), ylim=(len(rows) - 0.15, -0.5))
    ax.grid(axis="x", color="0.6", alpha=1)
    ax.set_title(title)
    return ax


# %%
not_wanted = sum(copied) - sum(wanted)
ax = draw_week(
    f"Copied to UTC, {not_wanted} of {sum(copied)} hours a week are not wanted",
    {"wanted": wanted, "MON-FRI in UTC": copied},
)

# %% [markdown]
# 23:00 on Monday in UTC is already **Tuesday** in Japan, and 23:00 on Friday is Saturday. So on Saturday the machines start, and nothing stops them until
# Monday night. On Monday morning nobody misses anything, because they have been running all weekend. The bill is where it shows.
#
# When a time moves to another day, the days have to move along. In countries that change their clocks it is worse: there a rule in UTC is an hour off for
# half of the year. A schedule with a time zone follows the clock on the wall.
#
# | | rule of EventBridge | EventBridge Scheduler |
# |---|---|---|
# | time zone | UTC | any |
# | expressions | `cron`, `rate` | and `at(…)`, once |
# | targets | up to five | one, and almost any call of AWS's API |
# | may invoke a function by | a permission of the function (notebook 04) | a role |
# | tries again | {{rule_retries}} times in 24 hours, or less: the target's `RetryPolicy` | {{schedule_retries}} times in 24 hours, or less: the target's `RetryPolicy` |
# | what could not be delivered | goes to the queue in the target's `DeadLetterConfig` | goes to the queue in the target's `DeadLetterConfig` |
# | also reacts to | events of AWS and of your own | nothing but time |
#
# (Sources: EventBridge User Guide, ["Retrying event delivery"]({{rule_retries.source}}); EventBridge Scheduler API Reference,
# ["RetryPolicy"]({{schedule_retries.source}}). The embedded AWS keeps both settings, and acts on neither.)
#
# ## Exercise 1: from Japan's time to UTC
#
# Rules in UTC are everywhere, and somebody has to maintain them. A laboratory in Japan wants four, for these times **in Japan**:
#
# | rule | time | days |
# |---|---|---|
# | `lab-start` | 07:30 | Sunday, Tuesday, Thursday |
# | `lab-open` | 09:00 | Monday |
# | `lab-stop` | 21:45 | Sunday, Tuesday, Thursday |
# | `lab-clean` | 00:15 | Saturday |
#
# Make them with `events.put_rule`, as above: with `workshop.name("lab-start")` as its name, for example, a cron in UTC, and
# `State="DISABLED"`. The check reads them back from EventBridge.

# %% lab-rules
# solution: Call events.put_rule for each of the four, with its time and its days in UTC.
in_utc = {
    "lab-start": "cron(30 22 ? * SAT,MON,WED *)",
    "lab-open": "cron(0 0 ? * MON *)",
    "lab-stop": "cron(45 12 ? * SUN,TUE,THU *)",
    "lab-clean": "cron(15 15 ? * FRI *)",
}
for rule, cron in in_utc.items():
    name = workshop.name(rule)
    events.put_rule(Name=name, ScheduleExpression=cron, State="DISABLED")

# %%
# check
check("12.1")

rules = events.list_rules(NamePrefix=workshop.name("lab"))["Rules"]
pd.DataFrame(rules)[["Name", "ScheduleExpression", "State"]]

# %% [markdown]
# And the rules of the office, put right: the start moves to the days from Sunday to Thursday.

# %%
corrected = hours_on("cron(0 23 ? * SUN-THU *)", "cron(0 13 ? * MON-FRI *)", "UTC")
agree = sum(one == other for one, other in zip(wanted, corrected, strict=True))
ax = draw_week(
    f"With the days moved along, {agree} of 168 hours are as wanted",
    {"wanted": wanted, "MON-FRI in UTC": copied, "SUN-THU and MON-FRI": corrected},
)

# %% [markdown]
# ## A night of ten seconds
#
# Nobody wants to wait until 22:00. `at(…)` is a schedule for one moment: we order an evening a few seconds from now, and a morning ten seconds later. With
# `ActionAfterCompletion="DELETE"` such a schedule removes itself when it has fired. (AWS keeps to the minute and not to the second, and needs time to start machines. There our night
# takes four minutes.)
#
# The next two cells only draw what `look()` says, again and again, until it is morning. You need not read them.


# %%
def draw_night(ax, seen):
    ax.clear()
    style = {"where": "post", "linewidth": 3}
    ax.step(
        seen["second"],
        seen["DesiredCapacity"],
        color=RED,
        label="DesiredCapacity",
        **style,
    )
    ax.step(
        seen["second"],
        seen["in service"],
        color=BLUE,
        linestyle="--",
        label="machines in service",
        **style,
    )
    stopped = 4 * (
        seen["build server"] != "running"
    )  # as high as the picture, up to the next look
    ax.fill_between(
        seen["second"],
        stopped,
        step="post",
        color="0.88",
        linewidth=0,
        label="build server does not run",
    )
    first, least, last = (
        seen["in service"].iloc[0],
        seen["in service"].min(),
        seen["in service"].iloc[-1],
    )
    ax.set_title(f"In service: {first} by day, {least} at night, {last} in the morning")
    ax.set_xlabel("seconds")
    ax.set_ylabel("machines")
    ax.set(ylim=(-0.15, 4.4), yticks=range(5))
    ax.legend(loc="upper right", ncols=3)


# %%
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
        all_back = (
            now["in service"] == now["DesiredCapacity"] > 0
            and now["build server"] == "running"
        )
        mornings += was_night and all_back
        if mornings == 4:  # a look at the morning, too
            return pd.DataFrame(rows)
        time.sleep(1)
    raise TimeoutError(
        f"No morning within {limit} s; the log of the function says more."
    )


# %% [markdown]
# **Predict:** what falls first, the capacity or the number of machines? (On AWS machines have to stop and to start.)

# %%
predict("12.c", choices=["the capacity", "the machines", "both at once"])

# %%
fresh_day()
asked = datetime.now(UTC)
soon, duration = (8, 10) if workshop.is_embedded else (60, 240)  # seconds
evening = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(seconds=soon)
morning = evening + timedelta(seconds=duration)
once = japan | {"ActionAfterCompletion": "DELETE"}
schedule(
    "tonight-in",
    ScheduleExpression=f"at({evening:%Y-%m-%dT%H:%M:%S})",
    Target=target("in"),
    **once,
)
schedule(
    "tonight-out",
    ScheduleExpression=f"at({morning:%Y-%m-%dT%H:%M:%S})",
    Target=target("out"),
    **once,
)
seen = watch()

# %%
capacity = seen["second"][seen["DesiredCapacity"] == 0].min()
machines = seen["second"][seen["in service"] == 0].min()
sooner = "the capacity" if capacity < machines else "the machines"
predicted("12.c", "both at once" if capacity == machines else sooner)

# %% [markdown]
# On the embedded AWS both change at once, since there is nothing to start. On AWS the machines follow the capacity a minute later. (And the expressions above are in Japan's
# time, wherever this notebook runs: the schedule says which clock it means.)
#
# The function was invoked twice, and not by us. Here is what it printed.

# %%
night_shift = reports(logs, function, at_least=2, since=asked)
pages = logs.get_paginator("filter_log_events").paginate(
    logGroupName=f"/aws/lambda/{function}", startTime=int(asked.timestamp() * 1000)
)
lines = [event["message"].strip() for page in pages for event in page["events"]]
print(
    "\n".join(
        line for line in lines if line.startswith((group_name, "stopped", "started"))
    )
)

# %% [markdown]
# ## It comes twice
#
# Scheduler promises to deliver an event **at least once**. Once in a while it delivers it twice, and so does Lambda's own queue for asynchronous events; and when a
# function fails, Lambda sends the event again. (Sources: EventBridge Scheduler User Guide, "What is EventBridge Scheduler?"; Lambda Developer Guide, "Asynchronous invocation".)
#
# You cannot order a duplicate, but you can play one: `play` sends events by hand, one after the other, and shows how the group looks after each. 13:00 UTC is the evening, and
# 23:00 UTC the morning.
#
# (On AWS an instance that is still *stopping* cannot be started. The build server may miss so quick a morning, and come with the next.)

# %%
EVENING, MORNING = "2026-11-02T13:00:00Z", "2026-11-02T23:00:00Z"


def play(*happened):
    rows = []
    for action, when in happened:
        answer = lambda_client.invoke(
            FunctionName=function, Payload=json.dumps({"action": action, "time": when})
        )
        payload = json.loads(answer["Payload"].read())
        error = payload["errorType"] if "FunctionError" in answer else ""
        rows.append({"action": action, "time": when, **look(), "error": error})
    return pd.DataFrame(rows)


fresh_day()
play(("in", EVENING), ("out", MORNING))

# %% [markdown]
# As it should be. Now the evening's event is delivered twice. Read `change` again before you run the cell.
#
# **Predict:** what will `DesiredCapacity` be in the morning?

# %%
predict("12.d")

# %%
fresh_day()
twice = play(("in", EVENING), ("in", EVENING), ("out", MORNING))
twice

# %%
predicted("12.d", twice["DesiredCapacity"].iloc[-1])

# %% [markdown]
# It is eight o'clock, people come to work, and there is no web server. Nothing failed, and no alarm rang.
#
# When the second event came, the group was empty already. So the function wrote down an empty group, over the note of the first event. In the morning it restored what it had written:
# nothing. And tomorrow night it will note "nothing" again. The size is **lost**.
#
# Two more cases. The morning's event comes twice, and meanwhile somebody has given the group a fourth machine. And an evening's event comes late, after the morning's.

# %%
fresh_day()
first = play(("in", EVENING), ("out", MORNING))
autoscaling.update_auto_scaling_group(
    AutoScalingGroupName=group_name, DesiredCapacity=4
)
by_hand = pd.DataFrame([{"action": "by hand", "time": "", **look(), "error": ""}])
pd.concat([first, by_hand, play(("out", MORNING), ("in", EVENING))], ignore_index=True)

# %% [markdown]
# The second morning took the fourth machine away, and the late evening sent all of them home, in the middle of the day.
#
# ## Exercise 2: a function that bears repetition
#
# Write `change` anew, so that all of this does no harm. Whatever it has to remember goes into tags of the group, with the functions of `app.py`:
# `tags_of(group)` is a dict, `remember(group, key, value)` and `forget(group, key)` change one tag. (`group` is what AWS said when the event came.)
#
# - An event that is **not newer** than the last one that was handled changes nothing. Keep the time of the last one in the tag `LAST`. (Times such as these can be compared as texts.)
# - The function may **die half-way**, and gets the same event again. So a size that is remembered in `SIZE` (as `1 3`, like before) must not be overwritten: it is only forgotten when it has been restored.
# - A morning without anything remembered changes nothing, and does not fail.
# - The next night begins anew, with the size of that day. `MinSize` counts too.


# %% change
def change(group, action, time):
    # solution: Ignore what is not newer than LAST; remember SIZE only once, forget it once it is restored; note LAST at the end.
    tags = tags_of(group)
    if time <= tags.get(LAST, ""):
        print(
            f"ignored: {action} of {time}, because the last event was of {tags[LAST]}"
        )
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
deploy(
    workshop,
    function,
    {"app.py": app_source + "\n\n" + inspect.getsource(change)},
    **options,
)
check("12.2")

fresh_day()
play(
    ("in", EVENING),
    ("in", EVENING),
    ("out", MORNING),
    ("out", MORNING),
    ("in", EVENING),
)

# %% [markdown]
# Why note `LAST` at the end, and not at the beginning? Because the function may die in between. Then the event comes again, and has to be handled: each step may be done twice, but none
# may be left out. The order is the same everywhere in this workshop: **first do it, then say that it is done**.
#
# (Two events at the very same moment would still both read the tags before either has written. Here that is harmless: both see the same group, and write the same size. Where it is
# not, a tag is not enough, and you need a conditional write as in notebooks 14 and 15.)
#
# ## What it costs, and what it saves
#
# First the function: two invocations on each of some 22 working days, at the billed duration of the night above.

# %%
billed_seconds = night_shift["billed_ms"].sum() / 1000  # an evening and a morning
gb_seconds = 22 * billed_seconds * night_shift["memory_mb"].iloc[0] / 1024
function_cost = (
    44 * prices["lambda"]["request"]
    + gb_seconds * prices["lambda"]["gb_second"]["x86_64"]
)
print(f"The function: {gb_seconds:.1f} GB-seconds and {function_cost:.6f} USD a month")

# %% [markdown]
# (What Scheduler takes for 44 events is as little.) And the machines: t3.small in Tokyo. Move the sliders: how many machines do you have, and how long is your day?


# %%
def draw_month(machines=10, hours_a_day=14):
    price = prices["ec2_hour"]["t3.small"]
    always, office = (
        machines * price * 730 * part for part in (1, 5 * hours_a_day / 168)
    )
    figure, ax = plt.subplots(figsize=(10, 3))
    labels = ["always on", f"Monday to Friday,\n{hours_a_day} hours a day"]
    bars = ax.barh(
        labels,
        [always, office],
        color=[RED, BLUE],
        hatch=["///", ""],
        edgecolor="white",
    )
    ax.bar_label(bars, fmt="%.0f USD", padding=4)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_xlabel("USD a month")
    finding = f"{machines} t3.small: {always - office:.0f} of {always:.0f} USD saved, {1 - office / always:.0%}"
    ax.set_title(finding)
    return ax


explore(
    draw_month,
    machines=[1, 2, 5, 10, 20, 50, 100],
    hours_a_day=[8, 10, 12, 14, 16, 20, 24],
)

# %% [markdown]
# A week has 168 hours, and an office of 14 hours a day needs 70 of them. That is why the percentage is so large, and it does not depend on the number of machines.
#
# Mind what the sum leaves out. A stopped instance still pays for its disk. Machines that are reserved for a year (Reserved Instances, Savings Plans) cost the same by day and by night. And a
# group that scales with its load is small at night all by itself.
#
# ## The hours of a month
#
# For a bill, 730 hours a month are not exact enough: months differ in their days, and in their weekends. (The schedule knows no holidays.)
#
# **Predict:** in which month of 2026 are the machines off for the most hours?

# %%
predict("12.e")


# %% hours-off
def hours_off(year, month):
    """How many hours of a month are not between 08:00 and 22:00 on Monday to Friday."""
    days = pd.Period(f"{year}-{month:02}").days_in_month
    each_day = (datetime(year, month, day) for day in range(1, days + 1))
    workdays = sum(day.weekday() < 5 for day in each_day)
    return 24 * days - 14 * workdays


# %%
price = prices["ec2_hour"]["t3.small"]
months = pd.Index(range(1, 13), name="month of 2026")
saved = pd.DataFrame(
    {"hours off": [hours_off(2026, month) for month in months]}, index=months
)
saved["USD saved by 10 t3.small"] = (10 * price * saved["hours off"]).round(2)
print(
    f"{saved.iloc[:, 1].sum():.0f} USD in 2026, for {12 * function_cost:.4f} USD of Lambda"
)
saved

# %%
most = saved["hours off"]
predicted("12.e", ", ".join(f"{month}" for month in most.index[most == most.max()]))

# %% [markdown]
# ## When no function is needed
#
# The best function is the one that you need not write. Auto Scaling has **scheduled actions**: a cron (of five fields here, as in Unix) with a time zone, and the sizes from then on.

# %%
autoscaling.put_scheduled_update_group_action(
    AutoScalingGroupName=group_name,
    ScheduledActionName="evening",
    Recurrence="0 22 * * MON-FRI",
    TimeZone="Asia/Tokyo",
    MinSize=0,
    DesiredCapacity=0,
)
actions = autoscaling.describe_scheduled_actions(AutoScalingGroupName=group_name)[
    "ScheduledUpdateGroupActions"
]
autoscaling.delete_scheduled_action(
    AutoScalingGroupName=group_name, ScheduledActionName="evening"
)
[
    {
        key: action[key]
        for key in ("Recurrence", "TimeZone", "MinSize", "DesiredCapacity")
    }
    for action in actions
]

# %% [markdown]
# (We delete it at once, so that it does not get in our function's way. The embedded AWS keeps such actions but does not carry them out.)
#
# It always sets the same sizes, so running twice does no harm, and there is nothing to forget. When three machines every morning are fine, use this. And EventBridge Scheduler can call AWS's API without a
# function in between: the target `arn:aws:scheduler:::aws-sdk:ec2:stopInstances` with the instances as `Input` is a **universal target**.
#
# | what you want | take |
# |---|---|
# | the same size every morning | scheduled actions of the group |
# | stop and start certain instances | Scheduler with a universal target |
# | the size of yesterday; whatever has the tag; no start on holidays; a message to Slack | a function |
#
# A function is for what has to *look* before it acts.
#
# ## Send them home
#
# A schedule that nobody needs any more should not fire for ever, and on AWS the machines cost money. So this cell deletes schedules and rules, scales the group to zero and stops the build
# server. (`python3 -m helpers clean` removes the rest: the group, its template, the instance with its disk.)

# %%
for rule in ("lab-start", "lab-open", "lab-stop", "lab-clean"):
    events.delete_rule(Name=workshop.name(rule))
for name in ("night-in", "night-out"):
    try:
        scheduler.delete_schedule(Name=workshop.name(name))
    except scheduler.exceptions.ResourceNotFoundException:
        print(name, "is gone already.")
    events.delete_rule(Name=workshop.name(name))
autoscaling.update_auto_scaling_group(
    AutoScalingGroupName=group_name, MinSize=0, DesiredCapacity=0
)
ec2.stop_instances(InstanceIds=[build_server])
look()

# %% [markdown]
# ## What you have learned
#
# - EventBridge Scheduler starts a function at a time of day, in the time zone that you name. A rule is in UTC, and a time that moves to another day takes the days of the week along.
# - A function with the right role operates AWS: it reads, notes and changes groups and instances. A condition on a tag keeps it from the wrong ones.
# - Events come at least once, sometimes twice or late. Remember only once, forget only what is restored, ignore what is older than the last, and note last that it is done.
# - Nights and weekends are more than half of a week's hours, and the function that saves them costs next to nothing.
# - Where the sizes are always the same, scheduled actions do it without a function.
#
# **Next:** notebook 13, *Server-side rendering*.
