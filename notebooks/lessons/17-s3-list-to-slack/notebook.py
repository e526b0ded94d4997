# %% [markdown]
# # 17 S3 list to Slack
#
# After this notebook you will be able to
#
# - call another AWS service from a function, with the SDK that Lambda's runtimes bring along;
# - list *all* objects of a bucket, also when there are more than a thousand, and when there are none;
# - give a function the least privilege that it needs.
#
# It takes about 35 minutes. Slides: "[Hands-on] The files of a bucket to Slack", "Answers", in the part "Hands-on".
#
# ![A file put into S3 triggers the function, which lists the bucket and posts the list](lessons/17-s3-list-to-slack/picture.svg)

# %% [markdown]
# ## Begin
#
# `start_at("17")` makes what the notebooks before would have made: the bucket, and the function of notebook 16 with its
# trigger.

# %%
import base64
import json
from datetime import UTC, datetime

from helpers import connect, deploy, load_event, open_inbox, start_at

language = "python"
workshop = connect()
lambda_client = workshop.client("lambda")
s3 = workshop.client("s3")
folder = start_at("17", language) / language
inbox = open_inbox(workshop)
bucket = workshop.name("uploads")

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## Ask S3 from here first
#
# The event names one object. For the rest the function has to ask S3, with `list_objects_v2`. Try it here, where it is
# easier to look at.
#
# **Predict:** `Contents` is the list of the objects. What does the answer hold when a bucket is empty?

# %%
predict("17.a", choices=["an empty list", "None", "no Contents at all"])

# %%
empty = workshop.name("empty")
options = {}
if workshop.region != "us-east-1":
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}
try:
    s3.create_bucket(Bucket=empty, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")
answer = s3.list_objects_v2(Bucket=empty)
answer["KeyCount"], "Contents" in answer

# %%
predicted("17.a", answer.get("Contents", "no Contents at all"))

# %% [markdown]
# No object, no `Contents`: not an empty list, but no such key at all. Code that expects it fails on the one bucket that
# nobody tested with.
#
# The other surprise is at the far end. One answer holds **1,000 objects at most**. `IsTruncated` says whether there are more,
# and the SDK's *paginator* asks on until there are none.

# %%
many = workshop.name("many")
try:
    s3.create_bucket(Bucket=many, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")
for number in range(1200):
    s3.put_object(Bucket=many, Key=f"page-{number:04}.txt", Body=b"")

# %%
one_answer = s3.list_objects_v2(Bucket=many)
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=many)
print(one_answer["KeyCount"], one_answer["IsTruncated"])
print([page["KeyCount"] for page in pages])

# %% [markdown]
# ## Least privilege
#
# So far the functions had the role with *AmazonS3ReadOnlyAccess*: they may read **every** object of **every** bucket of the
# account. This one needs to list buckets of yours, and nothing else. The policy below says just that: your buckets have your
# name in front. (In production you would name the one bucket.) `ListBucket` is a right on the *bucket* and not on its objects,
# so there is no `/*` at the end of the resource.

# %%
iam = workshop.client("iam")
role_name = workshop.name("list-role")
trust_policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
try:
    role = iam.create_role(
        RoleName=role_name, AssumeRolePolicyDocument=json.dumps(trust_policy)
    )["Role"]
except iam.exceptions.EntityAlreadyExistsException:
    role = iam.get_role(RoleName=role_name)["Role"]

# %%
prefix = workshop.name("x").removesuffix("x")
policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{prefix}*",
        }
    ],
}
iam.put_role_policy(
    RoleName=role_name, PolicyName="list-my-buckets", PolicyDocument=json.dumps(policy)
)
iam.attach_role_policy(
    RoleName=role_name,
    PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
)
policy["Statement"]

# %% [markdown]
# On AWS a function without this right gets `AccessDenied`, and so it should. The embedded AWS stores policies and does not
# enforce them: a right that you forget shows on AWS only.
#
# ## The function
#
# Twice the time, because listing takes longer, and 256 MB, because the SDK wants memory: more than a bare handler.

# %%
runtimes = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
name = workshop.name("s3-list-to-slack")
configuration = {
    "Runtime": runtimes[language],
    "Role": role["Arn"],
    "Timeout": 20,
    "MemorySize": 256,
    "Environment": {"Variables": {"WEBHOOK_URL": inbox.webhook_url}},
}
deploy(workshop, name, folder, **configuration)["State"]


# %%
def test(event):
    response = lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(event), LogType="Tail"
    )
    print(
        response.get("FunctionError", "no error"),
        response["Payload"].read().decode()[:300],
    )
    print(base64.b64decode(response["LogResult"]).decode())


event = load_event("s3-put")
event["Records"][0]["s3"]["bucket"]["name"] = bucket
test(event)

# %% [markdown]
# ## Write it
#
# Open your file. For the bucket of the event's first record the function should
#
# 1. list **all** objects, with the SDK: boto3, `@aws-sdk/client-s3` or `aws-sdk-s3`; each is there without being packaged;
# 2. post their keys, one to a line, in **as few messages as hold them**, of 3,000 characters at most each: a block of a
#    Slack message shows no more;
# 3. say so when the bucket is empty;
# 4. return `{"objects": how many, "messages": how many}`.
#
# The next cell gives a hint, a further one each time you run it.
#
# If your language's SDK is not on this machine, the function says so when you test it; then choose another
# language at the top.

# %%
hint("17")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: List the bucket in the handler of that file, save it, delete this line, and run the cell again.
from helpers.exercises.lab import labs

if source_file.read_text() == labs()["17"].starter(language).read_text():
    source_file.write_text(labs()["17"].answer(language).read_text())
print(source_file.read_text())

# %%
# check
deploy(workshop, name, folder, **configuration)
check("17")

# %% [markdown]
# ## Try it on your buckets
#
# **Predict:** how many messages for the bucket with 1,200 objects, whose keys have 13 characters each?

# %%
predict("17.b")

# %% [markdown]
# **Predict:** and for the empty one?

# %%
predict("17.c")

# %%
began, answers = datetime.now(UTC), {}
for each in (many, empty):
    event["Records"][0]["s3"]["bucket"]["name"] = each
    response = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    answers[each] = json.loads(response["Payload"].read()) or {}
    print(each, str(answers[each])[:200])

# %%
predicted("17.b", f"messages: {answers[many].get('messages', 'an error')}")
predicted("17.c", f"messages: {answers[empty].get('messages', 'an error')}")

# %% [markdown]
# And what came into the inbox: the length of each message, and its first line.

# %%
if not inbox.is_slack:
    for message in inbox.messages(since=began):
        print(len(message.text), message.text.splitlines()[0])

# %% [markdown]
# To let uploads trigger this function too, add it to the bucket's notification as in notebook 16. S3 allows one function for
# each kind of event and filter, so give the two functions different suffixes, or have S3 tell an SNS topic or EventBridge,
# which tell both. (A queue would not do: each of its messages goes to one of them.)
#
# ## The other languages

# %%
for each in ("python", "node", "ruby"):
    solution("17", each)

# %% [markdown]
# ## What you have learned
#
# - Lambda's runtimes bring the AWS SDK along; a client is made once, outside the handler.
# - Lists come in pages of 1,000: use the paginator. An empty bucket has no `Contents`.
# - A role should allow what the function does, on the resources that it does it to, and nothing more.
# - Long output is split for those who have to read it.
#
# **Next:** notebook 18, the wrap-up, with a quiz. `python3 -m helpers clean` removes what the labs made.
