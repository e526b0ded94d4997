# %% [markdown]
# # 17 S3 list to Slack
#
# After this notebook you will be able to
#
# - call another AWS service from a function, with the SDK that Lambda's runtimes have;
# - list *all* objects of a bucket, also when there are more than a thousand, and when there are none;
# - read an `AccessDenied`, and give a function only the rights that it needs (*least privilege*).
#
# It takes about 30 minutes. Slides: "[Hands-on] The files of a bucket to Slack" (S3のファイル一覧をSlack通知, pages 36 and 37) and "Answers" (回答例, page 38), in the part "Hands-on".
#
# ![A file put into S3 triggers the function, which lists the bucket and posts the list](lessons/17-s3-list-to-slack/picture.svg)

# %% notes [markdown]
# Minutes: 1
#
# Say: The last lab of the deck: the event is not enough, so the function has to ask. Two traps are new: a list that
# is longer than its answer, and a right that nobody has given.

# %% [markdown]
# ## Begin
#
# `start_at("17")` makes what the notebooks before would have made: the bucket, and the function of notebook 16 with its
# trigger.
#
# In the workshop's console (`python3 -m helpers console` in a terminal; notebook 09 shows it) you can do exercise 2 and the trigger: for the function
# `s3-list-to-slack`, *Code → Edit the files*, *Test*, and *Triggers → Add an S3 trigger*. Then call `check("17.2")` in a cell of its own. The policy of exercise 1
# needs a cell: on AWS, too, it is made in another console, that of IAM.

# %% notes [markdown]
# Minutes: 1
#
# Say: The same language again. `start_at("17")` has made the bucket and the function of 16, whatever you have
# finished.
#
# Goes wrong: Ruby without the SDK of AWS: the function says so when it is tested. Change the language, or install it
# as `python3 -m helpers doctor` says.

# %%
import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from helpers import connect, deploy, load_event, open_inbox, reports, start_at

# %%
language = "python"
workshop = connect()
lambda_client, s3 = workshop.client("lambda"), workshop.client("s3")
folder = start_at("17", language) / language
inbox = open_inbox(workshop)

# %%
from helpers import check, claim, hint, predict, predicted, track

# %% [markdown]
# ## Ask S3 from here first
#
# The event names one object. For the others the function must ask S3, with `list_objects_v2`. Try it here first, where it is
# easier to look at.

# %% notes [markdown]
# Minutes: 4
#
# Say: Try a call where it is easy to look at, before you put it into a function. Ask for the guess about the empty
# bucket, and then who tests with an empty one. The 1,200 objects take a moment: use it to ask what happens at 1,001.
#
# Answer 17.a: No `Contents` at all: not an empty list, but no such key.


# %%
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}


def create(bucket):
    try:
        s3.create_bucket(Bucket=bucket, **options)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print("The bucket is there already.")


# %% [markdown]
# **Predict:** `Contents` is the list of the objects. What does the answer hold when a bucket is empty?

# %%
predict("17.a", choices=["an empty list", "None", "no Contents at all"])

# %%
empty = workshop.bucket("empty")
create(empty)
answer = s3.list_objects_v2(Bucket=empty)
answer["KeyCount"], "Contents" in answer

# %%
predicted("17.a", answer.get("Contents", "no Contents at all"))

# %% [markdown]
# No object, no `Contents`: not an empty list, but no such key at all. Code that expects this key fails on an empty bucket,
# and few people test with one.
#
# A large bucket has a surprise, too. One answer holds **1,000 objects at most**. `IsTruncated` says whether there are more,
# and the SDK's *paginator* asks again until there are none. So here are 1,200 objects, put by sixteen threads at once.

# %%
many = workshop.bucket("many")
create(many)


def put(number):
    s3.put_object(Bucket=many, Key=f"page-{number:04}.txt", Body=b"")


with ThreadPoolExecutor(16) as threads:
    done = threads.map(put, range(1200))
    objects = sum(1 for _ in track(done, "objects", total=1200))

# %%
one_answer = s3.list_objects_v2(Bucket=many)
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=many)
counts = [page["KeyCount"] for page in pages]
claim("the pages hold all objects", sum(counts) == objects)
claim("one answer does not hold all", one_answer["IsTruncated"])
one_answer["KeyCount"], one_answer["IsTruncated"], counts

# %% [markdown]
# ## Least privilege
#
# The functions of 09 and 16 call no service of AWS: their role writes the log, and that is all. This one must ask S3. It gets a role of its own,
# which at first may write the log, too, and nothing else.
#
# (If you may not create roles on AWS: set `WORKSHOP_ROLE` to one that you may use, write `role_arn = workshop.role()`, and leave out the cells that make
# or change the role.)

# %% notes [markdown]
# Minutes: 5
#
# Say: The most frequent error of AWS, so learn to read it. Put the message on the projector, and let four people read
# one part each: who, what, on what, why.
#
# Goes wrong: The name of the call and the name of the right differ: `list_objects_v2`, and `s3:ListBucket`. Most of
# the time at work is lost here.
#
# Answer 17.b: An error. A right that is missing never shows as an empty answer.

# %%
service = {"Service": "lambda.amazonaws.com"}
trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
trust_policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})

# %% list-role
iam, role_name = workshop.client("iam"), workshop.name("list-role")
try:
    iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust_policy)
except iam.exceptions.EntityAlreadyExistsException:
    print("The role is there already.")
role_arn = iam.get_role(RoleName=role_name)["Role"]["Arn"]

# %% write-log
write_log = "service-role/AWSLambdaBasicExecutionRole"
write_log_arn = f"arn:{workshop.partition}:iam::aws:policy/{write_log}"
iam.attach_role_policy(RoleName=role_name, PolicyArn=write_log_arn)
for left in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
    iam.delete_role_policy(RoleName=role_name, PolicyName=left)  # of an earlier run

# %% [markdown]
# A small function counts the objects of a bucket, in this role. (It is in Python, whatever your language is.)

# %% counter
counter, counter_code = (
    workshop.name("count-objects"),
    """
import boto3

s3 = boto3.client("s3")


def count(event, context):
    return s3.list_objects_v2(Bucket=event["bucket"])["KeyCount"]
""",
)
counting = {"Role": role_arn, "Handler": "app.count", "MemorySize": 256, "Timeout": 20}
_ = deploy(workshop, counter, {"app.py": counter_code}, **counting)

# %% [markdown]
# **Predict:** the role may not list a bucket. What does the function answer about the bucket with 1,200 objects?

# %%
predict("17.b", choices=["0", "1000", "an error"])


# %% ask-counter
def ask_counter(bucket):
    payload = json.dumps({"bucket": bucket})
    response = lambda_client.invoke(FunctionName=counter, Payload=payload)
    answer = json.loads(response["Payload"].read())
    return answer["errorMessage"] if "FunctionError" in response else answer


# %%
said = ask_counter(many)
print(said)

# %%
predicted("17.b", said if isinstance(said, int) else "an error")

# %% [markdown]
# `AccessDenied`, the most frequent error on AWS. Read it from left to right:
#
# 1. **who**: `assumed-role/`, the role, and the function;
# 2. **which action**: `s3:ListBucket`. A policy needs this name, and not the SDK's `list_objects_v2`;
# 3. **on what**: the ARN of the bucket. It is a right on the *bucket* and not on its objects, so it has no `/*`;
# 4. **why**: no identity-based policy allows it, that is, none of the role. (With an *explicit deny* a policy forbids it, and no `Allow` helps.)
#
# ## Exercise 1: the policy
#
# Write the policy that the role lacks. Its statement has three parts, as that of the trust policy above: `Effect`, `Action`, and `Resource` in place of
# `Principal`. `Resource` is to fit each bucket whose name begins as yours do (a `*` at its end stands for the rest), as the function gets
# other buckets later. (In production you name the one bucket.) Allow no more than the message asks for: no other action, and nothing that is not yours.
#
# `put_policy` makes a policy of your statement and puts it into the role. The cell can be run again: a policy of the same name is replaced.

# %% notes [markdown]
# Minutes: 5
#
# Say: All that you need is in the message. Allow that, and nothing else; the check looks for what is too wide.
#
# Goes wrong: `s3:*` or `s3:List*`, because it works: the check refuses what is wider than needed. `s3:ListObjectsV2`,
# which IAM does not know. A resource that ends in `/*`: these are objects, and the right is one on the bucket. `*`
# for all buckets of the world. On AWS a new policy needs some seconds, so the first try may still be refused.


# %% put-policy
def put_policy(statement):
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(
        RoleName=role_name, PolicyName="list", PolicyDocument=json.dumps(policy)
    )


# solution: Write the statement, a dict, and give it to put_policy.
yours = f"arn:{workshop.partition}:s3:::{workshop.tags['learner']}-*"
allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": yours}
put_policy(allow)

# %% [markdown]
# Does the function get its answer now? (On AWS a new policy needs some seconds; run the cell again.)

# %%
print(ask_counter(many))

# %% [markdown]
# It is refused until your policy is right. Then it says 1,000, as one answer holds no more. The check has it count a bucket of its own, and
# looks for what is wider than needed. Then it takes each of your statements away for a moment: the function must fail without it.

# %%
# check
check("17.1")

# %% [markdown]
# ## The function
#
# It gets the role with your policy, more time, because listing takes longer, and 256 MB, because the SDK needs memory.

# %% notes [markdown]
# Minutes: 1
#
# Say: More time and more memory than in 16; ask why. Listing takes several calls, and the SDK has to be loaded.

# %%
runtime = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}[language]
environment = {"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
configuration = {"Runtime": runtime, "Role": role_arn, "Environment": environment}
configuration |= {"Timeout": 20, "MemorySize": 256}

# %%
name = workshop.name("s3-list-to-slack")
function_arn = deploy(workshop, name, folder, **configuration)["FunctionArn"]

# %% [markdown]
# As in the labs before, `test` shows the answer and the end of the log. The test event names the empty bucket.


# %%
def test(event):
    payload = json.dumps(event)
    response = lambda_client.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    answer = response["Payload"].read().decode()
    log = base64.b64decode(response["LogResult"]).decode()
    answer = re.sub(r',\s*"(requestId|stackTrace|trace)":.*', ", …}", answer)
    print(answer[:300], re.sub(r"[^\s\"(]*/task/", "", log), sep="\n\n")


event = load_event("s3-put")
event["Records"][0]["s3"]["bucket"]["name"] = empty

# %%
test(event)

# %% [markdown]
# ## Exercise 2: write it
#
# Open your file: [app.py](../work/labs/17/python/app.py) in Python, [index.mjs](../work/labs/17/node/index.mjs) in Node.js
# or [app.rb](../work/labs/17/ruby/app.rb) in Ruby. For the bucket of the event's first record the function should
#
# 1. list **all** objects, with the SDK: boto3, `@aws-sdk/client-s3` or `aws-sdk-s3`. Each is part of its runtime;
# 2. post their keys, one to a line, in **as few messages as hold them**, of 3,000 characters at most each: a block of a
#    Slack message shows no more;
# 3. say so when the bucket is empty;
# 4. return `{"objects": how many, "messages": how many}`.
#
# It needs the policy of exercise 1: without it, S3 refuses each list. The next cell gives a hint, and one more each time you run it.
#
# If your language's SDK is not on this machine, the function says so when you test it; then choose another
# language at the top.

# %% notes [markdown]
# Minutes: 8
#
# Say: Four points, and the check goes through them in about this order: all objects, few messages, the empty bucket,
# the answer. Run it early.
#
# Goes wrong: *Only the first 1,000 were listed*: no paginator. An empty bucket: `KeyError: 'Contents'`, or silence;
# it should say that it is empty. A message for each key, or one message that is too long for Slack: fill one, then
# begin the next. The bucket of lab 16 is in the code, where that of the event belongs. Without the policy of exercise
# 1 nothing works.
#
# Skip: `solution("17.2", use=True)`, and then *Try it on your buckets*, which is the interesting part.

# %%
hint("17.2")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: Write the list in that file, save it, delete this line, and run it again.
from helpers.exercises.lab import labs

lab = labs()["17"]
lab.put(language, lab.answer(language))
print(source_file.read_text())

# %%
# check
deploy(workshop, name, folder, **configuration)
check("17.2")

# %% [markdown]
# ## Try it on your buckets
#
# **Predict:** how many messages for the bucket with 1,200 objects, whose keys have 13 characters each?

# %% notes [markdown]
# Minutes: 2
#
# Say: Do the sum on the board: 1,200 keys, thirteen characters and a line end each, and three thousand in a message.
#
# Answer 17.c: Six, if the messages are filled: 1,200 times fourteen characters are a little less than seventeen
# thousand.
#
# Answer 17.d: One, which says that the bucket is empty.

# %%
predict("17.c")

# %% [markdown]
# **Predict:** and for the empty one?

# %%
predict("17.d")

# %%
began, answers = datetime.now(UTC), {}
for each in (many, empty):
    event["Records"][0]["s3"]["bucket"]["name"] = each
    response = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    answers[each] = json.loads(response["Payload"].read()) or {}
    print(each, str(answers[each])[:100])

# %%
predicted("17.c", answers[many].get("messages", "an error"))
predicted("17.d", answers[empty].get("messages", "an error"))

# %% [markdown]
# And what came into the inbox: the length of each message, and its first line.

# %%
if not inbox.is_slack:
    for message in inbox.messages(since=began):
        print(len(message.text), message.text.splitlines()[0])

# %% [markdown]
# ## The trigger
#
# On the slide, an *upload* makes the list come. It takes the two settings of notebook 16, here for a bucket of its own.
# (The bucket of notebook 16 has a trigger already. S3 allows one function for each kind of event and filter. For two, give them
# different suffixes, or have S3 tell an SNS topic or EventBridge, which tell both functions. A queue cannot do that: each of its messages
# goes to only one of them.)

# %% notes [markdown]
# Minutes: 2
#
# Say: Three files, three events. Ask what the first list holds: it depends on the moment.
#
# Answer 17.e: Three times. Every upload is an event of its own; S3 collects nothing.

# %%
listed = workshop.bucket("listed")
create(listed)
listed_arn = f"arn:{workshop.partition}:s3:::{listed}"
account = function_arn.split(":")[4]

# %%
who = {"Principal": "s3.amazonaws.com", "SourceAccount": account}
what = {"StatementId": "listed", "Action": "lambda:InvokeFunction"}
try:
    lambda_client.add_permission(FunctionName=name, SourceArn=listed_arn, **who, **what)
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %%
trigger = {"LambdaFunctionArn": function_arn, "Events": ["s3:ObjectCreated:*"]}
_ = s3.put_bucket_notification_configuration(
    Bucket=listed, NotificationConfiguration={"LambdaFunctionConfigurations": [trigger]}
)

# %% [markdown]
# **Predict:** you upload three files, one after the other. How often is the function invoked?

# %%
predict("17.e", choices=["once", "three times"])

# %%
logs = workshop.client("logs")
before, began = len(reports(logs, name, at_least=0)), datetime.now(UTC)
for key in ("one.txt", "two.txt", "three.txt"):
    s3.put_object(Bucket=listed, Key=key, Body=b"hello")
runs = reports(logs, name, at_least=before + 3).tail(-before)

# %%
once_each = runs["request_id"].nunique()
claim("each upload invokes the function", once_each >= 3)
predicted("17.e", {1: "once", 3: "three times"}.get(once_each, f"{once_each} times"))

# %%
if not inbox.is_slack:
    for message in inbox.messages(since=began):
        print(message.text, end="\n\n")

# %% [markdown]
# Three lists, if your function posts them. Each holds what was there at its moment, so the later ones are longer, and they may come in
# any order.
#
# ## The other languages
#
# The same function in three languages. A click opens the answer; `solution("17.2", "ruby")` in a cell of its own shows it here. The
# slides have [answers of their own](https://github.com/reireias/lambda-examples).
#
# | | what gives all pages |
# |---|---|
# | [Python](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/python/app.py) | `s3.get_paginator("list_objects_v2")` |
# | [Node.js](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/node/index.mjs) | `paginateListObjectsV2` |
# | [Ruby](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/ruby/app.rb) | `each_page` |
#
# ## What you have learned
#
# - Lambda's runtimes have the AWS SDK, in a version that AWS chooses; in production put your own into the package. A client is made once, outside
#   the handler.
# - Lists come in pages of 1,000: use the paginator. An empty bucket has no `Contents`.
# - `AccessDenied` says who, which action, on what and why. A role should allow what the function does, on the resources that it needs, and
#   nothing more.
# - Every upload is an event of its own.
#
# **Next:** notebook [18](18-wrap-up.ipynb), the wrap-up, with a quiz. `python3 -m helpers clean` removes what the labs made.

# %% notes [markdown]
# Minutes: 1
#
# Say: Each SDK has a paginator, and each calls it differently.
#
# Skip: All of it.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask somebody to read an `AccessDenied` from memory: who, which action, on what, why.
