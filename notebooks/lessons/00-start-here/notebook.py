# %% [markdown]
# # 00 Start here
#
# This is a workshop on **AWS Lambda**, in notebooks. You deploy real functions, send them events, and look at what
# happened. It follows, section by section, the slides of a study session of 2019 in Japanese (インフラ勉強会 #5, "Lambda"), and says what has
# changed since. You need neither an AWS account nor Docker: an *embedded AWS* runs on
# this machine. With one setting, the same notebooks run on AWS itself.
#
# The workshop has the same goals as the slides. At its end you know what is special about Lambda, and about FaaS (Function as a Service) in general.
# You know where it fits, and how to design a system with it. And you have written code that runs on Lambda, in Python, Node.js or Ruby.
#
# After this notebook you will
#
# - know how the workshop is built, and how to choose the AWS that it runs on;
# - have seen that everything works;
# - know what is real in the embedded AWS, and what is not.
#
# It takes about 10 minutes.
#
# **New to notebooks?** The grey boxes are *cells*. Click into one and press Shift+Enter: it runs, and its result appears
# below. Run the cells from top to bottom. You can change a cell and run it again, as often as you like: the notebooks that
# `lab` opens are copies of your own, in the folder `work/notebooks`. They stay, also when the workshop is updated.

# %% notes [markdown]
# Minutes: 1
#
# Say: The deck has two halves, and so has the workshop: first you get to know Lambda, then you build with it. You
# guess before you measure, the whole time. Ask the room two things: who has used AWS, and who has a function in
# production? The hands tell you how fast you can go.
#
# Goes wrong: Somebody has no JupyterLab yet, because the first `python3 -m helpers lab` still makes its environment.
# Let this person sit beside somebody who has it, and begin: the download ends by itself.

# %% [markdown]
# ## The map

# %% notes [markdown]
# Minutes: 1
#
# Say: Each box is a section of the deck, in the deck's order. Show with your finger which boxes you do today. The
# others are for afterwards, with no need of you.
#
# Goes wrong: The first cell that imports something takes some seconds. A star, `[*]`, beside a cell means that it
# runs: nobody has to press again.

# %%
from helpers import choose, claim, draw_map, hint, reset, solution, start_at

ax = draw_map()

# %% [markdown]
# What you have solved gets a tick in the map. All notebooks are in the folder `solutions` too, solved and executed: there you can
# read them without running anything.
#
# ## How much time do you have?
#
# **All of it** takes several days. The longest notebooks have two sessions, with *A pause* between them.
#
# **One day**, about seven hours: 00, 01, 02, 03, 04, 06, 09, 10, 11 up to its pause, 16, 17 and 18.
#
# **90 minutes**, the one evening that the slides were made for:
#
# | Notebook | Minutes | Up to the end of | Leave out |
# |---|---|---|---|
# | 00 | 5 | Does everything work? | |
# | 01 | 15 | When something goes wrong | |
# | 02 | 10 | A burst | exercise 1 |
# | 03 | 10 | The bill | |
# | 04 | 10 | Measure it: ten cold, twenty warm | the experiment that needs a while |
# | 09 | 20 | Write it | the parts of the console |
# | 16 | 20 | Real files | |
#
# When time is short in a lab, `solution("09", use=True)` puts our answer into your file. The last section of each notebook, *What you have learned*,
# is a summary, also of what you leave out.
#
# You can begin anywhere: `start_at("16")` makes what the notebooks before 16 would have made. `reset("09")` begins your copy of a
# notebook anew, and keeps the old one. At the end, 18 has a quiz, and removes all that you have made.
#
# ## How a notebook works
#
# At its top, each notebook says what you will be able to do, how long it takes, and which slides it belongs to. It has
#
# - **Your predictions**: before a cell measures, you say what it will show. A small box keeps this, and shows it again beside
#   the measurement. You learn most where the two differ. (No box? Write it into the call, as in `predict("02.a", 12)`.)
# - **Exercises**: a check looks at what you have written or deployed, and says what to look at if it is not right yet.
#   `hint("01.1")` gives a hint, and one more each time. `solution("01.1")` shows an answer, and
#   `solution("01.1", use=True)` puts it in place of yours, so that you can go on.
# - **Folded cells**: a cell that shows only "…" is folded. It holds code that draws or prepares something. A click opens it,
#   and it runs like any other cell.
# - **Claims**: a line with `claim(...)` says what the figures should show. It prints nothing when they do, and "Not measured this time" when they do not: then
#   run the cells that measure again.

# %% notes [markdown]
# Minutes: 1
#
# Say: Say which of the three ways you take, and when the breaks are. Nobody has to write anything down: all solutions
# are in the folder `solutions`.
#
# Skip: All of it, if you have shown your plan already.

# %% notes [markdown]
# Minutes: 1
#
# Say: A wrong guess that you have written down is what you remember. So write one also where you are not sure. Do not
# read ahead to the measurement. Where your guess and the figure differ, put your hand up: that is the moment for a
# question.
#
# Goes wrong: A cell answers "Exercise 01.1 is yours." That is no fault of the workshop: the exercise waits for code
# in place of the line that begins with `raise`. A cell answers "There is no … yet": a cell above was left out, so
# *Run → Run All Above Selected Cell*. And who runs the measuring cell first reads "You made no prediction": that is
# allowed, but the fun is gone.

# %% [markdown]
# ## Which AWS?
#
# `connect()` finds the AWS that you chose, and starts the embedded one if it is not running. Everything that you make gets
# a name that begins with yours: your login name, or what `WORKSHOP_LEARNER` says.

# %% notes [markdown]
# Minutes: 2
#
# Say: Everything today happens on this laptop: nobody can get a bill, and nobody can break something of a
# neighbour's. The calls are those of boto3, so what you write here also works on AWS. Ask: what would you need to
# know before you run somebody else's notebook on your company's account? That is what `choose("aws")` shows first.
#
# Goes wrong: Another program has the port of the embedded AWS. The message names the port; `WORKSHOP_PORT` chooses
# another one. Where several people share one AWS account, each needs a `WORKSHOP_LEARNER` of their own, or one
# deletes what the other has made.
#
# Skip: The paragraph about AWS itself, where everybody stays on the embedded AWS.

# %%
from helpers import connect, deploy, load_event, reports

workshop = connect()
workshop

# %% [markdown]
# To use **AWS itself**, with the credentials and the region of your own configuration, run `choose("aws")` in a cell (or
# set `WORKSHOP_TARGET=aws` before you start JupyterLab) and restart the kernels of open notebooks. Before the workshop makes
# anything there, it shows you the account and an estimate of the costs, and asks. `choose("embedded")` goes back. Where you
# may not create roles, set `WORKSHOP_ROLE` to one that exists; where you may create them with a *permissions boundary* alone, set `WORKSHOP_BOUNDARY` to it. If you run
# another emulator, set `AWS_ENDPOINT_URL` to its address.

# %% [markdown]
# ## In a class?
#
# Alone, leave this out: the box does nothing by itself. In a class, type the word that your instructor says, and a name of your choice. From then on your
# instructor sees at which section you are, what you predict and measure, what checks say, and which hints you use; never your code, outputs or webhook.
# `join().sent()` prints exactly what was sent, `hand()` raises your hand, and `join().leave()` leaves the class, which then deletes what it has of you.

# %% notes [markdown]
# Minutes: 1
#
# Say: On my page I see where you are, what you guess and measure, and at which check you are stuck; not your code,
# and not what your cells print. Who would rather not, leaves the box alone, and misses nothing. Write the word on the
# board. Whoever needs me presses *Raise my hand* in the box.
#
# Goes wrong: The box finds no class: without `--address` the class is for notebooks on the instructor's machine
# alone. And the networks of guests often keep machines apart: then nobody on it reaches the class. The notebooks work
# all the same, and what they keep is sent when the class can be reached.
#
# Skip: All of it, where no class is open.

# %% join
from helpers import hand, join

join()

# %% [markdown]
# ## Does everything work?
#
# `greet` deploys a function in one language, calls it, and returns its answer.

# %% notes [markdown]
# Minutes: 2
#
# Say: Wait here until everybody has a greeting from Python. This is the only moment at which you help each person
# with the machine. Ask who has Ruby or Java: they can show their figures in notebook 04.
#
# Goes wrong: A language says *missing*. That is no error: Python and Node.js are enough for everything, and Java is
# needed for one comparison. If Python itself gives no greeting, restart the kernel and run from the top; if it still
# does not, `python3 -m helpers doctor` in a terminal says what this machine lacks.

# %% greet
import json

lambda_client = workshop.client("lambda")
event = json.dumps(load_event("hello"))


def greet(language, runtime):
    name = workshop.name(f"first-{language}")
    deploy(workshop, name, f"hello/{language}", Runtime=runtime)
    response = lambda_client.invoke(FunctionName=name, Payload=event)
    return json.loads(response["Payload"].read())


# %% [markdown]
# A language that this machine does not have says *missing*, and how to install it. The workshop works in the others; Python
# is always there. Java is only needed for a comparison in notebook 04.

# %% languages
runtimes = dict(python="python3.13", node="nodejs24.x", ruby="ruby3.4", java="java25")
for language, runtime in runtimes.items():
    answer = greet(language, runtime)
    missing = "missing: " + answer.get("errorMessage", "").split("Error: ")[-1]
    print(f"{language:8}{answer.get('message', missing)}")

# %% [markdown]
# This is what Lambda recorded of the Python function. AWS keeps logs and metrics in CloudWatch. Times
# are in milliseconds; what is billed is never less than the duration. Notebooks 01, 03 and 04 explain the columns.

# %% recorded
rows = reports(workshop.client("logs"), workshop.name("first-python"))
billed_in_full = rows["billed_ms"] >= rows["duration_ms"]
claim("what is billed is never less than the duration", billed_in_full.all())
rows[["init_ms", "duration_ms", "billed_ms", "status"]].tail(3)

# %% [markdown]
# With a greeting in at least one language, and a row in this table, you are ready.

# %% [markdown]
# ## What is real, and what is not
#
# This list is about the embedded AWS. (Where a figure is this machine's, the notebooks say so. They show AWS's figure beside it, if there is one.)
#
# **Real:**
#
# - Each function runs in processes of its own. They start when an event comes (a *cold* start), are used again for the next event (*warm*), are frozen in between, and end after an idle time.
# - Init, duration and memory are measured on these processes. Errors, timeouts and crashes happen, and have AWS's messages.
# - Your calls are boto3 calls to an HTTP API. Each is signed with an access key, and what the policies of a role, a user or a resource do not allow is refused. The addresses of function URLs and HTTP APIs work, in a browser too.
# - The database of notebook 07 is a PostgreSQL.
#
# **Imitated:**
#
# - S3, SQS, DynamoDB, EventBridge, IAM, CloudWatch, EC2 and Lambda's own API come from [MiniStack](https://github.com/ministackorg/ministack). The parts that these notebooks
#   use behave as on AWS; other parts may not.
# - An EC2 instance is an entry in a list: no machine runs.
# - More memory gives a function more CPU, as on AWS. A function that has computed for longer than its share is paused for short moments: with 128 MB it
#   takes about 14 times as long as with {{vcpu_memory}}. A function that only waits is not slowed down.
#
# **Not AWS's:**
#
# - The network, the processor, and the MicroVM around each environment; so every millisecond is this machine's.
# - The runtimes are those of this machine. Where it lacks the version that a runtime's name says, a function runs on another one, and its log says so:
#   `python3 -m helpers runtimes` lists them.
# - Under Linux a function is confined, as on AWS: its code is in `/var/task`, it sees only its own code and processes, and can write only to its own `/tmp`, which is as large as `EphemeralStorage` says.
#   Under macOS, and in containers that forbid this, its code is in a folder of this machine, and it can do what you can: change your files, and end your processes. `python3 -m helpers doctor` says which it is.
#
# **Quicker:**
#
# - What takes AWS minutes takes seconds here. An asynchronous event that fails is tried again after one second, and once
#   more after two seconds. On AWS it is one minute and two minutes.
# - Metrics and alarms follow within two seconds. On AWS they are late by minutes.
#
# **Missing:**
#
# - Managed Instances and durable functions: asking for one of them is an error. So is SnapStart for another language than
#   Python, and outside of Linux.
# - Container images, X-Ray traces.
# - In Java, classes of your own as an event or answer, but for records: take a `Map`, or a handler with streams.
#
# The embedded AWS keeps what is in it when it stops, also when it is killed or the disk is full: `lab` says what it found. Execution environments are
# cold then, and the database of 07 is gone. `python3 -m helpers lab --fresh` begins with nothing in it, and puts what it had aside.

# %% notes [markdown]
# Minutes: 1
#
# Say: Name three things and go on: processes and errors are real, milliseconds are this laptop's, and waiting times
# are shorter. When a figure looks wrong later, ask which of the three it is.
#
# Skip: Everything but these three. Come back to the list when somebody asks.

# %% [markdown]
# ## How to go on
#
# - Open [01 What is Lambda?](01-what-is-lambda.ipynb). Ctrl+B shows the list of all files.
# - Something does not work, or the embedded AWS was stopped? Restart the kernel and run the notebook from the top: you can run every notebook
#   again.
# - To remove all that the notebooks made, in the embedded AWS or in your account: `python3 -m helpers clean` in a
#   terminal (in JupyterLab: *File → New → Terminal*). It removes nothing else.
# - Your predictions, and what checks say to you, are recorded in `work/record.jsonl`, on this machine alone. `python3 -m helpers review` makes
#   pages of your session from it.
# - To look at the embedded AWS with other tools: `eval "$(python3 -m helpers env)"`, then for example `aws s3 ls`, if you
#   have the AWS CLI.
#
# ## What you have learned
#
# - The notebooks follow the slides. Each one asks, measures, and closes with what you have learned.
# - You are connected to an AWS, and a function has answered you.
# - Processes, init, logs and errors are real here. The network, the MicroVM and the milliseconds are not AWS's.

# %% notes [markdown]
# Minutes: 1
#
# Say: One rule for the rest of the day: if something looks wrong, restart the kernel and run the notebook from the
# top. Every notebook can be run again.
#
# Skip: All of it, in an evening.

# %% notes [markdown]
# Minutes: 0
#
# Say: Ask if everybody has seen a greeting, and open 01.
