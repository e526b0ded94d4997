# %% [markdown]
# # 13 Rendering pages
#
# After this notebook you will be able to
#
# - render web pages in a function, give it an address by a function URL and by an HTTP API, and say when you need which;
# - answer a browser properly: status, headers, cookies, bytes, and text from outside that does no harm;
# - route pages to Lambda, and static files to S3;
# - measure what visitors wait, by percentile, as more of them come, for Lambda and for a server;
# - say what such pages cost, and how many a server can serve.
#
# It takes about 40 minutes. Slides: "Example 3: SSR on Lambda", in the part "Architectures".
#
# ![A browser asks an HTTP API, which routes pages to a Lambda function and static files to an S3 bucket; a function URL leads to the function without routes](lessons/13-rendering-pages/picture.svg)
#
# **Server-side rendering** (SSR) means that the HTML of a page is made anew for each request, out of a template and data. Everything that is the same for
# all visitors (style sheets, pictures, scripts) is **static**: files that only have to be sent. The picture has both. On AWS all of this notebook costs less than a cent.

# %% imports
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from botocore.config import Config
from helpers import compare_events, connect, deploy, load_event, load_prices, reports
from helpers.lessons import function_folder
from helpers.plots import BLUE, GREEN, ORANGE, PINK, RED, SKY
from IPython.display import IFrame, display

# %% connect
workshop = connect()
lambda_client, logs, s3 = (
    workshop.client("lambda"),
    workshop.client("logs"),
    workshop.client("s3"),
)
workshop

# %% [markdown]
# This notebook also plays the browser, with the library `requests`.

# %% http
import requests
from requests.adapters import HTTPAdapter

http = requests.Session()
for scheme in ("http://", "https://"):
    http.mount(
        scheme, HTTPAdapter(pool_maxsize=50)
    )  # so many connections can be kept open
http.trust_env = (
    workshop.endpoint is None
)  # your proxy, if you have one, is not asked for addresses of this machine

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## The function
#
# It has two files. `page.py` makes the HTML, and knows nothing of Lambda:

# %%
print((function_folder("render-page") / "python/page.py").read_text())

# %% [markdown]
# `look_up` waits for a tenth of a second. This takes the place of the database that a real page would ask: most of the time that a page takes is waiting.
# And note `html.escape`: whatever comes from outside goes through it before it becomes part of a page. We will see why.
#
# `app.py` translates between HTTP and these functions:

# %%
print((function_folder("render-page") / "python/app.py").read_text())

# %% [markdown]
# The function needs no right but to write its log, and so gets no other. `RUN` has a new value each time, so that no environment of an earlier run is used again.

# %% page
name = workshop.name("render-page")


def deploy_page(**variables):
    variables["RUN"] = str(time.time())
    return deploy(
        workshop,
        name,
        "render-page/python",
        MemorySize=512,
        Timeout=10,
        Environment={"Variables": variables},
    )["FunctionArn"]


function_arn = deploy_page()

# %% [markdown]
# A request reaches it as an event like any other, so it can be tried without any web. Our sample of such an event is in `events/function-url.json`.

# %%
import json

event = load_event("function-url", rawPath="/item/1")
response = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
answer = json.loads(response["Payload"].read())
print(
    event["requestContext"]["http"]["method"],
    event["rawPath"],
    "→",
    answer["statusCode"],
    answer["headers"],
)

# %% [markdown]
# ## An address: the function URL
#
# A **function URL** is an address for one function: whatever is asked there becomes an event. `AuthType="NONE"` means that the address is for everybody. Then
# the function must also *permit* everybody to call it, by two permissions: to use the URL, and to invoke the function by way of it. (The second is needed since {{url_permissions}}. Without
# both the address answers 403: [AWS's guide]({{url_permissions.source}}).)


# %% permit
def permit(function_name, statement, **permission):
    """Add a permission to a function, unless it is there already."""
    try:
        lambda_client.add_permission(
            FunctionName=function_name, StatementId=statement, **permission
        )
    except lambda_client.exceptions.ResourceConflictException:
        print(f"{function_name}: the permission {statement} is there already.")


def wait_for(url):
    """Ask until the address answers: a new one, and its permission, need some seconds on AWS."""
    for _ in range(30):
        if http.get(url).status_code not in (403, 404):
            return
        time.sleep(1)


# %% function-url
def open_to_everybody(function_name):
    """Give the function an address, and return it."""
    try:
        config = lambda_client.create_function_url_config(
            FunctionName=function_name, AuthType="NONE"
        )
    except lambda_client.exceptions.ResourceConflictException:
        config = lambda_client.get_function_url_config(FunctionName=function_name)
    permit(
        function_name,
        "use-url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    permit(
        function_name,
        "invoke",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    wait_for(config["FunctionUrl"])
    return config["FunctionUrl"].rstrip("/")


function_url = open_to_everybody(name)
print(function_url)

# %% [markdown]
# On AWS it looks like `https://….lambda-url.us-east-1.on.aws`; the embedded AWS gives you an address that works on this machine alone. Open it in a browser. On
# AWS remember that *everybody* who has it can call your function, and you pay: `python3 -m helpers clean` takes it away.
#
# Here is what comes back when a visitor is called `<b>Ada</b>`.
#
# **Predict:** what happened to the angle brackets in the name?

# %%
predict("13.a", choices=["they are as they were", "they are gone", "they are escaped"])

# %%
answer = http.get(function_url, params={"visitor": "<b>Ada</b>"})
print(answer.status_code, answer.headers["Content-Type"])
print(answer.text)

# %%
raw, escaped = "<b>Ada</b>" in answer.text, "&lt;b&gt;" in answer.text
became = "escaped" if escaped else "as they were" if raw else "gone"
predicted("13.a", f"they are {became}")

# %% [markdown]
# `&lt;b&gt;`: the browser will show `<b>Ada</b>` as text, and not obey it.
#
# The page wants a style sheet and a logo, at `/static/…`. What does the function say to that?

# %%
missing = http.get(f"{function_url}/static/site.css")
print(missing.status_code, missing.headers["Content-Type"])

# %% [markdown]
# A function URL has **no routes**: each path goes to the same function, and ours has no such page. We could let it send files as well. But then each picture is an
# invocation, which is paid and may be a cold start, to do what S3 does better.
#
# ## Static files in S3

# %% bucket
bucket = workshop.name("web-static")
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}
try:
    s3.create_bucket(Bucket=bucket, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %% [markdown]
# S3 sends each object with the headers that it was stored with. Without a `ContentType`, a browser would not take the file for a style sheet.
# `CacheControl` says how long the browser may use it without asking again.

# %% static-files
import mimetypes

files = sorted((function_folder("render-page") / "static").iterdir())
for file in files:
    kind = mimetypes.guess_type(file.name)[0]
    key = f"static/{file.name}"
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=file.read_bytes(),
        ContentType=kind,
        CacheControl="max-age=3600",
    )
    print(key, kind)

# %% [markdown]
# ## Routing in front: an HTTP API
#
# An **HTTP API** of API Gateway has **routes**: method and path, and where such requests go, its **integration**. We make the API anew each time, so that
# the cells can be run twice.


# %% api
def route(integration, *keys):
    """Send requests that match one of the keys to an integration, e.g. dict(IntegrationType="AWS_PROXY", …)."""
    number = gateway.create_integration(ApiId=api["ApiId"], **integration)[
        "IntegrationId"
    ]
    for key in keys:
        gateway.create_route(
            ApiId=api["ApiId"], RouteKey=key, Target=f"integrations/{number}"
        )


gateway = workshop.client("apigatewayv2")
api_name = workshop.name("tea-shop")
for page in gateway.get_paginator("get_apis").paginate():
    for old in page["Items"]:
        if (
            old["Name"] == api_name and old.get("Tags", {}).get("workshop") == "lambda"
        ):  # ours, and no other
            gateway.delete_api(ApiId=old["ApiId"])
api = gateway.create_api(Name=api_name, ProtocolType="HTTP")
gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
api_url = api["ApiEndpoint"]

# %% [markdown]
# Two routes lead to the function. `{id}` matches one part of a path.

# %% pages-route
to_lambda = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
route(to_lambda | {"IntegrationUri": function_arn}, "GET /", "GET /item/{id}")
region, account = function_arn.split(":")[3:5]
permit(
    name,
    api["ApiId"],
    Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com",
    SourceArn=f"arn:aws:execute-api:{region}:{account}:{api['ApiId']}/*",
)

# %% [markdown]
# And one leads to the bucket. `{file+}` matches all that follows; the request goes on to S3 with another path, the object's.
#
# This works on the embedded AWS, where S3 lets everybody read. **On AWS a bucket is private**, and public access is blocked by default; leave it so. There, the
# cell puts *presigned URLs* into the pages instead: addresses of S3 with a signature that is good for some hours. What you would take in production is **CloudFront**,
# AWS's cache near the visitors. It does the routing by path in one place, may read the private bucket (*origin access control*), and a page or file that it
# has in its cache reaches neither Lambda nor S3.

# %% static-route
keys = {"STYLE": "static/site.css", "LOGO": "static/logo.svg"}
if workshop.is_embedded:
    to_s3 = {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "GET",
        "IntegrationUri": s3.meta.endpoint_url,
        "PayloadFormatVersion": "1.0",
        "RequestParameters": {
            "overwrite:path": f"/{bucket}/static/${{request.path.file}}"
        },
    }
    route(to_s3, "GET /static/{file+}")
    links = {variable: f"/{key}" for variable, key in keys.items()}
else:
    signer = workshop.client(
        "s3", Config(signature_version="s3v4")
    )  # today's buckets take no older signature
    links = {
        variable: signer.generate_presigned_url(
            "get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=12 * 3600
        )
        for variable, key in keys.items()
    }
deploy_page(**links)
wait_for(api_url)

# %% [markdown]
# Three requests: for a page, for a file, and for `/cart`, which is not there.
#
# **Predict:** who answers the last one?

# %%
predict("13.b", choices=["the function", "S3", "the API itself"])

# %%
for path in ("/item/2", "/static/site.css", "/cart"):
    answer = http.get(api_url + path)
    print(
        answer.status_code,
        f"{answer.headers['Content-Type']:26}",
        f"{path:17}",
        repr(answer.text[:45]),
    )

# %%
who = {"text/html": "the function", "application/json": "the API itself"}
predicted("13.b", who.get(answer.headers["Content-Type"].split(";")[0], "S3"))

# %% [markdown]
# The function, S3, and the API itself: no route fits `/cart`, so it says `Not Found` without asking anybody. (On AWS the second line is a 404 as well, since there the pages
# link to S3 directly.)
#
# Here is the shop. The page needs its function: it shows nothing once the AWS behind it is gone. Below it is what a browser made of it. Click on a tea, or
# open the address in a tab of its own.

# %%
print(api_url)
IFrame(f"{api_url}/?visitor=Ada", width="100%", height=340)

# %% [markdown]
# ![The page in Chromium: a green heading "Tea for you" beside a cup, and four links to teas](images/rendering-pages-browser.png)
#
# ## What the function is told, and what it may answer
#
# Both ways in send an event of the same kind, *payload format 2.0*. How much the same? This function returns the event itself:

# %% answers
answers = workshop.name("render-page-answers")
answers_arn = deploy(workshop, answers, "render-page-answers/python")["FunctionArn"]
answers_url = open_to_everybody(answers)
route(
    to_lambda | {"IntegrationUri": answers_arn},
    "GET /event/{id}",
    "GET /visits",
    "GET /zipped",
)
permit(
    answers,
    api["ApiId"],
    Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com",
    SourceArn=f"arn:aws:execute-api:{region}:{account}:{api['ApiId']}/*",
)
wait_for(f"{api_url}/event/7")

# %%
path = "/event/7?milk=no&milk=please"
compared = compare_events(
    http.get(answers_url + path).json(), http.get(api_url + path).json()
)
different = compared[compared["mark"] != "same"].drop(columns="mark")
different = different.rename(
    columns={"sample": "function URL", "delivered": "HTTP API"}
)
different[
    ~different["path"].str.contains(
        "trace|[tT]ime|requestId|domain|host|apiId|accountId"
    )
]

# %% [markdown]
# Besides addresses, ids and times (left out here) little differs. The HTTP API says which route matched (`routeKey`), and what stood in the place of `{id}` (`pathParameters`);
# a function URL always says `$default`. So one handler can serve both, if it looks at `rawPath`. That is what ours does.
#
# The answer is a dict as well. This is the rest of that function:

# %%
print((function_folder("render-page-answers") / "python/app.py").read_text())

# %% [markdown]
# `cookies` is a list of its own, as headers are a dict and a dict holds each name once. Environments come and go, so the number of visits is kept by the browser:

# %%
for _ in range(3):
    print(http.get(f"{api_url}/visits").text)

# %% [markdown]
# (`requests` sends the cookie back, as a browser does. Run the cell again, and it goes on counting.)
#
# Bytes, such as a picture, a PDF or a compressed page, need base64 and `isBase64Encoded`. Compare what was sent with what the page is:

# %%
answer = http.get(f"{api_url}/zipped")
sent = int(answer.headers["Content-Length"])
print(
    f"{answer.headers['Content-Encoding']}: {sent:,} bytes came over the network, {len(answer.content):,} bytes make the page"
)

# %% [markdown]
# Three things to know about answers:
#
# - A dict **without** `statusCode` is taken for the body, as JSON, with status 200 (`/event/7` above). A page that comes as `application/json`, and so as source
#   code in the browser, has lost its `Content-Type`.
# - `Cache-Control` decides who may keep a copy. `no-store` is for pages made for one visitor; `max-age=3600` is for what is the same for all, for an hour. The fastest page is
#   one that nobody renders.
# - An answer has {{payload}} at most, base64 included. A function URL can also *stream* an answer (`InvokeMode="RESPONSE_STREAM"`), so that the browser sees
#   the beginning before the end is made. We only name it.
#
# AWS's own answer to server-side rendering is younger: a [Lambda Web Function]({{web_functions.source}}) (read on {{web_functions.checked}}) is a web server in Node.js, Express or React
# Router for example, that runs on Lambda as it is, without events, and serves up to {{web_function_concurrency}} requests in one environment. The embedded AWS does not have it; what you
# measure below is the way of the slide, where a page that waits keeps its environment to itself.
#
# ## What do visitors wait?
#
# Now many visitors at once. They care for one thing, how long they wait; so here the **client's clock** is the subject, for both sides alike (`elapsed`: from
# sending a request to the headers of its answer). Each caller asks again as soon as it has its answer.


# %% ask
def ask(url):
    answer = http.get(url)
    return {
        "wait_ms": answer.elapsed.total_seconds() * 1000,
        "status": answer.status_code,
        "request_id": answer.headers.get("X-Request-Id", ""),
    }


def ask_at_once(url, callers):
    """So many callers ask, three times each, but 10 requests at least; one row for each request."""
    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as threads:
        rows = list(threads.map(lambda _: ask(url), range(max(10, 3 * callers))))
    return pd.DataFrame(rows).assign(
        callers=callers, per_second=len(rows) / (time.perf_counter() - began)
    )


# %% [markdown]
# One slow answer in twenty annoys one visitor in twenty, and a mean hides it. So we use **percentiles**: p50, the median, is what half of them wait at most; p95 is what 95% wait at most.

# %%
COLORS = [
    BLUE,
    ORANGE,
    GREEN,
    PINK,
    SKY,
    RED,
]  # for Lambda, and each server that you try
LOOKS = list(zip(COLORS, "os^vPX", strict=True))


def finding(p50):
    callers = p50.index.get_level_values("callers").max()
    waits = [
        f"{side} {wait / 1000:.1f} s"
        for side, wait in p50.xs(callers, level="callers").items()
    ]
    return textwrap.fill(f"Median wait of {callers} callers: {', '.join(waits)}", 78)


def draw_waits(measured):
    waits = pd.concat(measured.values()).groupby(["side", "callers"], sort=False)[
        "wait_ms"
    ]
    figure, ax = plt.subplots(figsize=(10, 4.8))
    for side, (color, marker) in zip(measured, cycle(LOOKS)):
        for share, line in ((0.5, "-"), (0.95, ":")):
            values = waits.quantile(share).xs(side)
            look = {
                "linestyle": line,
                "marker": marker,
                "markersize": 9,
                "color": color,
                "linewidth": 2.5,
            }
            ax.plot(
                [str(callers) for callers in values.index],
                values,
                **look,
                label=f"{side}, p{100 * share:.0f}",
            )
    return finish(ax, finding(waits.quantile(0.5)))


# %%
from matplotlib.ticker import LogLocator


def finish(ax, title):
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_minor_formatter("")
    ax.set_title(title)
    ax.set_xlabel("callers at once")
    ax.set_ylabel("wait by the client's clock, ms")
    ax.grid(axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    plt.close(ax.figure)  # shown by display() alone
    return ax.figure


# %% [markdown]
# One caller, then 5, 20 and 40, as far as this account's limit of concurrency allows. The picture grows as the answers come.
#
# **Predict:** how many times as long as a single caller does the median one of 40 wait for Lambda?

# %%
predict("13.c")

# %% [markdown]
# **Predict:** with how many callers will p95 be farthest above p50?

# %%
predict("13.d", choices=["1", "5", "20", "40"])

# %%
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
levels = [callers for callers in (1, 5, 20, 40) if callers <= limit]
measured = {}


def load(side, url):
    """Ask with more and more callers, and update the picture after each step."""
    shown = display(display_id=True)
    steps = []
    for callers in levels:
        steps.append(ask_at_once(url, callers).assign(side=side))
        measured[side] = pd.concat(steps)
        shown.update(draw_waits(measured))


# %%
deploy_page(**links)
began = datetime.now(UTC)
load("Lambda", f"{api_url}/item/1")

# %%
by_callers = measured["Lambda"].groupby("callers")["wait_ms"]
p50, p95 = by_callers.quantile(0.5), by_callers.quantile(0.95)
predicted("13.c", f"{p50.iloc[-1] / p50.iloc[0]:.1f} times as long")
factor = p95 / p50
predicted("13.d", f"{factor.idxmax()}, where it is {factor.max():.1f} times p50")

# %% [markdown]
# p50 rises little: more callers, more environments. (On a busy machine it wavers.) p95 is another matter. Each request knows its id in the log (the handler sends it along, as `X-Request-Id`),
# so we can put the REPORT line beside it, and see which ones met a **cold start**.

# %%
log = reports(logs, name, at_least=len(measured["Lambda"]), since=began)
joined = measured["Lambda"].merge(
    log[["request_id", "init_ms", "duration_ms", "billed_ms"]], on="request_id"
)
joined["kind"] = np.where(joined["init_ms"].notna(), "cold", "warm")
joined.groupby(["callers", "kind"])[
    ["wait_ms", "init_ms", "duration_ms"]
].median().round().join(joined.groupby(["callers", "kind"]).size().rename("requests"))

# %%
times = joined.groupby("kind")["wait_ms"].median()
figure, ax = plt.subplots(figsize=(10, 4.4))
for kind, color, marker, shift in (
    ("cold", RED, "D", 0.17),
    ("warm", BLUE, "o", -0.17),
):
    rows = joined[joined["kind"] == kind]
    spread = np.linspace(-0.12, 0.12, len(rows)) + shift
    place = rows["callers"].map(levels.index) + spread
    ax.scatter(
        place, rows["wait_ms"], s=45, color=color, marker=marker, label=kind, alpha=0.8
    )
ax.set_xticks(range(len(levels)), [str(callers) for callers in levels])
cold = (joined["kind"] == "cold").sum()
display(
    finish(
        ax,
        f"{cold} of {len(joined)} requests met a cold start, and waited {times['cold'] / times['warm']:.1f} times as long",
    )
)

# %% [markdown]
# Whenever more callers come than ever before, some of them pay with a cold start: that is Lambda's p95 here. In the table, a warm request waits little longer
# than its `duration_ms`; what lies between is the way there and back. A cold one waits for `init_ms` as well. On AWS add the internet to both.
#
# Here all environments share this machine's cores, so with 40 callers the warm ones get in each other's way, too. On AWS each has a share of its own, and the lines stay flat until the
# account's limit of concurrency.
#
# ## The same load against a server
#
# This program takes the place of one EC2 machine. It renders **the same pages with the same code**, `page.py`, and waits the same tenth of a second for its data. A worker serves one request
# at a time; who comes meanwhile waits in line.

# %%
print((function_folder("render-page") / "server/server.py").read_text())

# %% server
PAGES = function_folder("render-page")


def start_server(workers, **variables):
    """Start the server on this machine; return its process and its address, which is the line that it prints."""
    process = subprocess.Popen(
        [sys.executable, str(PAGES / "server/server.py"), str(workers)],
        env=os.environ | {"PYTHONPATH": str(PAGES / "python")} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


# %%
def load_server(side, workers):
    process, server_url = start_server(workers)
    try:
        load(side, f"{server_url}/item/1")
    finally:
        process.terminate()
        process.communicate()


# %% [markdown]
# **Predict:** one page takes a tenth of a second. What does the median caller wait when 40 of them ask one worker?

# %%
predict("13.e")

# %%
load_server("1 worker", 1)

# %%
in_line = measured["1 worker"].groupby("callers")["wait_ms"].median()
predicted("13.e", f"{in_line.iloc[-1] / 1000:.1f} s")

# %% [markdown]
# In line behind 39 others: about 40 times as long. Nothing is broken, nothing is even busy. The worker waits for its data, and everybody else waits for the worker.
#
# That was **unfair**: no real server has a single worker. It has several processes or threads, or an event loop that serves others while a page waits. Choose how many, and run the cell. Which number brings the server
# down to Lambda's line?

# %%
workers = 4  # try 2, 8, 40
load_server(f"{workers} workers", workers)

# %% [markdown]
# With enough workers the server is as quick as Lambda, and its first answer is never cold. Threads that wait cost next to nothing. But *you* choose the number beforehand, for the busiest hour. Too
# few, and visitors wait in line. Too many, and memory or the database's connections run out; and as soon as pages compute instead of waiting, a machine with two cores
# does two at a time, whatever the number of workers. Then you need more machines, and a load balancer in front of them.
#
# This is what the slide means by "more scalable than a web server on EC2": not faster, but nobody has to know the number.

# %%
table = pd.concat(measured.values()).groupby(["side", "callers"], sort=False)
waits = (
    table["wait_ms"]
    .quantile([0.5, 0.95])
    .unstack()
    .round()
    .rename(columns={0.5: "p50 ms", 0.95: "p95 ms"})
)
waits.join(table["per_second"].first().round(1).rename("pages per second"))

# %% [markdown]
# Look at the last column: one worker never gets beyond one page in a tenth of a second, however many ask.
#
# ## Exercise 1: how much can a server take?
#
# When requests come faster than a server can serve them, the line grows without end. So the first number to know is its **capacity**: how many pages a second it can serve at
# most. You need no load test for it, only what one page takes when nobody else is there.
#
# Write `capacity`: given a table like the ones above, with the columns `callers` and `wait_ms`, it takes the *median* wait of the requests with **one caller**, and returns how many pages *per second* a
# server with `workers` workers can serve at most, as a number that is not rounded.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which checks it. `hint("13.1")` in a cell of its own helps.


# %% capacity
def capacity(frame, workers):
    # solution: Keep the rows with one caller; in a second, each worker serves 1000 ms / median of them.
    alone = frame[frame["callers"] == 1]
    return workers * 1000 / alone["wait_ms"].median()


# %%
# check
check("13.1", capacity)

busiest = {
    side: frame["per_second"].max()
    for side, frame in measured.items()
    if side != "Lambda"
}
sums = {side: capacity(measured["1 worker"], int(side.split()[0])) for side in busiest}
pd.DataFrame({"your sum": sums, "measured, at the most": busiest}).round(1)

# %% [markdown]
# The sum and the measurement agree, though the sum knows nothing but ten requests of a single caller. (They differ a little: ten requests are few, and the last callers of each step leave workers idle.)
#
# How far should one go? Not to the capacity. Requests come by chance, so the line is long before 100% of it: with one worker that is busy 80% of the time, a visitor waits in line for the time of two pages on average, and at 95% of nearly ten
# (queueing theory calls it M/D/1). That is why servers are planned, and paid, with room to spare. And Lambda's capacity? The limit of concurrency takes the place of the workers:

# %%
lambda_alone = measured["Lambda"][measured["Lambda"]["callers"] == 1][
    "wait_ms"
].median()
print(
    f"{limit:,} environments, {lambda_alone:.0f} ms each: {limit * 1000 / lambda_alone:,.0f} pages per second"
)

# %% [markdown]
# (As far as the limit goes. On AWS a function reaches it in steps, see notebook 02, and this machine has long run out of cores.)
#
# ## Break it
#
# `page.py` has a trap: with `CRASH_AT`, the page with this number ends the whole *process*, as it would when memory runs out. We ask for this page once, and for nine others at the same time.
#
# **Predict:** how many of the ten get their page from Lambda?

# %%
predict("13.f")

# %% [markdown]
# **Predict:** and from the server?

# %%
predict("13.g")


# %% outcomes
def outcomes(base):
    """What becomes of ten requests that come together: a status, or no answer at all."""

    def outcome(path):
        try:
            return str(http.get(base + path).status_code)
        except requests.RequestException:
            return "no answer"

    with ThreadPoolExecutor(10) as threads:
        return pd.Series(
            list(threads.map(outcome, ["/item/3"] + 9 * ["/item/1"]))
        ).value_counts()


# %%
deploy_page(**links, CRASH_AT="3")
began = datetime.now(UTC)
on_lambda = outcomes(api_url)
process, server_url = start_server(4, CRASH_AT="3")
on_server = outcomes(server_url)
print("the server ended with exit code", process.wait())
process.communicate()
pd.DataFrame({"Lambda": on_lambda, "server, 4 workers": on_server}).fillna(0).astype(
    int
)

# %%
predicted("13.f", f"{on_lambda.get('200', 0)} from Lambda")
predicted("13.g", f"{on_server.get('200', 0)} from the server")

# %% [markdown]
# An environment serves one request at a time, so a crash costs **one request**. The workers of a server share a process: the crash took everybody with it who had no answer yet.
# (Servers with several processes lose fewer.) And nothing more comes, unless somebody has seen to it that the server is started again.

# %%
log = reports(logs, name, at_least=10, since=began)
print(http.get(f"{api_url}/item/1").status_code, "from Lambda, afterwards")
log[log["status"] != "success"][["status", "error_type", "duration_ms"]]

# %% [markdown]
# What the visitor of page 3 got is a plain `500` with "Internal Server Error", from the API. The reason is in the log alone, where it belongs. And nobody tried again: for a synchronous call
# Lambda leaves that to the caller.
#
# We fix it by leaving the variable out.

# %%
deploy_page(**links)
http.get(f"{api_url}/item/3").status_code

# %% [markdown]
# ## Exercise 2: a careless page
#
# Somebody wrote this handler in a hurry:

# %% careless-source
careless_source = """
TEAS = {"1": "Sencha", "2": "Hojicha"}


def handler(event, context):
    visitor = event.get("queryStringParameters", {}).get("visitor", "you")
    tea = TEAS[event["rawPath"].removeprefix("/item/")]
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/html; charset=utf-8"},
        "body": f"<h1>{tea}</h1><p>Chosen for {visitor}.</p>",
    }
"""

# %% corner
corner = workshop.name("corner-page")
deploy(workshop, corner, {"app.py": careless_source})
corner_url = open_to_everybody(corner)

# %%
for path in (
    "/item/2",
    "/item/9",
    "/products/2",
    "/item/1?visitor=<script>alert('mine now')</script>",
):
    answer = http.get(corner_url + path)
    print(answer.status_code, path, "→", answer.text[:75] if answer.ok else "")

# %% [markdown]
# Three things are wrong:
#
# 1. An item that does not exist is an *error of the function* (502), alarms included. It should be a **404** with a page of its own.
# 2. The shop once had its pages at `/products/2`, and other sites still link there. They should be sent on, with a **302** and the header `Location: /item/2`.
# 3. The visitor's name becomes part of the page as it is, a script included. Whoever follows a link that somebody else has made up runs that person's script in *your* page, with the visitor's
#    cookies at hand. That is **cross-site scripting** (XSS). Names must be **escaped**.
#
# Write `careful_source`, which does all three. What worked before has to work still.

# %% careful-source
# solution: Put your version, as text in triple quotes like careless_source, into careful_source = ...
careful_source = """
import html

TEAS = {"1": "Sencha", "2": "Hojicha"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


def handler(event, context):
    folder, _, number = event["rawPath"].strip("/").partition("/")
    if folder == "products":
        return {"statusCode": 302, "headers": {"Location": f"/item/{number}"}}
    if folder != "item" or number not in TEAS:
        return {"statusCode": 404, "headers": HTML, "body": "<h1>No such page</h1>"}
    visitor = html.escape(event.get("queryStringParameters", {}).get("visitor", "you"))
    return {"statusCode": 200, "headers": HTML, "body": f"<h1>{TEAS[number]}</h1><p>Chosen for {visitor}.</p>"}
"""

# %%
# check
deploy(workshop, corner, {"app.py": careful_source})
check("13.2")

for path in (
    "/item/2",
    "/item/9",
    "/products/2",
    "/item/1?visitor=<script>alert('mine now')</script>",
):
    answer = http.get(corner_url + path, allow_redirects=False)
    print(
        answer.status_code,
        path,
        "→",
        answer.headers.get("Location") or answer.text[:85],
    )

# %% [markdown]
# ## What it costs
#
# A page is a request and its `billed_ms`, cold starts included (the load above had many, so the sum is on the high side). A function URL costs nothing more. An HTTP API costs 1.00 USD per million requests in N. Virginia, the
# first 300 million of a month (source: AWS's whitepaper "Best Practices for Designing Amazon API Gateway Private APIs", table "REST and HTTP API pricing"). Left out: the traffic, which costs the
# same on EC2, the database, and the free tier.

# %%
prices = load_prices("us-east-1")  # list prices of November 2026, N. Virginia
page_seconds = joined["billed_ms"].mean() / 1000
per_page = (
    prices["lambda"]["request"]
    + page_seconds * 512 / 1024 * prices["lambda"]["gb_second"]["x86_64"]
)
pages = pd.Series([10_000, 1_000_000, 10_000_000, 100_000_000], name="pages a month")
bill = pd.DataFrame(
    {"function URL": pages * per_page, "HTTP API": pages * (per_page + 1.00 / 1e6)}
)
bill["two t3.small"] = 2 * 730 * prices["ec2_hour"]["t3.small"]
bill.set_index(pages.map("{:,}".format)).round(2)

# %% [markdown]
# In USD a month. Two machines, since one that is alone is down whenever it is being updated; a load balancer comes on top.
#
# Small and uneven traffic costs next to nothing on Lambda. Large and steady traffic is where machines win, as notebook 05 has worked out. (100 million a month are 38 pages a second on average. With enough
# workers, two small machines bear that, if a page does little but wait.) Most of what you pay Lambda for here *is* waiting; on a server, a thread that waits costs nothing. Two things help on Lambda. Fetch data in parallel, so that pages wait less; and let a cache such as CloudFront answer what is the same for all.
#
# ## What you have learned
#
# - A function URL is an address for one function. An HTTP API has routes, to functions and elsewhere. Both send events of format 2.0.
# - An answer has a status, headers, cookies and a body; bytes go in base64. What is static belongs into S3, with CloudFront in front on AWS.
# - A server with W workers serves W pages at a time, and the rest wait in line: its p50 rises with the number of callers. Lambda adds environments: its p50 stays, and its p95 has the cold starts.
# - Enough workers are as good. Somebody has to know how many, and pays for them at night, too.
# - A crash costs one request on Lambda, and everybody's on a server.
# - Escape what comes from outside; 404 and 302 are answers, and not errors.
#
# **Next:** notebook 14, *Event-driven PDF*: work in which nobody waits for the answer. `python3 -m helpers clean` removes what this notebook made, its public addresses included.
