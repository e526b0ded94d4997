# %% [markdown]
# # 16 S3 to Slack
#
# After this notebook you will be able to
#
# - let S3 invoke a function that posts to Slack: the permission, the notification and its filter;
# - read an event of S3, and know what to watch for: encoded keys, several records;
# - try a function with a sample event, and compare the sample with the real one.
#
# It takes about 35 minutes. Slides: "[Hands-on] Slack message when a file arrives in S3", in the part "Hands-on".
#
# ![A file put into S3 triggers the function, which posts to Slack](lessons/16-s3-to-slack/picture.svg)

# %% [markdown]
# ## Begin
#
# `start_at("16")` makes what notebook 09 would have made, so you can begin here. Choose your language again. The file that
# you begin with can post already; what it does with the event is up to you.

# %%
import base64
import json

from helpers import connect, deploy, load_event, open_inbox, reports, start_at

language = "python"
workshop = connect()
lambda_client = workshop.client("lambda")
folder = start_at("16", language) / language
inbox = open_inbox(workshop)

# %%
from helpers import check, compare_events, hint, predict, predicted, solution

# %% [markdown]
# ## The bucket
#
# In the console: *S3 → Create bucket*. A bucket's name has to be unique among all buckets of all AWS accounts, so it has
# your own name in it.

# %%
s3 = workshop.client("s3")
bucket = workshop.name("uploads")
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}
try:
    s3.create_bucket(Bucket=bucket, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %% [markdown]
# ## The function, and a test event
#
# Deploy the file as it is. The role may read S3; the address of the inbox goes into `WEBHOOK_URL`.

# %%
runtimes = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
name = workshop.name("s3-to-slack")
configuration = {
    "Runtime": runtimes[language],
    "Role": workshop.role("AmazonS3ReadOnlyAccess"),
    "Timeout": 10,
    "Environment": {"Variables": {"WEBHOOK_URL": inbox.webhook_url}},
}
function_arn = deploy(workshop, name, folder, **configuration)["FunctionArn"]

# %% [markdown]
# The console has a template *Amazon S3 Put* for test events. Ours is in `events/s3-put.json`. Put your bucket into it, and
# a key that you recognise.
#
# Look at the event: where is the name of the bucket? Where is the key, and what does it look like?

# %%
event = load_event("s3-put")
event["Records"][0]["s3"]["bucket"] |= {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
event["Records"][0]["s3"]["object"]["key"] = "my+first+file.txt"
print(json.dumps(event, indent=2))

# %% [markdown]
# `Records` is a **list**: one event can report several files. And the key is **URL-encoded**: a space is a `+`, and letters
# outside ASCII are `%` and two hex digits, several times.
#
# Change the event if you like, and send it.
#
# **Predict:** how does the test end, as long as the handler is not written?

# %%
predict("16.a", choices=["without an error", "with an error"])


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
    return "with an error" if "FunctionError" in response else "without an error"


ended = test(event)

# %%
predicted("16.a", ended)

# %% [markdown]
# ## The trigger
#
# In the console: *Add trigger → S3*. Behind that button are **two** settings, one on each side:
#
# 1. the function must *permit* S3 to invoke it, for this bucket of this account only;
# 2. the bucket must *notify* the function, when an object is created.

# %%
account = function_arn.split(":")[4]
try:
    lambda_client.add_permission(
        FunctionName=name,
        StatementId="uploads",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount=account,
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %% [markdown]
# A notification can have a **filter**, for example `{"Key": {"FilterRules": [{"Name": "suffix", "Value": ".png"}]}}`. We
# leave it out: every new object counts.

# %%
notification = {"LambdaFunctionArn": function_arn, "Events": ["s3:ObjectCreated:*"]}
s3.put_bucket_notification_configuration(
    Bucket=bucket,
    NotificationConfiguration={"LambdaFunctionConfigurations": [notification]},
)
s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"][
    0
]["Events"]

# %% [markdown]
# ## Write it
#
# Open your file, in the folder that `start_at` named. For **every record** the function should post **one message**, the address
# of the object: `s3://<bucket>/<key>`, with the bucket of the event and the key decoded (`日本 語.txt`, not
# `%E6%97%A5%E6%9C%AC+%E8%AA%9E.txt`). `posted` in its answer lists the decoded keys.
#
# The next cell gives a hint, a further one each time you run it.

# %%
hint("16")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: Write the handler in that file, save it, delete this line, and run the cell again.
from helpers.exercises.lab import labs

if source_file.read_text() == labs()["16"].starter(language).read_text():
    source_file.write_text(labs()["16"].answer(language).read_text())
print(source_file.read_text())

# %%
# check
deploy(workshop, name, folder, **configuration)
check("16")

# %% [markdown]
# ## Real files
#
# Now put real objects into the bucket. Nobody calls your function here: S3 does, a moment later. The last line waits until
# CloudWatch has a REPORT line for each of the four.
#
# **Predict:** how will `100%+more.txt` look in its message?

# %%
predict("16.b", choices=["100%+more.txt", "100%25%2Bmore.txt", "100% more.txt"])

# %%
logs = workshop.client("logs")
before = len(reports(logs, name, at_least=0))
for key in (
    "report.txt",
    "my holiday photo.jpg",
    "日本語 の 名前.txt",
    "100%+more.txt",
):
    s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
len(reports(logs, name, at_least=before + 4)) - before

# %%
inbox.show()

# %%
texts = [] if inbox.is_slack else [message.text for message in inbox.messages()]
hundred = [text for text in texts if "100%" in text]
predicted("16.b", hundred[-1] if hundred else "no such message in this inbox")

# %% [markdown]
# The first four messages are from these files, with readable names, if your function decodes them. S3 promises no order, and
# the four functions ran side by side. (Those marked "check" are from the check, which sends events of its own.)
#
# ## The sample and the real event
#
# How good is our sample? A function that does nothing but return its event would show the real one; but what S3 invokes
# returns to nobody. So this little function *prints* its event, and we read it from the log.

# %%
listener = workshop.name("listener")
source = "import json\n\n\ndef handler(event, context):\n    print(json.dumps(event))\n"
listener_arn = deploy(workshop, listener, {"app.py": source})["FunctionArn"]
watched = workshop.name("watched")
try:
    s3.create_bucket(Bucket=watched, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %%
try:
    lambda_client.add_permission(
        FunctionName=listener,
        StatementId="watched",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{watched}",
        SourceAccount=account,
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")
_ = s3.put_bucket_notification_configuration(
    Bucket=watched,
    NotificationConfiguration={
        "LambdaFunctionConfigurations": [
            {"LambdaFunctionArn": listener_arn, "Events": ["s3:ObjectCreated:*"]}
        ]
    },
)

# %%
before = len(reports(logs, listener, at_least=0))
s3.put_object(Bucket=watched, Key="a file.txt", Body=b"hello")
reports(logs, listener, at_least=before + 1)
lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{listener}")["events"]
delivered = json.loads(
    [line["message"] for line in lines if line["message"].startswith("{")][-1]
)

# %% [markdown]
# Side by side. Times, ids and names differ, of course. Look for paths that are on one side only.

# %%
compare_events(load_event("s3-put"), delivered)

# %% [markdown]
# None here: the sample has the shape of what was delivered. On the embedded AWS that is the emulator's event; on AWS, compare
# again.
#
# ## The other languages

# %%
for each in ("python", "node", "ruby"):
    solution("16", each)

# %% [markdown]
# ## What you have learned
#
# - A trigger is two settings: a permission of the function, and a notification of the bucket.
# - An S3 event is a list of records, and its keys are URL-encoded.
# - A sample event lets you try a function without its trigger; compare it with a real one before you trust it.
#
# **Next:** notebook 17 asks S3 for more than the event tells. `python3 -m helpers clean` in a terminal removes what you made, when
# you no longer need it; `start_at` makes it again.
