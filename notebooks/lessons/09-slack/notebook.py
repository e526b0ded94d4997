# %% [markdown]
# # 09 Slack message
#
# After this notebook you will be able to
#
# - create a function that posts to Slack, in Python, Node.js or Ruby, and give it a setting and a test event;
# - call an HTTP API from a function with the language's standard library alone;
# - make a function fail *loudly*, with an error that Lambda counts, when Slack does not answer well;
# - find your way in the Lambda console, and do the same there by clicks.
#
# It takes about 30 minutes. Slides: "[Hands-on] Slack message from Lambda" (LambdaでSlack通知, pages 15 to 22), in the part "Hands-on".
#
# ![You invoke the function, and it posts to Slack](lessons/09-slack/picture.svg)

# %% notes [markdown]
# Minutes: 1
#
# Say: The first hands-on of the deck: you press a button, and a message appears. It is small on purpose. What is
# worth learning here is the sad path: what does your function do when Slack does not answer?

# %% [markdown]
# ## Begin
#
# Choose **your language**: `"python"`, `"node"` or `"ruby"`. `start_at("09")` puts a file to begin with into a folder of
# yours. It never writes over a file that you have changed.

# %% notes [markdown]
# Minutes: 1
#
# Say: Choose the language in which you write at work, and stay with it in 16 and 17. Python needs nothing; Node.js
# came with the workshop; Ruby is there if your machine has it. Say aloud where the file is: it is not in the
# notebook.
#
# Goes wrong: They run the cell before they change `language`, and then edit the file of another language than the one
# that is deployed. Change the line, and run from the top. `start_at` never writes over a file that they have changed.

# %%
import base64
import json
import re

from helpers import connect, deploy, open_inbox, package, start_at

language = "python"
workshop = connect()
lambda_client = workshop.client("lambda")
folder = start_at("09", language) / language

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# ## Slack's side
#
# An *incoming webhook* is an address that Slack gives you. Anyone who posts JSON there writes into a channel. So the address
# is a secret, like a password: keep it out of code, logs and notebooks.
#
# You need no Slack for this lab: an **inbox** on this machine answers as Slack does. If you have a webhook of your own, set
# `WORKSHOP_SLACK_WEBHOOK_URL` before you start JupyterLab, and the messages go to your channel instead.

# %% notes [markdown]
# Minutes: 4
#
# Say: Do this before any Lambda: know the other side first. Ask what they think of an address that is also the
# password. Then ask for the guess.
#
# Goes wrong: Somebody has a webhook of their own and pastes it into a cell. Ask for it to be removed at once: it
# belongs into `WORKSHOP_SLACK_WEBHOOK_URL`, set before JupyterLab starts. Then the checks cannot read the messages,
# and say so.
#
# Answer 09.a: 400, with the reason `no_text`. A webhook refuses what it cannot show, so the status has to be looked
# at.

# %%
inbox = open_inbox(workshop)
inbox

# %% [markdown]
# First, without Lambda, post two messages from here. The second one has no `text`.
#
# **Predict:** with which status does Slack answer the second one?

# %%
predict("09.a")

# %%
for message in ({"text": "Hello from the notebook"}, {"txet": "Hello?"}):
    status, said = inbox.post(message)
    print(status, said)

# %%
claim("Slack refuses a message without a text", status >= 400)
predicted("09.a", status)

# %% [markdown]
# The *status* says whether Slack took the message: 200 is yes, everything else is no. Your function must look
# at it.
#
# This is the channel, the newest message first. New messages appear by themselves, so leave it open. (The check below sends
# messages, too; they have the mark "check".)

# %%
inbox.show()

# %% [markdown]
# ## Create the function
#
# In the console this is *Create function → Author from scratch*: a name with your own name in it, a runtime, and
# a role that exists already. Here it is one call. Its package holds the file that you begin with. (AWS now calls functions like this one
# {{event_functions}}.)
#
# The **role** says what the function may do in AWS. This function only posts to Slack, and Slack does not belong to AWS. So it needs
# no right but to write its log, which `workshop.role()` always allows.

# %% notes [markdown]
# Minutes: 3
#
# Say: In the deck everybody takes one role that may read all of S3. Ask why we do not. This function can write its
# log, and nothing else in AWS; a mistake in it can harm nobody's files.
#
# Goes wrong: Somebody wants to see the address, and the notebook shows `…(hidden)`. They copy this text into the
# console, and the check says that it is not the address of the inbox. The cell sets it; nobody has to type it.

# %%
runtime = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}[language]
handler = "index.handler" if language == "node" else "app.handler"
role = workshop.role()
name = workshop.name("slack")

# %% create
create = {"FunctionName": name, "Runtime": runtime, "Handler": handler, "Role": role}
try:
    lambda_client.create_function(**create, Code={"ZipFile": package(folder)})
except lambda_client.exceptions.ResourceConflictException:
    deploy(workshop, name, folder, Runtime=runtime, Role=role)
    print("The function was there already; it has this package now.")
lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)

# %% [markdown]
# The slides choose one role, *AWSLambdaBasicWithS3ReadOnly*, for this lab and the two that follow. It also lets a function read every
# object of every bucket, and this function reads none: a mistake in its code could post them to Slack. So in these labs each function gets only
# the rights that it uses. (On AWS, `WORKSHOP_ROLE` can name a role that exists already.)
#
# ### The environment variable
#
# The webhook's address goes into the variable `WEBHOOK_URL`. In the console: *Configuration → Environment variables*.
# The inbox has an `http` address. Code that speaks `https` alone, as Node.js's `https.request` does, needs
# `inbox.https_webhook_url` there.

# %%
environment = {"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
lambda_client.update_function_configuration(FunctionName=name, Environment=environment)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)

# %%
configuration = lambda_client.get_function_configuration(FunctionName=name)
configuration["Environment"]["Variables"]

# %% [markdown]
# The notebook hides the value. The console does not: anyone with the right to read the configuration can read the
# variable. A secret that they must not see belongs in AWS Secrets Manager.
#
# ## The three screens of the slides
#
# In the slides all of this is done in AWS's Lambda console, of which they show three screens (pages 17 to 19). Since then AWS has moved its parts.
# The workshop has a console, too, for the AWS that you have chosen. To open it, choose *File → New → Terminal* in JupyterLab and type
# `python3 -m helpers console`. It opens in your browser; if not, open the address that the terminal shows. Choose your function. After each click the
# console shows **the cell that does the same**. It works on the same functions as these cells, so take whichever you like: `check` looks only at the
# function. (If you wrote the code in the console, call `check("09")` in a cell of its own. The cell below with the check would first deploy your file in
# its place.)
#
# ### Screen 1: the function, and what is around it
#
# At the top are buttons, a list of test events, and two tabs. Below is the *Designer*, a picture: the function, the triggers on its left, and on its
# right what its role allows.
#
# | On the slide | In AWS's console now | In ours |
# |---|---|---|
# | *Designer*, with *Add trigger* | *Function overview*, with destinations on the right | *Triggers*; as a picture: *Live*, then *System* |
# | what the role allows | *Configuration → Permissions* | dotted lines in that picture |
# | *Throttle* | *Throttle* | *Hold at zero*, when you choose the function in that picture |
# | *Qualifiers* | *Versions* and *Aliases* | *Versions and aliases* |
# | test events, *Test* | *Test* | *Test* |
# | *Monitoring* | *Monitor* | *Monitoring*, *Logs* |
#
# ### Screen 2: the code
#
# An editor in the browser shows the file of the function. Above it are the way in which the code comes in, the runtime, and the handler.
#
# | On the slide | In AWS's console now | In ours | In a cell |
# |---|---|---|---|
# | editor; *Save* at the top | *Code*; *Deploy* beside the editor | *Code → Edit the files*, *Save the code* | `deploy` |
# | code entry type | *Upload from* | *Code → Upload a zip* | `package` |
# | runtime and handler | *Code → Runtime settings* | *Configuration → Runtime settings* | `Runtime`, `Handler` |
#
# ### Screen 3: the settings
#
# Further down on the same page were four boxes. They are below *Configuration* now, in AWS's console and in ours.
#
# | On the slide | In AWS's console now | In ours | In a cell |
# |---|---|---|---|
# | environment variables | *Environment variables* | *Environment variables* | `Environment` |
# | tags | *Tags* | not there | `tag_resource` |
# | execution role | *Permissions* | *Permissions* | `Role` |
# | description, memory, time limit | *General configuration*, with `/tmp` | *General configuration* | `MemorySize`, `Timeout`, `EphemeralStorage` |
#
# (For `WEBHOOK_URL` our console can take the address of the inbox by itself: *The webhook of the inbox*.)
#
# ### A test event
#
# In both consoles you write a test event, or take a template, and press *Test*. You see the answer and the end of the log. (Ours saves events of yours as
# files, in `work/events/`.) `LogType="Tail"` gives the same. (`re.sub` leaves out ids, and the folder of the code.)

# %% notes [markdown]
# Minutes: 4
#
# Say: Open the console on the projector, make one click, and show the cell below it: this is the whole idea. The
# tables are for those who will use AWS's console; the parts have moved since 2019, so the screenshots of the deck no
# longer fit.
#
# Goes wrong: They edit the code in the console and then run the check's cell, which deploys the file and so puts the
# old code back. Who works in the console calls `check("09")` in a cell of its own.
#
# Answer 09.b: With an error. The file that they begin with raises `NotImplementedError`, and the answer and the log
# say so. This is what an error of a function looks like; you will see it again.
#
# Skip: The tables, and with them the console. Run the cell of `test`, which the rest needs.


# %%
def test(event):
    payload = json.dumps(event)
    response = lambda_client.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    answer = response["Payload"].read().decode()
    log = base64.b64decode(response["LogResult"]).decode()
    answer = re.sub(r',\s*"(requestId|stackTrace|trace)":.*', ", …}", answer)
    print(answer[:300], re.sub(r"[^\s\"(]*/task/", "", log), sep="\n\n")
    return "with an error" if "FunctionError" in response else "without an error"


# %% [markdown]
# **Predict:** the file that you begin with has no code of yours yet. How will the test end?

# %%
predict("09.b", choices=["without an error", "with an error"])

# %%
ended = test({"text": "Hello from my first function"})

# %%
predicted("09.b", ended)

# %% [markdown]
# ## Write it
#
# Now the code. Open your file: [app.py](../work/labs/09/python/app.py) in Python, [index.mjs](../work/labs/09/node/index.mjs) in Node.js
# or [app.rb](../work/labs/09/ruby/app.rb) in Ruby. (With a `WORKSHOP_HOME` of your own it is in the folder that
# `start_at` named.) The function should
#
# 1. take `text` from the event, or `"Hello from Lambda"` if there is none;
# 2. POST `{"text": ...}` as JSON to the address in `WEBHOOK_URL`, with `Content-Type: application/json`;
# 3. stop waiting for an answer after two seconds: its own time limit is {{timeout_default}};
# 4. **fail** (raise, throw) when the answer's status is not 2xx;
# 5. return `{"posted": text}`.
#
# Lambda's runtimes hold hardly any libraries, so use what the language has: `urllib.request` in Python, `fetch` in
# Node.js, `net/http` in Ruby. The next cell gives a hint, and one more each time you run it.

# %% notes [markdown]
# Minutes: 12
#
# Say: Ten minutes. Five points are asked for, and the fourth is the one that most forget. Run the check early: its
# sentence tells you what comes next, so you need not think of all five at once. Walk around; whoever has it helps the
# person on the left.
#
# Goes wrong: The most common: the file was changed, and not saved or not deployed, so the check sees the old code.
# "There is no test yet": the section before, which makes `test`, was left out; *Run → Run All Above Selected Cell*.
# *The handler is not written yet*: another file than the deployed one was edited. `requests` or `axios` is imported:
# Lambda does not have it, and the hint names what is there. The JSON is put together by hand, and a quote in the text
# breaks it. No `Content-Type`. In Node.js a request without `await`: the handler ends, the environment is frozen, and
# no message comes. In Ruby the handler takes keywords: `event:, context:`.
#
# Goes wrong: The last two sentences of the check puzzle people. *Reported success all the same*: the code catches the
# error and prints it; it should let it through. *Let the request give up after two seconds*: the inbox waits on
# purpose, and the request needs a time limit of its own, below that of the function.
#
# Skip: When half of the room has it, give the others `solution("09", use=True)`, then the check's cell. Nobody has to
# be finished for 16: `start_at("16")` makes what is missing.

# %%
hint("09")

# %%
source_file = next(folder.glob("*.*"))
print("edit", source_file)
# solution: Write that file and save it, delete this line, and run the cell again.
from helpers.exercises.lab import labs

lab = labs()["09"]
lab.put(language, lab.answer(language))
print(source_file.read_text())

# %%
# check
deploy(workshop, name, folder, Runtime=runtime, Role=role, Environment=environment)
check("09")

# %% [markdown]
# Deploy again each time you change the file: Lambda runs the package, not your file. Then test with an event of
# your own, and look at the inbox above.

# %%
_ = test({"text": "Grüße, 東京!"})

# %% [markdown]
# ## When Slack does not answer well
#
# Sometimes Slack answers 500, or 429 when you post too much. The inbox does so when you ask for it.
#
# **Predict:** how will this invocation end? (And how should it?)

# %% notes [markdown]
# Minutes: 3
#
# Say: Ask first: is an error here good or bad? It is good. Who hides it, loses the message, the retry, the metric and
# the alarm. That is worth repeating, as many have learned to catch everything.
#
# Answer 09.c: With an error, if the function looks at the status: its payload has the type and the message of your
# exception. Who gets "without an error" has code that hides it.

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
# nobody looks again at an invocation that ends well. Lambda tries a failed asynchronous invocation twice more,
# and counts each failure in the metric `Errors`, for which you can set an alarm. If your code hides the error, none of this happens.
#
# ## The other languages
#
# The same function in three languages. A click opens the answer; `solution("09", "ruby")` in a cell of its own shows it here. The slides have
# [answers of their own](https://github.com/reireias/lambda-examples).
#
# | | two seconds at most | when Slack answers 500 |
# |---|---|---|
# | [Python](lessons/09-slack/functions/slack/python/app.py) | `urlopen(..., timeout=2)` | `urlopen` raises an error |
# | [Node.js](lessons/09-slack/functions/slack/node/index.mjs) | `signal: AbortSignal.timeout(2000)` | `fetch` does not: look at `ok` |
# | [Ruby](lessons/09-slack/functions/slack/ruby/app.rb) | `open_timeout: 2, read_timeout: 2` | `Net::HTTP` does not: look at the response's class |
#
# ## What you have learned
#
# - You create a function with a name, a runtime, a handler, a role and a package. Settings go into environment variables.
# - The console does the same by clicks, and the workshop's shows the cell for each of them.
# - A language's standard library is enough to POST JSON. Set a time limit of your own, and look at the status.
# - Fail loudly: Lambda counts and logs an error that you raise, and tries an asynchronous event again.
#
# **Next:** notebook [10](10-what-fits.ipynb) asks what Lambda is suited to. The next lab is 16, in which a new file makes your function run.
# When you no longer need what you made, `python3 -m helpers clean` in a terminal removes it; `start_at` makes it again.

# %% notes [markdown]
# Minutes: 1
#
# Say: Three languages, one difference that costs money: Python's `urlopen` raises an error for 500; `fetch` and
# `Net::HTTP` do not. Ask who has met that.
#
# Skip: All of it.

# %% notes [markdown]
# Minutes: 1
#
# Say: Everybody shows a neighbour the last message of their own inbox. Then: in 16 nobody presses a button any more.
