# %% [markdown]
# # 13 Rendering pages
#
# After this notebook you will be able to
#
# - render web pages in a function, give it an address by a function URL and by an HTTP API, and say when you need which;
# - answer a browser properly: status, headers, cookies, bytes, and text from outside that does no harm;
# - route pages to Lambda, and static files to S3;
# - measure how long visitors wait, by percentile, when more and more of them come, for Lambda and for a server;
# - send a page in pieces, and measure when its first byte comes;
# - say what such pages cost, and how many a server can serve.
#
# It takes about 50 minutes. Slides: "Example 3: SSR on Lambda" (「例3: SSR on Lambda」, page 28), in the part "Architectures".
#
# ![A browser asks an HTTP API, which routes pages to a Lambda function and static files to an S3 bucket; a function URL leads to the function without routes](lessons/13-rendering-pages/picture.svg)
#
# **Server-side rendering** (SSR) means that the HTML of a page is made anew for each request, from a template and data. What is the same for
# all visitors (style sheets, pictures, scripts) is **static**: files that only have to be sent. The picture shows both. On AWS this notebook
# costs less than a cent.

# %% notes [markdown]
# Minutes: 1
#
# Say: The third example of the deck says "more scalable than a web server on EC2". That is a claim, so you measure
# it: with Lambda, and with a server that runs the same code. Ask who believes it.
#
# Goes wrong: It is a long one. In an hour take the first four sections and *How long do visitors wait?*; streaming
# and *Break it* are for a second session.

# %% imports
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

# %%
import pandas as pd
import requests
from botocore.config import Config
from helpers import (
    compare_events,
    connect,
    deploy,
    load_event,
    load_prices,
    reports,
    wait_until,
)
from helpers.lessons import function_folder
from IPython.display import IFrame, display

# %% connect
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, gateway = workshop.client("s3"), workshop.client("apigatewayv2")
workshop

# %%
from helpers import check, claim, fact, hint, predict, predicted, solution, track

# %% [markdown]
# This notebook also plays the browser, with the library `requests`. It keeps up to 50 connections open, and asks no proxy for addresses of
# this machine.

# %% http
http = requests.Session()
http.trust_env = workshop.endpoint is None
for scheme in ("http://", "https://"):
    http.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=50))

# %% [markdown]
# ## The function
#
# It has two files. `page.py` makes the HTML, and knows nothing of Lambda:

# %% notes [markdown]
# Minutes: 3
#
# Say: Two files: one that knows HTML, and one that knows HTTP. That is what lets the server use the same page later.
# Point at `html.escape`; you come back to it twice.

# %%
print((function_folder("render-page") / "python/page.py").read_text())

# %% [markdown]
# `look_up` waits for a tenth of a second, in place of the database that a real page would ask: most of the time that a page takes is waiting.
# And note `html.escape`: whatever comes from outside goes through it before it becomes part of a page. You will see why.
#
# `app.py` translates between HTTP and these functions:

# %%
print((function_folder("render-page") / "python/app.py").read_text())

# %% [markdown]
# `RUN` has a new value each time, so that no environment of an earlier run is used again.

# %% page
name = workshop.name("render-page")
size = {"MemorySize": 512, "Timeout": 10}


def deploy_page(**variables):
    variables["RUN"] = str(time.time())
    environment = {"Environment": {"Variables": variables}}
    return deploy(workshop, name, "render-page/python", **size, **environment)


function_arn = deploy_page()["FunctionArn"]

# %% [markdown]
# A request reaches it as an event, so you can try it without any web. A sample is in `events/function-url.json`.

# %%
event = load_event("function-url", rawPath="/item/1")
response = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
answer = json.loads(response["Payload"].read())
answer["statusCode"], answer["headers"]

# %% [markdown]
# ## An address: the function URL
#
# A **function URL** is an address for one function: each request to it becomes an event. `AuthType="NONE"` means that everybody may use it.
# (For your own programs take `"AWS_IAM"`: then each request must be signed, as boto3's are. CloudFront can sign, too, and then the address behind it is closed
# to everybody else.)

# %% notes [markdown]
# Minutes: 6
#
# Say: An address, and nobody may use it, not even you. Add one permission, and it is still closed. This is the moment
# to say that "no signature needed" and "everybody may" are two things. Before the second permission, ask who will
# come.
#
# Goes wrong: It says 200 at once: the permissions are left from an earlier run. On AWS a new address needs some
# seconds.
#
# Answer 13.a: They are escaped, as `&lt;` and `&gt;`. The browser shows the name as text, and does not obey it.


# %% create-url
def url_of(function_name):
    """Give the function an address, or find the one that it has."""
    function = {"FunctionName": function_name}
    try:
        made = lambda_client.create_function_url_config(**function, AuthType="NONE")
    except lambda_client.exceptions.ResourceConflictException:
        made = lambda_client.get_function_url_config(**function)
    return made["FunctionUrl"].rstrip("/")


# %% [markdown]
# The function has its address now. Ask it:

# %% no-permission
function_url = url_of(name)
refused = http.get(function_url)
print(refused.status_code, refused.text)

# %% [markdown]
# **403**: the address is there, and nobody may use it, not even you. `AuthType="NONE"` only says that requests need no signature. (If it
# says 200, the permissions are left from an earlier run.)
#
# The function must also *permit* everybody to call it, by two statements in its resource-based policy: to use the URL, and to invoke the
# function through it. (The second is needed since {{url_permissions}}: [AWS's guide]({{url_permissions.source}}).)

# %% permit
use = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
invoke = {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}


def permit(function_name, statement, **permission):
    """Add a permission to a function, unless it is there already."""
    function = {"FunctionName": function_name, "StatementId": statement}
    with suppress(lambda_client.exceptions.ResourceConflictException):
        lambda_client.add_permission(**function, **permission)


# %% [markdown]
# Add the first, and ask again:

# %% one-permission
permit(name, "use-url", Principal="*", **use)
http.get(function_url).status_code

# %% [markdown]
# Still 403: it takes both. Before you add the second, think of who will come.
#
# Anyone can call such an address far too often, and you pay. **Reserved concurrency** is a cap: at most so many calls run at the same time,
# and the address answers 429 to the rest. (An AWS account whose limit is {{concurrency_new_account}} cannot reserve any.)


# %% cap
def cap(function_name, most):
    """Let at most so many calls of the function run at the same time."""
    reserved = {"ReservedConcurrentExecutions": most}
    try:
        lambda_client.put_function_concurrency(FunctionName=function_name, **reserved)
    except lambda_client.exceptions.InvalidParameterValueException:
        print("This account's limit is too low to reserve anything.")


# %% [markdown]
# On AWS, a new address and its permissions need some seconds, so we ask again and again:


# %% wait-for
def wait_for(url, *not_yet):
    """Ask until the answer has none of these statuses."""
    wait_until(lambda: http.get(url).status_code not in not_yet, at_most_s=60)


# %% function-url
def open_to_everybody(function_name, most):
    """Give the function an address and both permissions; return the address."""
    cap(function_name, most)
    url = url_of(function_name)
    permit(function_name, "use-url", Principal="*", **use)
    permit(function_name, "invoke", Principal="*", **invoke)
    wait_for(url, 403)
    return url


function_url = open_to_everybody(name, 50)
print(function_url)

# %% [markdown]
# On AWS it looks like `https://….lambda-url.us-east-1.on.aws`; the address of the embedded AWS works on this machine alone. Open it in a
# browser. A section near the end closes it.
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
# `&lt;b&gt;`: the browser shows `<b>Ada</b>` as text, and does not obey it.
#
# The page needs a style sheet and a logo, at `/static/…`. What does the function say to that?

# %%
missing = http.get(f"{function_url}/static/site.css")
print(missing.status_code, missing.headers["Content-Type"])

# %% [markdown]
# A function URL has **no routes**: each path goes to the same function, and this one has no such page. It could send files as well. But then
# you pay an invocation, perhaps a cold start, for each picture, and S3 does it better.
#
# ## Static files in S3
#
# In us-east-1, and only there, a new bucket must not name its region.

# %% notes [markdown]
# Minutes: 2
#
# Say: A picture from a function costs an invocation. Ask what a shop with fifty pictures on a page would pay for one
# visitor.
#
# Goes wrong: The style sheet has no effect: its `ContentType` is missing. That is a classic.

# %% bucket
bucket = workshop.bucket("web-static")
place = {"LocationConstraint": workshop.region}
options = {} if workshop.region == "us-east-1" else {"CreateBucketConfiguration": place}
with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
    s3.create_bucket(Bucket=bucket, **options)

# %% [markdown]
# S3 sends each object with the headers that it was stored with. Without the right `ContentType`, a browser does not take the file for a style
# sheet. `CacheControl` says how long the browser may use it without asking again: here an hour.

# %% static-files
kinds = {"site.css": "text/css", "logo.svg": "image/svg+xml"}
for file, kind in kinds.items():
    body = (function_folder("render-page") / "static" / file).read_bytes()
    headers = {"ContentType": kind, "CacheControl": "max-age=3600"}
    s3.put_object(Bucket=bucket, Key=f"static/{file}", Body=body, **headers)

# %% [markdown]
# ## Routing in front: an HTTP API
#
# An **HTTP API** of API Gateway has **routes**: method and path, and where such requests go, its **integration**. It waits for a function for **{{http_api_timeout}}**
# at most, whatever its `Timeout` is. Then the visitor gets status 503, and the function runs on and is billed. A function URL waits as long as `Timeout` says. The
# folded cell deletes the API of an earlier run.

# %% notes [markdown]
# Minutes: 6
#
# Say: Three requests, three who answer. Let the room guess the third. On AWS the bucket stays closed and CloudFront
# goes in front; say it, so that nobody opens a bucket at work tomorrow.
#
# Goes wrong: The frame with the shop is empty in a solution or after *Close what is public*: its function is gone. In
# a room with a shared server the address works on that machine alone.
#
# Answer 13.b: The API itself. No route fits `/cart`, so nobody is asked.

# %% delete-old-api folded
api_name = workshop.name("tea-shop")
for found in gateway.get_paginator("get_apis").paginate():
    for old in found["Items"]:
        ours = old.get("Tags", {}).get("workshop") == "lambda"
        if old["Name"] == api_name and ours:
            gateway.delete_api(ApiId=old["ApiId"])

# %% api
api = gateway.create_api(Name=api_name, ProtocolType="HTTP")
api_id, api_url = api["ApiId"], api["ApiEndpoint"]
_ = gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)


# %% route
def route(integration, *keys):
    """Send requests that match one of the keys to an integration."""
    made = gateway.create_integration(ApiId=api_id, **integration)
    target = f"integrations/{made['IntegrationId']}"
    for key in keys:
        gateway.create_route(ApiId=api_id, RouteKey=key, Target=target)


# %% [markdown]
# Two routes lead to the function. `{id}` matches one part of a path.

# %% pages-route
to_lambda = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
route(to_lambda | {"IntegrationUri": function_arn}, "GET /", "GET /item/{id}")

# %% [markdown]
# The API needs a permission, too. It is for this one API.

# %% permit-api
region, account = function_arn.split(":")[3:5]
this_api = f"arn:{workshop.partition}:execute-api:{region}:{account}:{api_id}/*"
from_api = {"Principal": "apigateway.amazonaws.com", "SourceArn": this_api}
permit(name, api_id, Action="lambda:InvokeFunction", **from_api)

# %% [markdown]
# And one route leads to the bucket. `{file+}` matches all that follows; the request goes on to S3 with another path, that of the object.

# %% static-route
if workshop.is_embedded:
    path = f"/{bucket}/static/${{request.path.file}}"
    to_s3 = {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET"}
    to_s3 |= {"IntegrationUri": s3.meta.endpoint_url, "PayloadFormatVersion": "1.0"}
    to_s3 |= {"RequestParameters": {"overwrite:path": path}}
    route(to_s3, "GET /static/{file+}")

# %% [markdown]
# S3 asks for a permission as well. Such a request has no signature, so for S3 it is anybody's, and **a bucket is private**: a new one even refuses
# policies that open it (*Block Public Access*). Take this block away, and a *bucket policy* can let everybody read what begins with `static/`, and
# nothing else. (`s3:GetObject` is a right on objects, so the resource ends in `/*`.)

# %% public-read
if workshop.is_embedded:
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    public["Resource"] = f"arn:{workshop.partition}:s3:::{bucket}/static/*"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [public]})
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)

# %% [markdown]
# Route and policy are for the embedded AWS alone, which only this machine can reach. **On AWS leave the block as it is.** There, the pages get
# *presigned URLs*: addresses of S3 with a signature, here good for 15 minutes (then run the cells again), on the host of the bucket's own region.

# %% signer
host = {"addressing_style": "path" if workshop.endpoint else "virtual"}
host |= {"us_east_1_regional_endpoint": "regional"}
signer = workshop.client("s3", Config(signature_version="s3v4", s3=host))


def presigned(key, seconds=15 * 60):
    target = {"Bucket": bucket, "Key": key}
    return signer.generate_presigned_url("get_object", target, ExpiresIn=seconds)


# %% links
links = {"STYLE": "/static/site.css", "LOGO": "/static/logo.svg"}
if not workshop.is_embedded:
    links = {variable: presigned(path[1:]) for variable, path in links.items()}
deploy_page(**links)
wait_for(api_url, 404, 500)

# %% [markdown]
# In production you would take **CloudFront**, AWS's cache near the visitors. It routes by path, and may read the private bucket (*origin
# access control*). What is in its cache reaches neither Lambda nor S3.
#
# Three requests: for a page, for a file, and for `/cart`, which does not exist.
#
# **Predict:** who answers the last one?

# %%
predict("13.b", choices=["the function", "S3", "the API itself"])

# %%
for path in ("/item/2", "/static/site.css", "/cart"):
    answer = http.get(api_url + path)
    kind = answer.headers["Content-Type"]
    print(f"{answer.status_code} {kind:25} {path:17} {answer.text[:30]!r}")

# %%
who = {"text/html": "the function", "application/json": "the API itself"}
predicted("13.b", who.get(kind.split(";")[0], "S3"))

# %% [markdown]
# The function, S3, and the API itself: no route fits `/cart`, so the API says `Not Found` without asking anybody. (On AWS the second line is
# a 404 as well, since there the pages link to S3 directly.)
#
# Here is the shop. (Once its function is gone, it shows nothing; the picture below is what a browser showed.) Click on a tea.

# %%
print(api_url)
IFrame(f"{api_url}/?visitor=Ada", width="100%", height=340)

# %% [markdown]
# ![The page in Chromium: a green heading "Tea for you" beside a cup, and four links to teas](images/rendering-pages-browser.png)
#
# ## What the function is told, and what it may answer
#
# Both ways send an event of the same kind, *payload format 2.0*. How much the same? This function returns the event itself:

# %% notes [markdown]
# Minutes: 3
#
# Say: Compare the two events, and look for what only one of them has. Then the three things to know about answers;
# the second one, who may keep a copy, is the one that goes wrong in production.
#
# Skip: Run the cells, as the last section closes their address, and speak about the three things alone.

# %% answers
answers = workshop.name("render-page-answers")
answers_arn = deploy(workshop, answers, "render-page-answers/python")["FunctionArn"]
answers_url = open_to_everybody(answers, 10)

# %% answers-routes
paths = ("GET /event/{id}", "GET /visits", "GET /zipped")
route(to_lambda | {"IntegrationUri": answers_arn}, *paths)
permit(answers, api_id, Action="lambda:InvokeFunction", **from_api)
wait_for(f"{api_url}/event/7", 404, 500)

# %%
path = "/event/7?milk=no&milk=please"
by_url, by_api = (http.get(url + path).json() for url in (answers_url, api_url))
compared = compare_events(by_url, by_api)

# %% [markdown]
# The folded cell shows what is different, without addresses, ids and times.

# %% show-different folded
different = compared[compared["mark"] != "same"].drop(columns="mark")
names = {"sample": "function URL", "delivered": "HTTP API"}
expected = "trace|[tT]ime|requestId|domain|host|apiId|accountId"
different[~different["path"].str.contains(expected)].rename(columns=names)

# %% [markdown]
# Little differs. The HTTP API says which route matched (`routeKey`), and what was in the place of `{id}` (`pathParameters`); a function URL
# always says `$default`. So one handler can serve both, if it looks at `rawPath`. This one does.
#
# The answer is a dict as well. Here is the whole of that function:

# %%
print((function_folder("render-page-answers") / "python/app.py").read_text())

# %% [markdown]
# `cookies` is a list of its own: headers are a dict, and a dict holds each name once. Environments come and go, so the browser keeps the
# number of visits:

# %%
for _ in range(3):
    print(http.get(f"{api_url}/visits").text)

# %% [markdown]
# (`requests` sends the cookie back, as a browser does. Run the cell again, and it goes on counting.)
#
# Bytes, such as a picture, a PDF or a compressed page, need base64 and `isBase64Encoded`. Compare what was sent with the page:

# %%
answer = http.get(f"{api_url}/zipped")
sent, whole = int(answer.headers["Content-Length"]), len(answer.content)
print(
    f"{answer.headers['Content-Encoding']}: {sent:,} bytes sent, the page has {whole:,}"
)

# %% [markdown]
# Three things to know about answers:
#
# - A dict **without** `statusCode` becomes the body, as JSON, with status 200 (`/event/7` above). If a browser shows a page as source code,
#   then its `Content-Type` is missing.
# - `Cache-Control` decides who may keep a copy. `no-store` is for pages made for one visitor; `max-age=3600` is for what is the same for all,
#   for an hour.
# - An answer has {{payload}} at most, base64 included. A function URL can also *stream* an answer (`InvokeMode="RESPONSE_STREAM"`): then the
#   browser sees the beginning before the end is made.
#
# AWS's own way to do server-side rendering is newer: a [Lambda Web Function]({{web_functions.source}}) (read on {{web_functions.checked}}) is
# a web server in Node.js, Express or React Router for example, that runs on Lambda as it is, without events. It serves up to
# {{web_function_concurrency}} requests in one environment. The embedded AWS does not have it. What you measure below is the way of the slide:
# a page that waits keeps its environment to itself.
#
# ## How long do visitors wait?
#
# Now many visitors at once. What counts for them is how long they wait. So here you measure with the **client's clock** (`elapsed`: from
# sending a request to the headers of its answer). Each caller asks again as soon as it has its answer.

# %% notes [markdown]
# Minutes: 6
#
# Say: A mean hides the unlucky ones; who has read only averages so far? Guess twice, then let the picture grow. Ask
# where the cold starts are: at the moments at which more come than ever before.
#
# Goes wrong: With 40 callers the laptop is busy, and the warm calls become slower as well. On AWS they do not. If a
# claim is not met, close other programs, and run the measuring cell again.
#
# Answer 13.c: A few times as long, and far less than forty times. Lambda makes environments; what remains is this
# machine, whose cores all of them share.
#
# Answer 13.d: Where the callers become more than ever before, and only some of them meet a cold start: mostly in the
# middle, with 20. With 40 p50 rises, too. This is the guess with the least certain answer; look at the picture.
#
# Skip: The table of cold and warm requests.


# %% ask-once
def ask(url):
    answer = http.get(url)
    request_id = answer.headers.get("X-Request-Id", "")
    wait_ms = answer.elapsed.total_seconds() * 1000
    return {"wait_ms": wait_ms, "status": answer.status_code, "request_id": request_id}


# %% ask
def ask_at_once(url, callers):
    """So many callers ask, three times each, but 10 requests at least."""
    urls, began = max(10, 3 * callers) * [url], time.perf_counter()
    with ThreadPoolExecutor(callers) as threads:
        rows = list(
            track(threads.map(ask, urls), f"Callers: {callers}. Answers", len(urls))
        )
    per_second = len(rows) / (time.perf_counter() - began)
    return pd.DataFrame(rows).assign(callers=callers, per_second=per_second)


# %% [markdown]
# One slow answer in twenty annoys one visitor in twenty, and a mean hides it. So we use **percentiles**: half of the requests wait no longer
# than p50, the median; 95% wait no longer than p95. The folded cell defines the drawing.

# %% draw-waits folded
import matplotlib.pyplot as plt
from helpers.plots import BLUE, GREEN, ORANGE, RED
from matplotlib.ticker import LogLocator

LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^")]  # for Lambda, and two servers


def finish(ax, title):
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_minor_formatter("")
    ax.set(title=title, xlabel="callers at once", ylabel="wait (client's clock), ms")
    ax.grid(axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    plt.close(ax.figure)  # shown by display() alone
    return ax.figure


def draw_waits(measured):
    waits = measured.groupby(["side", "callers"], sort=False)["wait_ms"]
    _, ax = plt.subplots(figsize=(10, 4.4))
    for side, (color, marker) in zip(measured["side"].unique(), LOOKS, strict=False):
        look = {"color": color, "marker": marker, "markersize": 9, "linewidth": 2.5}
        for share, line in ((0.5, "-"), (0.95, ":")):
            values, label = waits.quantile(share)[side], f"{side}, p{100 * share:.0f}"
            ax.plot(values.index.map(str), values, line, label=label, **look)
    most = measured["callers"].max()
    p50 = waits.quantile(0.5).xs(most, level="callers") / 1000
    found = ", ".join(f"{side} {wait:.1f} s" for side, wait in p50.items())
    return finish(ax, f"Median wait of {most} callers: {found}")


# %% [markdown]
# First one caller, then 5, 20 and 40, as far as this account's limit of concurrency allows. The picture grows as the answers come.

# %% load
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
levels = [callers for callers in (1, 5, 20, 40) if callers <= limit]


def load(side, url, *others):
    """Ask with more and more callers; draw each step, beside what others took."""
    shown, steps = display(display_id=True), []
    for callers in levels:
        steps.append(ask_at_once(url, callers).assign(side=side))
        shown.update(draw_waits(pd.concat([*others, *steps])))
    return pd.concat(steps)


# %% [markdown]
# **Predict:** 40 callers ask Lambda at once. Compare their median wait with the wait of a single caller: how many times as long is it?

# %%
predict("13.c")

# %% [markdown]
# **Predict:** with how many callers will p95 be farthest above p50?

# %%
predict("13.d", choices=["1", "5", "20", "40"])

# %%
deploy_page(**links)
load_began = datetime.now(UTC)
lambda_waits = load("Lambda", f"{api_url}/item/1")

# %%
by_callers = lambda_waits.groupby("callers")["wait_ms"]
p50, p95 = by_callers.quantile(0.5), by_callers.quantile(0.95)
rose, factor = p50.iloc[-1] / p50.iloc[0], p95 / p50
predicted("13.c", f"{rose:.1f} times as long")
predicted("13.d", f"{factor.idxmax()}, where it is {factor.max():.1f} times p50")
claim(
    "on Lambda p50 rises far less than the number of callers",
    rose < max(2, levels[-1] / 4),
)

# %% [markdown]
# p50 rises far less than the number of callers: more callers, more environments. p95 is another matter. The handler sends the id of each
# request along, as `X-Request-Id`. So you can put the REPORT line beside the wait, and see which requests met a **cold start**.

# %%
log = reports(logs, name, at_least=len(lambda_waits), since=load_began)
columns = ["request_id", "init_ms", "duration_ms", "billed_ms"]
joined = lambda_waits.merge(log[columns], on="request_id")
joined["kind"] = joined["init_ms"].isna().map({True: "warm", False: "cold"})

# %%
groups = joined.groupby(["callers", "kind"])
table = groups[["wait_ms", "init_ms", "duration_ms"]].median().round()
table.assign(requests=groups.size())

# %% [markdown]
# The folded cell draws each request.

# %% draw-cold folded
times = joined.groupby("kind")["wait_ms"].median().reindex(["cold", "warm"])
_, ax = plt.subplots(figsize=(10, 4.4))
for kind, color, marker, shift in (
    ("cold", RED, "D", 0.17),
    ("warm", BLUE, "o", -0.17),
):
    rows = joined[joined["kind"] == kind]
    spread = [0.24 * place / max(1, len(rows) - 1) - 0.12 for place in range(len(rows))]
    places = rows["callers"].map(levels.index) + spread + shift
    look = {"s": 45, "color": color, "marker": marker, "alpha": 0.8}
    ax.scatter(places, rows["wait_ms"], label=kind, **look)
ax.set_xticks(range(len(levels)), [str(callers) for callers in levels])
cold, ratio = (joined["kind"] == "cold").sum(), times["cold"] / times["warm"]
found = f"{cold} of {len(joined)} requests met a cold start"
display(finish(ax, f"{found}, and waited {ratio:.1f} times as long"))
claim("a cold request waits longer than a warm one", ratio > 1.2)
claim("most requests are warm", cold < len(joined) / 2)

# %% [markdown]
# Whenever more callers come than ever before, some of them wait for a cold start. A cold request waits for `init_ms` as well as for
# `duration_ms`; the rest of each wait is the way there and back. On AWS add the internet to both.
#
# Here all environments share the cores of this machine, so with 40 callers the warm ones slow each other down, too. On AWS each has its own
# share of CPU, and p50 stays flat up to the limit of concurrency.
#
# ## The same load against a server
#
# This program takes the place of one EC2 machine. It renders **the same pages with the same code**, `page.py`, and waits the same tenth of a
# second for its data. A worker serves one request at a time; the others wait in line.

# %% notes [markdown]
# Minutes: 5
#
# Say: One worker is unfair, and somebody will say so. Good. Then ask for the right number, and change it together.
# The point is not "slower", it is "who knows the number, and when".
#
# Answer 13.e: About four seconds: forty times a tenth, one after the other. The worker is not even busy; it waits.

# %%
print((function_folder("render-page") / "server/server.py").read_text())

# %% [markdown]
# The folded cell defines `start_server`, which starts it on this machine, and `load_server`, which also measures it.


# %% server folded
def start_server(workers, **variables):
    """Return the process and its address, which is the line that it prints."""
    pages = function_folder("render-page")
    process = subprocess.Popen(
        [sys.executable, str(pages / "server/server.py"), str(workers)],
        env=os.environ | {"PYTHONPATH": str(pages / "python")} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def load_server(side, workers, *others):
    process, server_url = start_server(workers)
    try:
        return load(side, f"{server_url}/item/1", *others)
    finally:
        process.terminate()
        process.communicate()


# %% [markdown]
# **Predict:** one page takes a tenth of a second. How long does the median caller wait when 40 of them ask one worker?

# %%
predict("13.e")

# %%
one_worker = load_server("1 worker", 1, lambda_waits)

# %%
in_line = one_worker.groupby("callers")["wait_ms"].median() / 1000
predicted("13.e", f"{in_line.iloc[-1]:.1f} s")
longer = in_line.iloc[-1] / in_line.iloc[0] / levels[-1]
claim("40 callers of one worker wait about 40 times as long as one", 0.8 < longer < 1.2)

# %% [markdown]
# In line behind 39 others: about 40 times as long. Nothing is broken, nothing is even busy. The worker waits for its data, and everybody else
# waits for the worker.
#
# That was **unfair**: no real server has a single worker. It has several processes or threads, or serves others while a page waits. Choose
# how many. With which number does the line of the server come down to Lambda's?

# %% more-workers
workers = 4  # try 2, 8, 40
side = f"{workers} workers"
more_workers = load_server(side, workers, lambda_waits, one_worker)

# %% [markdown]
# With enough workers the server is as quick as Lambda, and its first answer is never cold. But *you* choose the number beforehand, for the
# busiest hour. Too few, and visitors wait in line. Too many, and memory or the database's connections run out. And when pages compute instead
# of waiting, a machine with two cores does two at a time. Then you need more machines, and a load balancer in front of them.
#
# This is what the slide means by "more scalable than a web server on EC2": not faster, but you do not need to know the number.

# %%
groups = pd.concat([lambda_waits, one_worker, more_workers]).groupby(
    ["side", "callers"]
)
table = groups["wait_ms"].quantile([0.5, 0.95]).unstack().round()
table.columns = ["p50 ms", "p95 ms"]
table.assign(pages_per_second=groups["per_second"].first().round(1))

# %%
fastest = one_worker["per_second"].max()
claim("one worker serves no more than ten pages a second", fastest < 10.1)
rise = more_workers["per_second"].max() / fastest
claim("more workers serve more pages a second", rise > 1.5)

# %% [markdown]
# Look at the last column: one worker never serves more than ten pages a second, however many callers ask.
#
# ## Exercise 1: how much can a server take?
#
# When requests come faster than a server can serve them, the line grows without end. So the first number to know is its **capacity**: how
# many pages a second it can serve at most. You need no load test for it, only the time of one page when nobody else is there.
#
# Write `capacity`. It gets a table like the ones above, with the columns `callers` and `wait_ms`. It takes the *median* wait of the requests
# with **one caller**, and returns how many pages *per second* a server with `workers` workers can serve at most, as a number that is not
# rounded.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which checks it. `hint("13.1")` in a
# cell of its own helps.

# %% notes [markdown]
# Minutes: 3
#
# Say: You need no load test, only the time of one page when nobody else is there.
#
# Goes wrong: All rows are used, and those of many callers stood in line. The mean, where the median is asked for. Per
# millisecond. Divided by the workers, though more workers serve more.


# %% capacity
def capacity(frame, workers):
    # solution: Take the rows with one caller; a worker serves 1000 ms / their median.
    alone = frame[frame["callers"] == 1]
    return workers * 1000 / alone["wait_ms"].median()


# %%
# check
check("13.1", capacity)

servers = {1: one_worker, workers: more_workers}
measured = {number: frame["per_second"].max() for number, frame in servers.items()}
yours = {number: capacity(one_worker, number) for number in servers}
claim("your number fits the measured one", 0.8 < yours[1] / measured[1] < 1.25)
pd.DataFrame({"yours": yours, "measured": measured}).rename_axis("workers").round(1)

# %% [markdown]
# Your number and the measured one agree, though yours needs only ten requests of a single caller. (They differ a little: the last callers of
# each step leave workers idle.)
#
# Do not use all of the capacity. Requests come by chance, so the line gets long before 100%. With one worker that is busy 80% of the time, a
# visitor waits in line for the time of two pages on average, and at 95% of nearly ten (queueing theory calls it M/D/1).
#
# And Lambda's capacity? The limit of concurrency takes the place of the workers: the 50 reserved, or without them the account's limit.

# %%
alone = lambda_waits[lambda_waits["callers"] == 1]["wait_ms"].median()
for most in (50, limit):
    print(f"{most:,} environments: {most * 1000 / alone:,.0f} pages per second")

# %% [markdown]
# (On AWS a function reaches it in steps, see notebook [02](02-scaling.ipynb). The cores of this machine are all busy long before.)
#
# ## Break it
#
# `page.py` has a trap: with `CRASH_AT`, the page with this number ends the whole *process*, as it would when memory runs out. Ask for this
# page once, and for another page nine times at the same moment.
#
# **Predict:** how many of the ten get their page from Lambda?

# %% notes [markdown]
# Minutes: 4
#
# Say: Somebody's page kills the process. Ask who else suffers. On the server, everybody who was in it; on Lambda,
# nobody. This is the quiet advantage of one call for each environment.
#
# Answer 13.f: Nine. Only the one that killed its environment gets an error.
#
# Answer 13.g: None, or hardly any: all workers are in one process, and it has ended.
#
# Skip: Run the cells, and show only the table.

# %%
predict("13.f")

# %% [markdown]
# **Predict:** and from the server?

# %%
predict("13.g")


# %% outcomes
def outcome(url):
    try:
        return str(http.get(url).status_code)
    except requests.RequestException:
        return "no answer"


def outcomes(base):
    """What becomes of ten requests that come together."""
    urls = [f"{base}/item/3"] + 9 * [f"{base}/item/1"]
    with ThreadPoolExecutor(10) as threads:
        return pd.Series(list(threads.map(outcome, urls))).value_counts()


# %%
deploy_page(**links, CRASH_AT="3")
crash_began = datetime.now(UTC)
on_lambda = outcomes(api_url)

# %%
process, server_url = start_server(4, CRASH_AT="3")
on_server = outcomes(server_url)
process.communicate()
print("the server ended with exit code", process.returncode)

# %%
counts = {"Lambda": on_lambda, "server, 4 workers": on_server}
pd.DataFrame(counts).fillna(0).astype(int)

# %%
served = [counts.get("200", 0) for counts in (on_lambda, on_server)]
predicted("13.f", f"{served[0]} from Lambda")
predicted("13.g", f"{served[1]} from the server")
costs_more = served[0] == 9 > served[1]
claim("a crash costs one request on Lambda, more on a server", costs_more)

# %% [markdown]
# An environment serves one request at a time, so a crash costs **one request**. The workers of this server share a process: after the
# crash nobody who still waited got an answer. (Servers with several processes lose fewer.) And no more answers come until something starts the server
# again.

# %%
log = reports(logs, name, at_least=10, since=crash_began)
print(http.get(f"{api_url}/item/1").status_code, "from Lambda, afterwards")
log[log["status"] != "success"][["status", "error_type", "duration_ms"]]

# %% [markdown]
# The visitor of page 3 got a plain `500` from the API. The reason is in the log alone, where it belongs. And nobody tried again: for a
# synchronous call Lambda leaves that to the caller.
#
# Leave the variable out, and the page is back:

# %%
deploy_page(**links)
http.get(f"{api_url}/item/3").status_code

# %% [markdown]
# ## Exercise 2: a careless page
#
# Somebody wrote this handler in a hurry:

# %% notes [markdown]
# Minutes: 4
#
# Say: Three faults, and one of them is dangerous. Do the script first.
#
# Goes wrong: 301 in place of 302: browsers remember it for good. The page for what does not exist repeats the path,
# and does not escape it. The name is escaped twice. A 404 without a body, or without a content type.

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
corner_url = open_to_everybody(corner, 10)


# %% visit
def visit(url):
    attack = "/item/1?visitor=<script>alert('mine now')</script>"
    for path in ("/item/2", "/item/9", "/products/2", attack):
        answer = http.get(url + path, allow_redirects=False)
        text = answer.headers.get("Location") or answer.text[:75]
        print(answer.status_code, path, "→", text)


# %% [markdown]
# Such a page must not stay on the internet. `close` takes away the address, the permissions and the reservation of a function:


# %% close
def close(function_name):
    function = {"FunctionName": function_name}
    with suppress(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.delete_function_url_config(**function)
    with suppress(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.delete_function_concurrency(**function)
    for statement in ("use-url", "invoke", api_id):
        with suppress(lambda_client.exceptions.ResourceNotFoundException):
            lambda_client.remove_permission(**function, StatementId=statement)


# %%
visit(corner_url)
close(corner)

# %% [markdown]
# Three things are wrong:
#
# 1. An item that does not exist is an *error of the function* (502), and sets off its alarms. It should be a **404** with a page of its own.
# 2. The shop once had its pages at `/products/2`, and other sites still link there. Such a request should be sent on, with a **302** and the
#    header `Location: /item/2`.
# 3. The visitor's name becomes part of the page as it is, a script included. When a visitor follows a link that an attacker made, the
#    attacker's script runs in *your* page, and can use the visitor's cookies. That is **cross-site scripting** (XSS). Names must be
#    **escaped**.
#
# Write `careful_source`, which does all three. What worked before must still work.

# %% careful-source
# solution: Put your version into careful_source, as text in triple quotes.
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
    visitor = event.get("queryStringParameters", {}).get("visitor", "you")
    body = f"<h1>{TEAS[number]}</h1><p>Chosen for {html.escape(visitor)}.</p>"
    return {"statusCode": 200, "headers": HTML, "body": body}
"""

# %%
# check
deploy(workshop, corner, {"app.py": careful_source})
corner_url = open_to_everybody(corner, 10)
check("13.2")

visit(corner_url)

# %% [markdown]
# ## The first byte
#
# Until now, a visitor sees nothing before all of the page is there. With **response streaming** a function sends what it has, and goes on. In
# Node.js, `awslambda.streamifyResponse` gives the handler a stream for that (a Python function needs a runtime of its own).
#
# This page sends its heading at once, and then five teas. To look each of them up takes a tenth of a second. `HttpResponseStream.from` sends status
# and headers, which come first.

# %% notes [markdown]
# Minutes: 4
#
# Say: The same page, and the visitor sees something at once. Ask what you give up: an answer that has begun can no
# longer become an error.
#
# Goes wrong: It is in Node.js. Nobody has to understand each line; look for `write` and `end`.
#
# Answer 13.h: Before 200 ms: the heading is sent before the first look-up. The last byte comes as late as before.
#
# Skip: All of it, on the embedded AWS.

# %% stream-source
stream_source = """
import { setTimeout as wait } from "node:timers/promises";

export const handler = awslambda.streamifyResponse(async (event, response) => {
  const answer = { statusCode: 200, headers: { "Content-Type": "text/html" } };
  const page = awslambda.HttpResponseStream.from(response, answer);
  page.write("<h1>Tea for you</h1>");
  for (const tea of ["Sencha", "Hojicha", "Gyokuro", "Matcha", "Genmaicha"]) {
    await wait(100); // in place of the database
    page.write(`<p>${tea}</p>`);
  }
  page.end();
});
"""

# %% stream
stream = workshop.name("stream-page")
deploy(workshop, stream, {"index.mjs": stream_source}, Runtime="nodejs24.x", **size)
stream_url = open_to_everybody(stream, 10)

# %% [markdown]
# The `InvokeMode` of a function URL says what visitors get of it: with `BUFFERED`, as before, the whole page at once, and with `RESPONSE_STREAM` each
# piece when it comes. `first_byte` asks for the page five times in a mode, and notes when the first and when the last byte is there.


# %% first-byte
def arrivals():
    began = time.perf_counter()
    with http.get(stream_url, stream=True) as page:
        times = [1000 * (time.perf_counter() - began) for _ in page.iter_content(None)]
    return {"first_ms": times[0], "last_ms": times[-1]}


def first_byte(mode):
    """Medians of five pages in this mode: only a whole page has a length."""
    lambda_client.update_function_url_config(FunctionName=stream, InvokeMode=mode)
    whole = mode == "BUFFERED"
    wait_until(lambda: whole == ("Content-Length" in http.get(stream_url).headers))
    return pd.DataFrame(arrivals() for _ in range(5)).median()


# %% [markdown]
# With `BUFFERED` the first byte comes after half a second, together with the last.
#
# **Predict:** and when does the first byte come with `RESPONSE_STREAM`?

# %%
predict("13.h", choices=["before 200 ms", "200 to 400 ms", "after 400 ms"])

# %%
modes = {mode: first_byte(mode) for mode in ("BUFFERED", "RESPONSE_STREAM")}
pd.DataFrame(modes).T.round()

# %%
whole, streamed = modes["BUFFERED"], modes["RESPONSE_STREAM"]
first = streamed["first_ms"]
later = "after 400 ms" if first > 400 else "200 to 400 ms"
predicted("13.h", "before 200 ms" if first < 200 else later)
sooner = first < 0.5 * whole["first_ms"]
as_late = streamed["last_ms"] > 0.8 * whole["last_ms"]
claim("a streamed page begins sooner, and ends no sooner", sooner and as_late)

# %% [markdown]
# The heading is there long before the teas, and the browser can already fetch the style sheet. The whole page takes as long as before, and is
# billed as before, even when its visitor has gone away. An answer that has begun can no longer become a `500`: when the function fails midway, the page breaks
# off. An HTTP API does not stream.
#
# ## Close what is public
#
# On AWS, the four function URLs and the API are open to the whole internet. Close them, and the bucket. (Run this cell again after cells above
# that open something.)

# %% notes [markdown]
# Minutes: 1
#
# Say: On AWS do not skip this cell, ever.
#
# Goes wrong: It closes what all sections have opened, so it says "There is no … yet" where one was left out. Then run
# those cells, or `python3 -m helpers clean`, which removes all of it.

# %% close-all
for function_name in (name, answers, corner, stream):
    close(function_name)
with suppress(gateway.exceptions.NotFoundException):
    gateway.delete_api(ApiId=api_id)
s3.delete_bucket_policy(Bucket=bucket)
[outcome(url) for url in (function_url, answers_url, corner_url, stream_url, api_url)]

# %% [markdown]
# ## What it costs
#
# A page is a request and its `billed_ms`, cold starts included (the load above had many, so the result is on the high side). A function URL
# costs nothing more. An HTTP API costs [{{http_api_million}} per million requests]({{http_api_million.source}}) in N. Virginia; very many cost a
# little less. Left out: the traffic, which costs the same on EC2, the database, and the free tier.

# %% notes [markdown]
# Minutes: 2
#
# Say: Ask for the traffic of somebody's site, and look for its row. For few pages it costs nothing; for a hundred
# million, take machines. Most of what you pay for here is waiting.

# %%
prices = load_prices("us-east-1")  # list prices of N. Virginia
gb_second = prices["lambda"]["gb_second"]["x86_64"]
gb_seconds = joined["billed_ms"].mean() / 1000 * 512 / 1024
per_page = prices["lambda"]["request"] + gb_seconds * gb_second

# %%
pages = pd.Series([10_000, 1_000_000, 10_000_000, 100_000_000])
bill = pd.DataFrame({"function URL": pages * per_page})
bill["HTTP API"] = bill["function URL"] + pages / 1e6 * fact("http_api_million")
bill["two t3.small"] = 2 * 730 * prices["ec2_hour"]["t3.small"]
bill.set_index(pages.map("{:,}".format).rename("pages a month")).round(2)

# %%
cheaper = bill["HTTP API"] < bill["two t3.small"]
claim("Lambda is cheaper for few pages, not for many", cheaper[1] and not cheaper[3])

# %% [markdown]
# In USD a month. Two machines, since a single one is down whenever it is updated; a load balancer is extra.
#
# Small and uneven traffic costs almost nothing on Lambda. For large and steady traffic machines are cheaper (notebook
# [05](05-lambda-or-ec2.ipynb)). 100 million a month are 38 pages a second on average. With enough workers, two small machines can serve that,
# if a page does little but wait.
#
# Most of what you pay Lambda for here *is* waiting; on a server, a thread that waits costs nothing. On Lambda it helps to fetch data in
# parallel, and to let a cache such as CloudFront answer what is the same for all.
#
# ## What you have learned
#
# - A function URL is an address for one function. An HTTP API has routes, to functions and elsewhere. Both send events of format 2.0.
# - An answer has a status, headers, cookies and a body; bytes go in base64. Static files belong in S3, on AWS with CloudFront in front.
# - A server with W workers serves W pages at a time, and the rest wait in line. Lambda adds environments: its p50 rises far less, and its p95
#   has the cold starts.
# - A server with enough workers is as quick. You must know how many, and you pay for them at night, too.
# - A streamed page begins while the function still works on the rest of it. It ends no sooner.
# - A crash costs one request on Lambda, and those of a whole process on a server.
# - Escape what comes from outside. 404 and 302 are answers, and not errors.
# - A function URL is open to everybody only with two permissions in the function's policy; without them it answers 403.
# - Cap what everybody can call, and close it when you no longer need it.
#
# **Next:** notebook [14](14-event-driven-pdf.ipynb), *Event-driven PDF*: work where nobody waits for the answer. `python3 -m helpers clean`
# removes what is left of this notebook.

# %% notes [markdown]
# Minutes: 1
#
# Say: Is the claim of the slide true? Let somebody answer in one sentence, with a "but".
