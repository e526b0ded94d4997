# %% [markdown]
# # 09 Slack message
#
# After this notebook you will be able to
#
# - create a function that posts to Slack, in Python, Node.js or Ruby, give it a setting and a test event;
# - call an HTTP API from a function with the language's standard library alone;
# - make a function fail loudly when the other side does not answer well;
# - find your way in the Lambda console, which has the same parts.
#
# It takes about 35 minutes. Slides: "[Hands-on] Slack message from Lambda", in the part "Hands-on".
#
# ![You invoke the function, and it posts to Slack](lessons/09-slack/picture.svg)

# %% [markdown]
# ## Begin
#
# Choose **your language**: `"python"`, `"node"` or `"ruby"`. `start_at("09")` puts a file to begin with into a folder of
# yours; it never writes over a file that you have changed.

# %%
import base64
import json

from helpers import connect, deploy, open_inbox, package, start_at

language = "python"
workshop = connect()
lambda_client = workshop.client("lambda")
folder = start_at("09", language) / language

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## Slack's side
#
# An *incoming webhook* is an address that Slack gives you: whoever posts JSON there writes into a channel. So the address
# is a secret, like a password. Keep it out of code, out of logs and out of notebooks.
#
# You need no Slack for this lab: an **inbox** on this machine answers as Slack does. If you have a webhook of your own, set
# `WORKSHOP_SLACK_WEBHOOK_URL` before you start JupyterLab, and the messages go to your channel instead.

# %%
inbox = open_inbox(workshop)
inbox

# %% [markdown]
# Before any Lambda is involved, post two messages from here. The second one has no `text`.
#
# **Predict:** with which status does Slack answer the second one?

# %%
predict("09.a")

# %%
for message in ({"text": "Hello from the notebook"}, {"txet": "Hello?"}):
    status, said = inbox.post(message)
    print(status, said)

# %%
predicted("09.a", status)

# %% [markdown]
# Slack says in the *status* whether it took the message: 200 is yes, everything else is no. Your function will have to look
# at it.
#
# This is the channel, the newest message first. It follows the messages as they arrive, so leave it open. (The check further
# down causes messages of its own; they are marked with the word "check".)

# %%
inbox.show()

# %% [markdown]
# ## Create the function
#
# In the console this is *Create function → Author from scratch*. You give it a name with your own name in it, a runtime, and
# a role that exists already. Here it is one call. Its package holds the file that you begin with.

# %%
runtimes = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
handlers = {"python": "app.handler", "node": "index.handler", "ruby": "app.handler"}
name = workshop.name("slack")
create = {
    "FunctionName": name,
    "Runtime": runtimes[language],
    "Handler": handlers[language],
    "Role": workshop.role("AmazonS3ReadOnlyAccess"),
    "Code": {"ZipFile": package(folder)},
}
create["Role"].rsplit("/")[-1]

# %%
try:
    lambda_client.create_function(**create)
except lambda_client.exceptions.ResourceConflictException:
    deploy(workshop, name, folder, Runtime=runtimes[language], Role=create["Role"])
    print("The function was there already; it has this package now.")
lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)

# %% [markdown]
# The slides choose the role *AWSLambdaBasicWithS3ReadOnly*, for this lab and the two that follow: write the log, and read S3.
#
# ### The environment variable
#
# The webhook's address goes into the variable `WEBHOOK_URL`. In the console: *Configuration → Environment variables*.

# %%
lambda_client.update_function_configuration(
    FunctionName=name, Environment={"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)
configuration = lambda_client.get_function_configuration(FunctionName=name)
configuration["Environment"]["Variables"]

# %% [markdown]
# The notebook hides the value when it shows it. In the console, everyone who may read the configuration can read the
# variable; what has to be kept from them too belongs into AWS Secrets Manager.
#
# ### The parts of the console
#
# | In the console | What it is | Here |
# |---|---|---|
# | *Function overview* | the function, its triggers on the left, its destinations on the right | notebook 16 adds a trigger |
# | *Code* | an editor for the files of the package | your file, in JupyterLab |
# | *Runtime settings* | runtime, handler, architecture | `Runtime`, `Handler` |
# | *Test* | saved test events, and the answer with the end of the log | `invoke(..., LogType="Tail")` |
# | *Monitor* | metrics, and links to the log | CloudWatch, notebook 01 |
# | *Configuration → General* | memory, time limit, `/tmp` | `MemorySize`, `Timeout`, `EphemeralStorage` |
# | *Configuration → Permissions* | the role, and who may invoke the function | `Role`, `add_permission` |
# | *Configuration → Environment variables* | settings for the code | `Environment` |
#
# ### A test event
#
# In the console you would make a test event and press *Test*. The answer shows the result and the end of the log.
# `LogType="Tail"` gives the same.
#
# **Predict:** the file you begin with has no code of yours yet. How will the test end?

# %%
predict("09.b", choices=["without an error", "with an error"])


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


ended = test({"text": "Hello from my first function"})

# %%
predicted("09.b", ended)

# %% [markdown]
# ## Write it
#
# Now the code. Open your file in JupyterLab: in the list on the left go to the folder that `start_at` named, then into your
# language. The function should
#
# 1. take `text` from the event, or `"Hello from Lambda"` if there is none;
# 2. POST `{"text": ...}` as JSON to the address in `WEBHOOK_URL`, with `Content-Type: application/json`;
# 3. give up after two seconds, so that it does not run into its own time limit of three;
# 4. **fail** (raise, throw) when the answer's status is not 2xx;
# 5. return `{"posted": text}`.
#
# Lambda's runtimes hold hardly any libraries, so use what the language brings: `urllib.request` in Python, `fetch` in
# Node.js, `net/http` in Ruby. The cell below gives a hint, and a further one each time you run it.

# %%
hint("09")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: Write the function in that file, save it, delete this line, and run the cell again.
from helpers.exercises.lab import labs

if source_file.read_text() == labs()["09"].starter(language).read_text():
    source_file.write_text(labs()["09"].answer(language).read_text())
print(source_file.read_text())

# %%
# check
deploy(
    workshop,
    name,
    folder,
    Runtime=runtimes[language],
    Role=create["Role"],
    Environment={"Variables": {"WEBHOOK_URL": inbox.webhook_url}},
)
check("09")

# %% [markdown]
# Whenever you change the file, deploy again: what Lambda runs is the package, not your file. Then test with an event of
# your own, and look at the inbox above.

# %%
_ = test({"text": "Grüße, 東京!"})

# %% [markdown]
# ## When Slack does not answer well
#
# Slack answers 500 now and then, or 429 when you post too much. The inbox can do so on demand.
#
# **Predict:** how will this invocation end? (And how should it?)

# %%
predict("09.c", choices=["without an error", "with an error"])

# %%
if not inbox.is_slack:
    inbox.fail_next(1)
ended = test({"text": "Does anybody hear me?"})

# %%
predicted("09.c", ended)

# %% [markdown]
# If your function looks at the status, `FunctionError` is `Unhandled`, and the log names the cause. It *should* be an error:
# an invocation that ends well is one that nobody looks at again. Lambda repeats a failed asynchronous invocation twice,
# and counts it in the metric `Errors`, on which an alarm can be set. A swallowed error does none of that.
#
# ## The other languages
#
# The same function in Python, Node.js and Ruby. Look at the differences: where is the time limit, and who notices a 500 by
# itself?

# %%
for each in ("python", "node", "ruby"):
    solution("09", each)

# %% [markdown]
# ## What you have learned
#
# - A function is created with a name, a runtime, a handler, a role and a package; settings go into environment variables.
# - The console's parts are these same things under other names.
# - A language's standard library is enough to POST JSON. Set a time limit of your own, and look at the status.
# - Fail loudly: an error that is raised is counted, logged and tried again.
#
# **Next:** notebook 10 asks what Lambda is suited to. The next lab is 16, in which a file that comes makes your function run.
# `python3 -m helpers clean` in a terminal removes what you made, when you no longer need it; `start_at` makes it again.
