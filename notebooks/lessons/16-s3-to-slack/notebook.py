# %% [markdown]
# # 16 S3 to Slack
#
# After this notebook you will be able to
#
# - let S3 invoke a function that posts to Slack: the permission, the notification and its filter;
# - read an event of S3, and know what to watch for: encoded keys, several records;
# - try a function with a sample event, and compare the sample with the real one.
#
# It takes about 30 minutes. Slides: "[Hands-on] Slack message when a file arrives in S3" (S3にファイルが登録されたらSlack通知, pages 31 to 35), in the part "Hands-on".
#
# ![A file put into S3 triggers the function, which posts to Slack](lessons/16-s3-to-slack/picture.svg)

# %% notes [markdown]
# Minutes: 1
#
# Say: In 09 you pressed the button. Now a file does. Ask who has such a thing at work: a file arrives, and somebody
# has to notice.

# %% [markdown]
# ## Begin
#
# `start_at("16")` makes what notebook 09 would have made, so you can begin here. Choose your language again. The file that
# you begin with can post already. What it does with the event is your part.
#
# You can do this lab in the workshop's console, too (`python3 -m helpers console` in a terminal; notebook 09 shows it), and `check` does not care: *Create
# function* `s3-to-slack`, *Configuration → Environment variables* for `WEBHOOK_URL`, *Code → Edit the files*, *Test* with the template `s3-put`, *Triggers →
# Add an S3 trigger* with the new bucket `uploads`, and *Inbox* for the messages. Then call `check("16")` in a cell of its own: the cell with the check below
# would first deploy your file in place of what you wrote there.

# %% notes [markdown]
# Minutes: 1
#
# Say: Posting is there already, so that you can think of the event alone. Take the same language as in 09.
#
# Goes wrong: Whoever has not done 09 fears to be behind: `start_at("16")` makes the function of 09 with our answer.
# And they edit the file of lab 09 in place of that of 16: look at the folder in the name.

# %%
import base64
import json
import re

from helpers import connect, deploy, load_event, open_inbox, reports, start_at

language = "python"
workshop = connect()
lambda_client = workshop.client("lambda")
folder = start_at("16", language) / language
inbox = open_inbox(workshop)

# %%
from helpers import check, claim, compare_events, hint, predict, predicted

# %% [markdown]
# ## The bucket
#
# In the console: *S3 → Create bucket*. Each bucket needs a name that no other bucket of any AWS account has. So the name has
# your own name in it, and on AWS a few digits that belong to your account.

# %% notes [markdown]
# Minutes: 1
#
# Say: One name for all accounts of the world. Ask what happens if two people in this room take the same name on AWS:
# the second one gets an error. So our names have the learner's name in them, and digits of the account.

# %%
s3 = workshop.client("s3")
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}

# %%
bucket = workshop.bucket("uploads")
try:
    s3.create_bucket(Bucket=bucket, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %% [markdown]
# ## The function, and a test event
#
# Deploy the file as it is. The event tells all that the function needs, and it calls no other service of AWS. So its role may
# write its log, and nothing else: `workshop.role()`. The address of the inbox goes into `WEBHOOK_URL`.

# %% notes [markdown]
# Minutes: 5
#
# Say: Read the event aloud, and ask three questions. Where is the bucket? Where is the key? Why is `Records` a list?
# Everybody answers the first two, and forgets the third; the check does not.
#
# Goes wrong: They take the key as it looks: `my+first+file.txt` seems to be a name. It is a name with spaces. The
# word *URL-encoded* helps nobody; show how a browser writes a search for two words.
#
# Answer 16.a: With an error: the handler raises `NotImplementedError`, as the file is not written yet.

# %%
runtime = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}[language]
role = workshop.role()
environment = {"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
configuration = {"Runtime": runtime, "Role": role, "Environment": environment}

# %%
name = workshop.name("s3-to-slack")
deployed = deploy(workshop, name, folder, Timeout=10, **configuration)
function_arn = deployed["FunctionArn"]

# %% [markdown]
# AWS's console has a template *Amazon S3 Put* for test events. Ours is in `events/s3-put.json`. Put your bucket into it, and
# a key that you recognise.
#
# Look at the part about S3: where is the name of the bucket? Where is the key, and what does it look like?

# %%
event = load_event("s3-put")
about_s3 = event["Records"][0]["s3"]
bucket_arn = f"arn:{workshop.partition}:s3:::{bucket}"
about_s3["bucket"] |= {"name": bucket, "arn": bucket_arn}
about_s3["object"]["key"] = "my+first+file.txt"
print(json.dumps(about_s3, indent=2))

# %% [markdown]
# `Records` is a **list**: one event can report several files. And the key is **URL-encoded**: a space is a `+`, and letters
# outside ASCII are `%` and two hex digits, several times.
#
# Change the event if you like, and send it.
#
# **Predict:** how does the test end, as long as the handler is not written?

# %%
predict("16.a", choices=["without an error", "with an error"])

# %% [markdown]
# `test` shows the answer and the end of the log, as in notebook 09.


# %%
def test(event):
    payload = json.dumps(event)
    response = lambda_client.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    answer = response["Payload"].read().decode()
    log = base64.b64decode(response["LogResult"]).decode()
    answer = re.sub(r',\s*"(requestId|stackTrace|trace)":.*', ", …}", answer)
    print(answer[:300], re.sub(r"[^\s\"(]*/task/", "", log), sep="\n\n")
    return "with an error" if "FunctionError" in response else "without an error"


# %%
ended = test(event)

# %%
predicted("16.a", ended)

# %% [markdown]
# ## The trigger
#
# In the console: *Add trigger → S3*. Behind that button are **two** settings, one on each side:
#
# 1. the function must *permit* S3 to invoke it, for this bucket of this account only;
# 2. the bucket must *notify* the function, when an object is created. The call **replaces** all notifications that the bucket has. On a bucket that is
#    not yours alone, read them first, and send them along; the console does that for you.
#
# The role says what the function may do. It does not say who may invoke the function: that is in the function's own
# **resource-based policy**, and this one is still empty. Begin with the second setting, and look at what S3 says. (On AWS
# this cell takes a minute: the workshop tries again, as a new permission may need some seconds.)

# %% notes [markdown]
# Minutes: 6
#
# Say: In the console it is one click, and it is two settings, one on each side: the function opens the door, and the
# bucket walks through. Do them in the wrong order on purpose, and read what S3 says: it is one of the least helpful
# sentences of AWS, and you will meet it again. Then ask: why is the role not the place for this? A role says what the
# function may do; this is about who may use the function.
#
# Goes wrong: A second run prints *S3 accepts it: the permission is there already*: then the person has run the cells
# before, and misses the error. Show yours. On AWS the refused cell takes a minute, because the workshop tries again.
# And say that the call for the notification *replaces* all that the bucket had: on a bucket of a company that has
# deleted somebody's trigger.

# %% notification
trigger = {"LambdaFunctionArn": function_arn, "Events": ["s3:ObjectCreated:*"]}
notification = {"LambdaFunctionConfigurations": [trigger]}
notify = {"Bucket": bucket, "NotificationConfiguration": notification}

# %% refused
try:
    s3.put_bucket_notification_configuration(**notify)
    print("S3 accepts it: the permission is there already.")
except s3.exceptions.ClientError as error:
    print(error.response["Error"]["Message"])

# %% [markdown]
# S3 asks the function's policy before it accepts a notification. Nothing there permits S3, so it refuses, and the bucket
# stays as it was. (The message is the same when the function does not exist.)
#
# `add_permission` writes a statement into that policy: who (`s3.amazonaws.com`), what (`lambda:InvokeFunction`), and for
# which bucket of which account. `SourceArn` names the bucket. It has no account in it, and a bucket that you delete may be made again by
# somebody else. So `SourceAccount` says that it must be yours.

# %% permission
account = function_arn.split(":")[4]
who = {"Principal": "s3.amazonaws.com", "SourceAccount": account}
what = {"StatementId": "uploads", "Action": "lambda:InvokeFunction"}
try:
    lambda_client.add_permission(FunctionName=name, SourceArn=bucket_arn, **who, **what)
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %% [markdown]
# Now the same call again. A notification can have a **filter**, for example
# `{"Key": {"FilterRules": [{"Name": "suffix", "Value": ".png"}]}}`. We leave it out: every new object counts.

# %% accepted
_ = s3.put_bucket_notification_configuration(**notify)

# %% [markdown]
# ## Write it
#
# Open your file: [app.py](../work/labs/16/python/app.py) in Python, [index.mjs](../work/labs/16/node/index.mjs) in Node.js
# or [app.rb](../work/labs/16/ruby/app.rb) in Ruby. For **every record** the function should post **one message**, the address
# of the object: `s3://<bucket>/<key>`, with the bucket of the event and the key decoded (`日本 語.txt`, not
# `%E6%97%A5%E6%9C%AC+%E8%AA%9E.txt`). `posted` in its answer lists the decoded keys.
#
# The next cell gives a hint, and one more each time you run it.

# %% notes [markdown]
# Minutes: 8
#
# Say: A loop, a decoded key, one message for each record. Say the three things, and let them write; run the check
# early. Whoever is done uploads a file with the strangest name that they can think of.
#
# Goes wrong: The check names the kind of mistake. *The key came as S3 encodes it*: not decoded, or `unquote` in place
# of `unquote_plus`. *The + was turned into a space after decoding*: then a plus of the name itself is lost, too.
# *Brought 1 of their keys*: only the first record. *Brought 1 message*: all keys in one text, where one for each is
# asked. *Names the bucket …-uploads*: the name of their own bucket is in the code; it belongs to the event. In
# Node.js, `forEach` with an async function does not wait.
#
# Goes wrong: *S3 may not invoke …*, *does not notify …*, *for any bucket*: this is about the trigger, and not about
# the code; go back one section. *No message about it came* within the time: look into the log of the function.
#
# Skip: `solution("16", use=True)`, then the check's cell. Real files are the reward, so keep two minutes for them.

# %%
hint("16")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: Write that file and save it, delete this line, and run this cell again.
from helpers.exercises.lab import labs

lab = labs()["16"]
lab.put(language, lab.answer(language))
print(source_file.read_text())

# %%
# check
deploy(workshop, name, folder, Timeout=10, **configuration)
check("16")

# %% [markdown]
# ## Real files
#
# Now put real objects into the bucket. You do not call your function here: S3 does, a moment later. The last line waits until
# CloudWatch has a REPORT line for each of the four.
#
# **Predict:** how will `100%+more.txt` look in its message?

# %% notes [markdown]
# Minutes: 3
#
# Say: Let somebody call out a name for a file, and upload it. Nobody calls the function: that is the moment of the
# evening, so keep quiet until the message is there. Ask why the order of the messages is another one than that of the
# uploads.
#
# Goes wrong: The message comes twice. That may be: S3 promises *at least once*. If no message comes, the function has
# no trigger or fails; its log says which.
#
# Answer 16.b: As `100%+more.txt`, at the end of its address. S3 sends `100%25%2Bmore.txt`, and decoding gives the
# name back, its own plus included.

# %%
predict("16.b", choices=["100%+more.txt", "100%25%2Bmore.txt", "100% more.txt"])

# %%
logs = workshop.client("logs")
before = len(reports(logs, name, at_least=0))
keys = ["report.txt", "my holiday photo.jpg", "日本語 の 名前.txt", "100%+more.txt"]
for key in keys:
    s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
invoked = len(reports(logs, name, at_least=before + len(keys))) - before
claim("each upload invokes the function", invoked >= len(keys))

# %%
inbox.show()

# %%
texts = [] if inbox.is_slack else [message.text for message in inbox.messages()]
hundred = [text for text in texts if "100%" in text]
predicted("16.b", hundred[-1] if hundred else "no such message in this inbox")

# %% [markdown]
# The first four messages are from these files, with readable names, if your function decodes them. They may come in any
# order: the four invocations ran at the same time. And now and then one comes twice: S3 promises to notify *at least once* (notebooks 14 and 15). (Those marked "check" are from the check, which sends events of its own.)
#
# ## The sample and the real event
#
# How good is our sample? A function that returns its event would show the real one, but S3 drops what a function returns.
# So this small function *prints* its event, and we read it from the log. (Without `Role`, `deploy` takes `workshop.role()`.)

# %% notes [markdown]
# Minutes: 4
#
# Say: How far do you trust a test event that somebody typed? Compare it with a real one. Printing the event into the
# log is the oldest way to see it, and it works with every trigger. Ask what must not be printed: events may hold
# personal data.
#
# Skip: All of it, in an evening. Say that `compare_events` exists.

# %%
listener = workshop.name("listener")
code = "import json\n\n\ndef handler(event, context):\n    print(json.dumps(event))\n"
listener_arn = deploy(workshop, listener, {"app.py": code})["FunctionArn"]

# %% [markdown]
# It has a bucket of its own, and the same two settings.

# %%
watched = workshop.bucket("watched")
try:
    s3.create_bucket(Bucket=watched, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %%
watched_arn = f"arn:{workshop.partition}:s3:::{watched}"
try:
    lambda_client.add_permission(
        FunctionName=listener, SourceArn=watched_arn, **who, **what
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %%
trigger = {"LambdaFunctionArn": listener_arn, "Events": ["s3:ObjectCreated:*"]}
_ = s3.put_bucket_notification_configuration(
    Bucket=watched,
    NotificationConfiguration={"LambdaFunctionConfigurations": [trigger]},
)

# %%
before = len(reports(logs, listener, at_least=0))
s3.put_object(Bucket=watched, Key="a file.txt", Body=b"hello")
_ = reports(logs, listener, at_least=before + 1)

# %%
events = logs.filter_log_events(logGroupName=f"/aws/lambda/{listener}")["events"]
printed = [event["message"] for event in events if event["message"].startswith("{")]
delivered = json.loads(printed[-1])

# %% [markdown]
# Times, ids and names differ, of course. Look for paths that are on one side only.

# %%
compared = compare_events(load_event("s3-put"), delivered)
one_side = compared["mark"].str.startswith("only")
if workshop.is_embedded:  # AWS adds a key now and then
    claim("the sample has all that S3 delivers, and nothing else", not one_side.any())
compared

# %% [markdown]
# None here: the sample has the shape of what was delivered. (The embedded AWS delivered the event of its emulator. On AWS,
# compare again.)
#
# ## The other languages
#
# The same function in three languages. A click opens the answer; `solution("16", "ruby")` in a cell of its own shows it here. The
# slides have [answers of their own](https://github.com/reireias/lambda-examples).
#
# | | what decodes the key |
# |---|---|
# | [Python](lessons/16-s3-to-slack/functions/s3-to-slack/python/app.py) | `unquote_plus` of `urllib.parse` |
# | [Node.js](lessons/16-s3-to-slack/functions/s3-to-slack/node/index.mjs) | `decodeURIComponent`, after each `+` has become a space |
# | [Ruby](lessons/16-s3-to-slack/functions/s3-to-slack/ruby/app.rb) | `URI.decode_www_form_component` |
#
# ## What you have learned
#
# - A trigger is two settings: a permission of the function, and a notification of the bucket. Without the first, S3 refuses the
#   second.
# - A role says what a function may do; its resource-based policy says who may invoke it.
# - An S3 event is a list of records, and its keys are URL-encoded.
# - A sample event lets you try a function without its trigger; compare it with a real one before you trust it.
#
# **Next:** notebook [17](17-s3-list-to-slack.ipynb) asks S3 for more than the event tells. `python3 -m helpers clean` in a terminal removes what you made, when
# you no longer need it; `start_at` makes it again.

# %% notes [markdown]
# Minutes: 1
#
# Say: Each language has several functions that decode, and only one of them turns a plus into a space. Look at yours.
#
# Skip: All of it.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask for the two settings, and which side each is on. Then: what does the function *not* know from the event?
# Lab 17 asks S3.
