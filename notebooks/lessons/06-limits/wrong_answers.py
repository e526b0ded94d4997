"""Wrong answers to the exercises 06.1 and 06.2, as changes of the notebook's answers, and what is said of each."""

from helpers.exercises.exercise import WrongAnswer

# In the notebook's answer to 06.1.
LOOP = """    while left and context.get_remaining_time_in_millis() > needed_ms:
        work(left[0], event["seconds_each"])
        done.append(left.pop(0))
"""
FIRST = """    if left:
        work(left[0], event["seconds_each"])
        done.append(left.pop(0))
"""
NEEDED = '1000 * (event["seconds_each"] + 0.5)'
ASKED = "context.get_remaining_time_in_millis()"
LOOK = " and context.get_remaining_time_in_millis() > needed_ms"
RETURNED = '{"done": done, "left": left}'
# In the answer to 06.2.
PUT = 'boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())'
ADDRESS = '{"bucket": bucket, "key": key}'


def _loop(name: str, instead: str, says: str) -> WrongAnswer:
    return WrongAnswer(name, (LOOP, instead), says)


def _returns(name: str, what: str, says: str) -> WrongAnswer:
    return WrongAnswer(name, (f"return {ADDRESS}", f"return {what}"), says)


def _puts(name: str, text: str, says: str) -> WrongAnswer:
    return WrongAnswer(name, ("text.encode()", text), says)


WRONG_WORKERS = (
    WrongAnswer("no look", (LOOK, ""), "for 20 items of 0.3 s; before each item, c"),
    WrongAnswer(
        "seconds",
        (NEEDED, 'event["seconds_each"] + 0.5'),
        "for 20 items .* with the milliseconds that it needs",
    ),
    WrongAnswer(
        "fixed margin",
        (NEEDED, "500"),
        "for 4 items of 1.65 s; it had begun an item for which there was no time",
    ),
    WrongAnswer(
        "without the half second",
        (NEEDED, '1000 * event["seconds_each"]'),
        r"began an item of 2.6 s with less than 3.1 s left; keep half a second",
    ),
    _loop(
        "does nothing",
        "    done, left = [], left\n",
        "did 0 of 3 items of 0.05 s, and there was time for 3",
    ),
    _loop("one item", FIRST, "did 1 of 3 items of 0.05 s"),
    _loop(
        "much too careful",
        LOOP.replace("needed_ms", "2500"),
        r"did [0-3] of 20 items of 0.3 s, and there was time for 4",
    ),
    _loop(
        "claims",
        "    done, left = left, []\n",
        "says done of an item for which work was not called",
    ),
    _loop(
        "copies",
        LOOP.replace("left.pop(0)", "left[0]"),
        "1 of the items are in the answer twice for 3 items",
    ),
    _loop(
        "loses",
        LOOP + "    left = left[1:]\n",
        "are neither in done nor in left, and so lost",
    ),
    _loop(
        "pops the wrong one",
        LOOP.replace("left.pop(0)", "left.pop()"),
        "says done of an item for which work was not called",
    ),
    _loop(
        "backwards",
        LOOP.replace("left[0]", "left[-1]").replace("pop(0)", "pop()"),
        "another order for 3 items",
    ),
    _loop(
        "leaves it",
        "    for item in left[:1]:\n        work(item, 0)\n",
        "for an item that is still in left",
    ),
    _loop(
        "twice",
        LOOP.replace("        done", "        work(left[0], 0)\n        done"),
        "more than once for the same",
    ),
    _loop(
        "a clock of one's own",
        "    began = time.monotonic()\n"
        + LOOP.replace(ASKED, "1000 * (began + 3 - time.monotonic())"),
        "a Timeout of 1 s was stopped at its time limit, so the time does not come from Lambda",
    ),
    _loop("first without a look", FIRST + LOOP, "not one of them can be finished: ask"),
    WrongAnswer(
        "a list", (RETURNED, "left"), r"The answer for an empty list was \[\]; return"
    ),
    WrongAnswer(
        "a count",
        (RETURNED, '{"done": len(done), "left": left}'),
        r'was {"done": 0, "left": \[\]}; return',
    ),
)
WRONG_TABLES = (
    _returns("the text", "text", "for 7 rows is the table itself; put it into S3"),
    _returns(
        "large text",
        f"text if event['rows'] < 10**6 and event['rows'] > 9 else {ADDRESS}",
        "was larger than 6 MB",
    ),
    _returns("a key", "event['key']", r'was "check/\w+.csv"; it must be {"bucket": '),
    _returns(
        "capitals",
        '{"Bucket": event["bucket"], "Key": event["key"]}',
        'call its members "bucket" and "key"',
    ),
    _returns(
        "more", f"{ADDRESS} | {{'rows': 7}}", "must be .*the address from the event"
    ),
    WrongAnswer("no put", (PUT, "pass"), "names an object that is not in the bucket"),
    WrongAnswer(
        "another key",
        ("Key=key", 'Key="table.csv"'),
        "names an object that is not in the bucket",
    ),
    WrongAnswer(
        "another bucket",
        ("Bucket=bucket", 'Bucket="no-such-bucket-of-mine"'),
        "does not exist for 7 rows; take event",
    ),
    WrongAnswer(
        "looks first",
        (PUT, f'boto3.client("s3").list_objects_v2(Bucket=bucket)\n    {PUT}'),
        "calls s3:ListBucket for 7 rows, which its role does not allow; put_object is enough",
    ),
    _puts(
        "json", "__import__('json').dumps(text)", "holds the text as JSON, in quotes"
    ),
    _puts(
        "cut",
        "text[:6_000_000]",
        "for 400,000 rows has 6,000,000 of [0-9,]+ bytes; put the whole",
    ),
    _puts("empty", "text[:0]", "for 7 rows has 0 of"),
    _puts(
        "a list as text",
        "str(list(text))",
        "does not hold the table; put the text into it as it is",
    ),
    _puts(
        "a list",
        "text.split()",
        "put_object refused its Body for 7 rows: it takes bytes, so give",
    ),
)
