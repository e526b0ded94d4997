"""The stream of what happens, as readers get it: who may read, going on after a break, slow readers, many, the end."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from activity_reader import PATH, ActivityReader
from localaws_client import ROLE, THIS_PYTHON, TestedFunction, clients_for, eventually, start_server, zipped

from helpers import localaws
from helpers.localaws import activity_stream, page_token
from helpers.localaws.activity import MOST_READERS, RETURN_S, Activity, Dropped
from helpers.localaws.activity_stream import ActivityStream
from helpers.localaws.data_plane.census import Census

SMALL = "def handler(event, context): pass"
SECRET = "s" * 40


@pytest.fixture
def ask(embedded_aws):
    """Ask for the stream, and give status and answer: the first line of it where there is one."""

    def ask(headers=None, token=None, method="GET", query=""):
        token = page_token(embedded_aws.secret_access_key) if token is None else token
        headers = {"Authorization": f"Bearer {token}"} | (headers or {})
        with requests.request(
            method, embedded_aws.url + PATH + query, headers=headers, stream=True, timeout=30
        ) as answer:
            if answer.status_code == 200:
                return 200, next(answer.iter_lines()).decode()
            return answer.status_code, answer.json()["message"]

    return ask


# Who may read


def test_who_has_a_token_reads_in_a_header_or_in_the_address(ask, embedded_aws):
    token = page_token(embedded_aws.secret_access_key)
    assert ask()[1].startswith("id: ")
    assert ask(headers={"Authorization": ""}, query=f"?token={token}")[1].startswith("id: ")
    with ActivityReader(embedded_aws) as reader:
        assert (reader.status, reader.content_type) == (200, "text/event-stream")


def test_a_token_that_is_none_or_another_keys_or_too_old_is_refused(ask, embedded_aws):
    secret, now = embedded_aws.secret_access_key, int(time.time())
    good = page_token(secret)
    expires, _, signature = good.partition(".")
    none, others = "The page token is missing, or is none.", "The page token was made with another access key."
    for token, sentence in (
        ("", none),
        ("x", none),
        ("-1." + signature, none),
        ("²." + "0" * 64, none),
        (page_token("x" * 40), others),
        (f"{int(expires) + 1}.{signature}", others),
        (expires + ".", others),
        (good + "0", others),
        (page_token(secret, -1), "The page token has expired; make a new one."),
    ):
        assert ask(token=token.encode().decode("latin-1")) == (401, sentence), token
    forged = f"{now + 50_000}"
    told = hmac.new(secret.encode(), f"activity:{forged}".encode(), hashlib.sha256).hexdigest()
    assert ask(token=f"{forged}.{told}") == (401, "The page token is valid for longer than 12 hours.")


def test_no_page_reads_not_even_with_a_token(ask):
    for headers in (
        {"Origin": "https://example.com"},
        {"Origin": "http://127.0.0.1:8888"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "example.com"},
    ):
        status, sentence = ask(headers=headers)
        assert status == 403 and sentence.startswith("The embedded AWS "), headers


def test_other_methods_and_other_paths_are_refused(ask, embedded_aws):
    assert ask(method="POST") == (405, "POST is not for /_localaws/activity.")
    assert ask(query="/x") == (404, "The embedded AWS has nothing at /_localaws/activity/x.")
    assert requests.get(f"{embedded_aws.url}/_localaws", timeout=30).json() == {"pid": embedded_aws.pid}


def test_a_stream_ends_when_its_token_has_expired(embedded_aws):
    token = page_token(embedded_aws.secret_access_key, 2)
    answer = requests.get(f"{embedded_aws.url}{PATH}?token={token}", stream=True, timeout=30)
    lines = [line.decode() for line in answer.iter_lines()]
    assert lines[-3:-1] == ["event: dropped", 'data: {"sentence": "The page token has expired; make a new one."}']


# What a reader gets


def test_first_of_all_come_the_environments_as_they_are(make_function, embedded_aws):
    function = make_function("import time\ndef handler(event, context): time.sleep(event)", MemorySize=256, Timeout=60)
    function.invoke(0)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 2)
        eventually(lambda: function.text().count("START Req") == 2)
        with ActivityReader(embedded_aws, functions=function.name) as reader:
            (busy,) = reader.snapshots[0]
        running.result()
    with ActivityReader(embedded_aws, functions=function.name) as reader:
        (idle,) = reader.snapshots[0]
    stream = f"/aws/lambda/{function.name}:{function.streams()[0]}"
    told = {"environment": stream, "function": function.name, "version": "$LATEST", "memory_size": 256}
    assert told.items() <= busy.items() and told.items() <= idle.items()
    assert (busy["state"], busy["invocations"], idle["state"], idle["invocations"]) == ("busy", 1, "idle", 2)
    assert (idle["initialization_type"], idle["idle_s"]) == ("on-demand", 300.0)
    assert busy["request_id"] and "request_id" not in idle
    assert idle["created"] < idle["since"] and idle["init_ms"] > 0
    first, second = idle["invocation_times"]
    assert first["status"] == "success" and second["duration_ms"] > 2000 and second["start"] > first["start"]


def test_functions_are_chosen_by_how_their_names_begin(make_function, embedded_aws, clients):
    wanted, other = make_function(SMALL), make_function(SMALL)
    with ActivityReader(embedded_aws, functions=f"nobody,{wanted.name}") as reader:
        other.invoke()
        wanted.invoke()
        url = clients("sqs").create_queue(QueueName="chosen")["QueueUrl"]
        clients("sqs").send_message(QueueUrl=url, MessageBody="1")
        reader.wait("message.sent")
        clients("sqs").delete_queue(QueueUrl=url)
    assert {event["function"] for event in reader.events if "function" in event} == {wanted.name}


def test_a_reader_that_comes_back_gets_what_it_has_missed(make_function, embedded_aws):
    function = make_function(SMALL)
    with ActivityReader(embedded_aws) as reader:
        function.invoke()
        reader.wait("invocation.succeeded", function=function.name)
        with ActivityReader(embedded_aws) as other:  # it says what is missed
            reader.close()
            function.invoke()
            other.wait("invocation.succeeded", function=function.name)
            with ActivityReader(embedded_aws, last=reader.last) as back:
                back.wait("invocation.succeeded", function=function.name)
                missed = [event for event in other.events if event["id"] > int(reader.last)]
                assert back.events == missed and not back.snapshots


def test_a_reader_that_comes_back_to_what_is_not_kept_begins_anew(embedded_aws):
    for last in ("1", "99999999999999999999", "x", "-1"):
        with ActivityReader(embedded_aws, last=last) as reader:
            eventually(lambda reader=reader: reader.snapshots)


def test_twenty_readers_get_the_same_in_the_same_order(make_function, embedded_aws):
    function, readers = make_function(SMALL), [ActivityReader(embedded_aws) for _ in range(20)]
    try:
        for _ in range(10):
            function.invoke()
        for reader in readers:
            reader.wait("invocation.succeeded", 10, function=function.name)
        told = [reader.of(function=function.name) for reader in readers]
        assert all(each == told[0] for each in told)
    finally:
        for reader in readers:
            reader.close()


def test_too_many_readers_are_refused_and_those_that_have_gone_make_room(embedded_aws, ask):
    readers = [ActivityReader(embedded_aws) for _ in range(MOST_READERS)]
    try:
        assert ask() == (503, f"There are {MOST_READERS} readers already; end one of them.")
    finally:
        for reader in readers:
            reader.close()
    assert eventually(lambda: ask()[0] == 200)


def test_streams_end_at_once_with_the_server_and_tell_what_ends_with_it(tmp_path, free_port):
    endpoint = start_server(tmp_path, free_port())
    try:
        readers, functions = [ActivityReader(endpoint) for _ in range(3)], clients_for(endpoint)("lambda")
        code = {"ZipFile": zipped({"app.py": SMALL})}
        functions.create_function(FunctionName="f", Runtime=THIS_PYTHON, Role=ROLE, Handler="app.handler", Code=code)
        TestedFunction("f", clients_for(endpoint)).wait()
        functions.invoke(FunctionName="f")
    finally:
        assert localaws.stop(tmp_path)
    for reader in readers:
        assert reader.ended.wait(5)
        assert reader.notices == ["The embedded AWS stops."]
        assert reader.events[-1]["kind"] == "environment.ended" and reader.events[-1]["reason"] == "closed"
        reader.close()


def test_a_reader_that_takes_nothing_costs_the_server_a_bounded_memory(make_function, embedded_aws, clients):
    """It never reads, while more is told than is kept."""
    url = clients("sqs").create_queue(QueueName="many")["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
    slow = socket.create_connection(("127.0.0.1", embedded_aws.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    token = page_token(embedded_aws.secret_access_key)
    slow.sendall(f"GET {PATH}?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    server = psutil.Process(embedded_aws.pid)
    before = server.memory_info().rss
    with ActivityReader(embedded_aws) as reader:
        for _ in range(300):
            clients("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        reader.wait("message.sent", 3000)
        assert server.memory_info().rss - before < 60 * 2**20
    slow.close()
    clients("sqs").delete_queue(QueueUrl=url)


# The list of events itself, without a server


def read(activity, reader, most=10_000):
    return [json.loads(event.sent.split(b"data: ")[1]) for event in activity.read(reader, most)]


def in_loop(test):
    """Run a test in an event loop, as readers have one."""

    def run():
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@in_loop
async def test_nothing_is_kept_while_nobody_reads():
    activity = Activity()
    activity.tell("a")
    reader = activity.begin()
    activity.tell("b", function="f")
    assert [(event["kind"], event.get("function")) for event in read(activity, reader)] == [("b", "f")]


@in_loop
async def test_what_happens_is_kept_for_a_while_after_the_last_reader_and_then_forgotten():
    activity = Activity()
    reader = activity.begin()
    activity.end(reader)
    activity.tell("a")
    back = activity.begin(reader.number)
    assert [event["kind"] for event in read(activity, back)] == ["a"]
    activity.end(back)
    activity._until -= RETURN_S
    activity.tell("b")
    assert not activity.watched.is_set()
    assert activity.begin(back.number) is None
    new = activity.begin()
    assert activity.begin(back.number) is None and read(activity, new) == []


@in_loop
async def test_no_more_is_kept_than_may_be_and_who_is_behind_is_dropped():
    activity = Activity(most_events=100)
    reader, quick = activity.begin(), activity.begin()
    for number in range(1000):
        activity.tell("a", number=number)
        read(activity, quick)
    with pytest.raises(Dropped, match=r"^You read too slowly: only the latest 100 events are kept\.$"):
        activity.read(reader, 10)
    assert len(activity._events) == 100
    assert activity.begin(reader.number) is None


@in_loop
async def test_many_threads_tell_and_each_event_is_read_once_in_one_order():
    activity = Activity()
    reader = activity.begin()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: activity.tell("a", number=number), range(1000)))
    some = read(activity, reader, 300)
    events = some + read(activity, reader)
    assert len(some) == 300 and sorted(event["number"] for event in events) == list(range(1000))
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


@in_loop
async def test_a_slow_reader_gets_a_notice_before_it_is_dropped():
    """Its connection takes each piece late, while more is told than is kept."""
    activity = Activity(most_events=10)
    census = Census(activity.tell, activity.watched)
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message.get("body", b""))
        for _ in range(20):
            activity.tell("a")

    headers = [(b"authorization", f"Bearer {page_token(SECRET)}".encode())]
    scope = {"type": "http", "path": PATH, "method": "GET", "headers": headers}
    await asyncio.wait_for(ActivityStream(activity, census, SECRET, {})(scope, receive, send), 10)
    assert sent[-1].decode() == (
        'event: dropped\ndata: {"sentence": "You read too slowly: only the latest 10 events are kept."}\n\n'
    )


@in_loop
async def test_a_reader_that_takes_nothing_for_long_is_broken_off():
    activity = Activity()
    census, limit = Census(activity.tell, activity.watched), activity_stream.SLOW_S
    activity_stream.SLOW_S = 0.05

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    headers = [(b"authorization", f"Bearer {page_token(SECRET)}".encode())]
    scope = {"type": "http", "path": PATH, "method": "GET", "headers": headers}
    try:
        await asyncio.wait_for(ActivityStream(activity, census, SECRET, {})(scope, receive, send), 10)
    finally:
        activity_stream.SLOW_S = limit
    assert not activity._readers


@in_loop
async def test_telling_encodes_nothing_while_nobody_reads():
    class Counted:
        asked = 0

        def __str__(self):
            self.asked += 1
            return "x"

    activity, member = Activity(), Counted()
    activity.tell("a", member=member)
    assert member.asked == 0
    reader = activity.begin()
    activity.tell("a", member=member)
    assert member.asked == 0  # nor in the thread of who tells
    assert read(activity, reader)[0]["member"] == "x" and member.asked == 1
    activity.end(reader)
    back = activity.begin(reader.number - 1)
    assert read(activity, back)[0]["member"] == "x" and member.asked == 1  # once for all readers


@in_loop
async def test_many_events_go_in_few_pieces():
    """Each piece costs the server as much as to tell of some invocations."""
    activity = Activity()
    census = Census(activity.tell, activity.watched)
    pieces = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        pieces.append(message.get("body", b""))

    headers = [(b"authorization", f"Bearer {page_token(SECRET)}".encode())]
    scope = {"type": "http", "path": PATH, "method": "GET", "headers": headers}
    stream = asyncio.ensure_future(ActivityStream(activity, census, SECRET, {})(scope, receive, send))
    started = time.monotonic()
    while time.monotonic() < started + 0.5:
        activity.tell("a")
        await asyncio.sleep(0.001)
    activity.close()
    await asyncio.wait_for(stream, 10)
    told = b"".join(pieces).count(b"event: activity")
    assert told == activity._number - activity._first + 1
    assert len(pieces) <= 4 + (time.monotonic() - started) / activity_stream.PAUSE_S
