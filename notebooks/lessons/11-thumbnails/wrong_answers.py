"""Wrong answers to the exercises of notebook 11 that its checks do not calculate themselves."""

from helpers.exercises.exercise import WrongAnswer

# 11.1: the text of the handler

HANDLER = """
def handle_each(event, context):
    failures = []
    for message in event["Records"]:
        try:
            work(message)
        except Exception as error:
            print(repr(error))
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
"""
AS_BEFORE = """
def handle_each(event, context):
    for message in event["Records"]:
        work(message)
"""
OUTSIDE = """
def handle_each(event, context):
    failures = []
    try:
        for message in event["Records"]:
            work(message)
    except Exception:
        failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
"""
STOPS = """
def handle_each(event, context):
    for place, message in enumerate(event["Records"]):
        try:
            work(message)
        except Exception:
            rest = event["Records"][place:]
            return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in rest]}
    return {"batchItemFailures": []}
"""
NOTE = 'failures.append({"itemIdentifier": message["messageId"]})'
RETURN = '    return {"batchItemFailures": failures}'
ALL_WHEN_ONE = """\
    everybody = [{"itemIdentifier": message["messageId"]} for message in event["Records"]]
    return {"batchItemFailures": everybody if failures else []}"""


def _but(name: str, old: str, new: str, says: str) -> WrongAnswer:
    """The right handler with one change."""
    return WrongAnswer(name, HANDLER.replace(old, new), says)


WRONG_HANDLERS = (
    WrongAnswer(
        "as before", AS_BEFORE, "exception of the damaged picture ended the handler"
    ),
    _but("nothing answered", RETURN, "", "answered nothing .* is deleted"),
    _but(
        "a list",
        '{"batchItemFailures": failures}',
        "failures",
        r"was \[.*there is no batchItemFailures in it",
    ),
    _but(
        "another key",
        '"batchItemFailures"',
        '"batchItemFailure"',
        "there is no batchItemFailures in it",
    ),
    _but(
        "ids alone",
        '{"itemIdentifier": message["messageId"]}',
        'message["messageId"]',
        "a list of dicts",
    ),
    _but("one dict", ": failures}", ': {"itemIdentifier": "1"}}', "a list of dicts"),
    _but(
        "a key of its own", '"itemIdentifier"', '"messageId"', "has no itemIdentifier"
    ),
    _but(
        "the handle",
        '"messageId"',
        '"receiptHandle"',
        "is the receiptHandle, and not the messageId",
    ),
    _but(
        "the body",
        'message["messageId"]',
        'message["body"]',
        "is something else, and not the messageId",
    ),
    _but(
        "silent",
        "            print(repr(error))\n",
        "",
        "log does not say what was wrong; print the exception",
    ),
    _but("never failed", NOTE, "pass", "lacks the damaged picture"),
    _but(
        "all when one",
        RETURN,
        ALL_WHEN_ONE,
        "names a good picture as failed; it was made",
    ),
    WrongAnswer(
        "stops", STOPS, "names a good picture as failed; it was not even tried"
    ),
    WrongAnswer("outside the loop", OUTSIDE, "has no thumbnail and is not reported"),
    _but(
        "the last one only",
        NOTE,
        'failures[:] = [{"itemIdentifier": message["messageId"]}]',
        "lacks 1 of 2 damaged pictures",
    ),
    _but(
        "twice",
        '"batchItemFailures": failures',
        '"batchItemFailures": failures * 2',
        "names a message twice",
    ),
    _but(
        "a bug",
        'event["Records"]',
        'event["records"]',
        "failed with KeyError: 'records'",
    ),
)

# 11.2: (frame, images, batch_size, max_concurrency) -> seconds

WRONG_DRAINS = (
    WrongAnswer(
        "no rounding",
        lambda f, n, b, c: n / b / c * 0.62,
        "round the number of batches up",
    ),
    WrongAnswer(
        "rounded down",
        lambda f, n, b, c: n // b / c * 0.62,
        "round the number of batches up",
    ),
    WrongAnswer(
        "rounded down, and one more",
        lambda f, n, b, c: (n // b // c + 1) * 0.62,
        "For 32 images .* returned 1.86, and 1.24 is right: .* add nothing where nothing is left",
    ),
    WrongAnswer(
        "a constant",
        lambda f, n, b, c: 42,
        "returned 42 for 48,000 images .* how many batches",
    ),
    WrongAnswer("nan", lambda f, n, b, c: float("nan"), "returned nan"),
    WrongAnswer(
        "a series",
        lambda f, n, b, c: f["duration_ms"],
        "returned a Series; return one number",
    ),
)
