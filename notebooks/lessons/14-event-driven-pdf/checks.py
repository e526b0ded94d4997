"""The checks of notebook 14: a count that allows repetition, and where a message is."""

import json
from collections.abc import Callable
from typing import Any

from helpers.connect import Workshop
from helpers.exercises import deployed, diagnosis
from helpers.exercises.diagnosis import Outcome
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    NotSolved,
    WrongAnswer,
    as_word,
    call,
)
from helpers.exercises.in_step import InStep, in_step
from helpers.exercises.probe import Probe, unique

COUNTER, TABLE = "pdf-counter", "pdf-counts"  # without the learner's prefix

# Where a message is: the arguments of where_is, what is right, and what to look at otherwise.
TIMEOUT, MOST = 40, 3
CASES: list[tuple[tuple[int, list[int], int | None], str, str]] = [
    ((1, [], None), "waiting", "nobody has received it yet"),
    (
        (3, [7], None),
        "waiting",
        "it will be received at second 7, and that is still to come",
    ),
    (
        (20, [7], None),
        "in flight",
        "it was received at second 7, and nobody else sees it for 40 seconds",
    ),
    (
        (46, [7], None),
        "in flight",
        "the visibility timeout runs from second 7, when it was received, not from 0",
    ),
    (
        (50, [7], None),
        "waiting",
        "40 seconds after second 7 it became visible again, and one receive is less than 3",
    ),
    (
        (60, [7, 52], None),
        "in flight",
        "it was received again at second 52, and the timeout began anew",
    ),
    (
        (60, [7, 52, 95], None),
        "in flight",
        "the receive at second 95 is still to come, so the one at 52 counts",
    ),
    (
        (120, [7, 52, 95], None),
        "in flight",
        "the third try, begun at second 95, is still running; "
        "it goes to the dead-letter queue when it becomes visible once more",
    ),
    (
        (136, [7, 52, 95], None),
        "dead-letter queue",
        "it was received 3 times, and the last timeout ended at 135",
    ),
    (
        (110, [7, 52, 125], None),
        "waiting",
        "of its receives only two were before second 110, and it may have 3",
    ),
    ((12, [7], 11), "gone", "it was deleted at second 11"),
    (
        (140, [7, 52, 95], 97),
        "gone",
        "it was deleted at second 97, and a deleted message goes nowhere",
    ),
    (
        (10, [7], 11),
        "in flight",
        "it will be deleted at second 11, and that is still to come",
    ),
]
PLACES = ("waiting", "in flight", "dead-letter queue", "gone")


def judge_counter(workshop: Workshop) -> list[str]:
    function = deployed.find(
        workshop, workshop.name(COUNTER), "run the cell that deploys it"
    )
    counter = _Counter(workshop, function)
    document = _in_order(counter)
    _two_documents(counter)
    _out_of_order(counter)
    _repeated(counter)
    if not counter.is_in_the_table(document):
        raise NotSolved(
            "The count works, but there is no item of the document in the table: what is kept in the memory of "
            "one environment is unknown to the next; keep it in the table."
        )
    with in_step(counter.probe, counter.table, "document") as at_once:
        _two_pages_at_once(counter, at_once)
        _one_page_twice_at_once(counter, at_once)
    return []


class _Counter:
    """The reader's counter, which is sent pages of new documents."""

    def __init__(self, workshop: Workshop, function: deployed.Deployed) -> None:
        self.probe = Probe(workshop, function)
        self.table = workshop.name(TABLE)

    def send(self, *pages: tuple[str, int, int], when: str) -> list[str]:
        """Send pages (document, page, pages) as one batch, and return the documents that it completed."""
        return self.complete(self.probe.invoke(_batch(*pages)), when)

    def complete(self, outcome: Outcome, when: str) -> list[str]:
        """The documents that an invocation has completed, by its answer."""
        if outcome.failed and (
            refusal := diagnosis.of_refusal(outcome.error_message, self.probe.function)
        ):
            raise NotSolved(refusal)
        return _complete(outcome, when)

    def is_in_the_table(self, document: str) -> bool:
        client = self.probe.workshop.client("dynamodb")
        key = {"document": {"S": document}}
        return "Item" in client.get_item(
            TableName=self.table, Key=key, ConsistentRead=True
        )


def _batch(*pages: tuple[str, int, int]) -> dict[str, Any]:
    bodies = [
        {"document": document, "page": page, "pages": total}
        for document, page, total in pages
    ]
    return {
        "Records": [
            {"messageId": str(i), "body": json.dumps(body)}
            for i, body in enumerate(bodies)
        ]
    }


def _complete(outcome: Outcome, when: str) -> list[str]:
    if outcome.failed:
        raise NotSolved(_failure(outcome.payload, when))
    complete = (
        outcome.payload.get("complete") if isinstance(outcome.payload, dict) else None
    )
    if not isinstance(complete, list):
        raise NotSolved(
            'The function must answer {"complete": [...]}; deploy it with counter_source as it is.'
        )
    return complete


def _failure(payload: Any, when: str) -> str:
    kind, message = payload.get("errorType", ""), payload.get("errorMessage", "")
    if kind == "NotImplementedError":
        return f"count_once is not written yet ({message})."
    if kind == "ConditionalCheckFailedException":
        return (
            f"{when}, the function failed with ConditionalCheckFailedException: that is DynamoDB's way to say that "
            "the page is counted; catch it and return False. Otherwise the message comes again, and ends in the "
            "dead-letter queue."
        )
    return f"{when}, the function failed with {kind}: {message[:200]}"


def _in_order(counter: _Counter) -> str:
    document = unique()
    for page in (1, 2, 3):
        complete = counter.send((document, page, 3), when=f"When page {page} of 3 came")
        if page < 3 and complete:
            raise NotSolved(
                f"When page {page} of 3 came, count_once said that all are there; compare with `pages`."
            )
    if not complete:
        absent = (
            ""
            if counter.is_in_the_table(document)
            else ", and the table has no item with the document as its key"
        )
        raise NotSolved(
            f"Pages 1, 2 and 3 of 3 came, and count_once did not return True for the last one{absent}."
        )
    return document


def _out_of_order(counter: _Counter) -> None:
    document = unique()
    said = [
        counter.send((document, page, 4), when=f"When page {page} of 4 came")
        for page in (4, 2, 1, 3)
    ]
    if said[0]:
        raise NotSolved(
            "Page 4 of 4 came first, and count_once called the document complete; "
            "the last page need not be the last to come."
        )
    if any(said[:3]) or not said[3]:
        raise NotSolved(
            "Pages 4, 2, 1, 3 of 4 came, and count_once must return True for the fourth call alone."
        )


def _repeated(counter: _Counter) -> None:
    document = unique()
    when = "When page 2 of 3 came twice"
    # in one batch, and then in another
    if counter.send((document, 2, 3), (document, 2, 3), when=when) + counter.send(
        (document, 2, 3), when=when
    ):
        raise NotSolved(
            "Page 2 of 3 came three times and nothing else, and count_once called the document complete: "
            "it counts messages; count different pages, in a set."
        )
    complete = counter.send(
        (document, 1, 3), (document, 3, 3), when="When the other pages came"
    )
    if len(complete) != 1:
        raise NotSolved(
            f"When all 3 pages were there, page 2 three times, count_once returned True {len(complete)} times; "
            "it must be once. Is the size of the set compared, after this page was added?"
        )
    for page in (2, 3):
        if counter.send(
            (document, page, 3), when=f"When page {page} came again after the end"
        ):
            raise NotSolved(
                f"The document was complete, page {page} came again, and count_once returned True once more: two "
                "indexes would be made; return True only for a page that was not in the set before."
            )


def _two_documents(counter: _Counter) -> None:
    one, other = unique(), unique()
    pages = [(one, 1, 2), (other, 1, 2), (one, 2, 2), (other, 2, 2)]
    said = [
        counter.send(page, when="When two documents came at once") for page in pages
    ]
    if said != [[], [], [one], [other]]:
        raise NotSolved(
            "Pages of two documents came in turn, and count_once mixed them up; the item's key is the document."
        )


AT_ONCE = (
    "what was read is old by the time it is written, because another environment has written in between; "
    "let one call of update_item do both, with ADD and ReturnValues, and look at what it answers."
)


def _completed_at_once(
    counter: _Counter, at_once: InStep, *pages: tuple[str, int, int], when: str
) -> int:
    """Send each page to an environment of its own, all at the same moment; how often they said complete."""
    outcomes = at_once.invoke([_batch(page) for page in pages])
    return sum(len(counter.complete(outcome, when)) for outcome in outcomes)


def _two_pages_at_once(counter: _Counter, at_once: InStep) -> None:
    for pages in (2, 3):  # of a document without an item, and of one that has it
        document = unique()
        for page in range(1, pages - 1):
            counter.send(
                (document, page, pages), when=f"When page {page} of {pages} came"
            )
        last = [(document, page, pages) for page in (pages - 1, pages)]
        times = _completed_at_once(
            counter, at_once, *last, when="When two pages came at the same moment"
        )
        if times != 1:
            raise NotSolved(
                f"Pages {pages - 1} and {pages} of {pages} came at the same moment, to two environments, and "
                f"count_once returned True {times} times; it must be once: {AT_ONCE}"
            )


def _one_page_twice_at_once(counter: _Counter, at_once: InStep) -> None:
    document = unique()
    counter.send((document, 1, 2), when="When page 1 of 2 came")
    last = [(document, 2, 2)] * 2
    times = _completed_at_once(
        counter, at_once, *last, when="When one page came twice at the same moment"
    )
    if times != 1:
        raise NotSolved(
            "The last page came twice at the same moment, to two environments, and count_once returned True "
            f"{times} times; it must be once: {AT_ONCE}"
        )


def judge_where(where_is: Callable[..., str]) -> list[str]:
    for (second, received, deleted), right, why in CASES:
        found = as_word(call(where_is, second, list(received), deleted, TIMEOUT, MOST))
        if found not in PLACES:
            raise NotSolved(
                f"where_is returned {found!r}; return one of: {', '.join(PLACES)}."
            )
        if found != right:
            raise NotSolved(
                f"where_is({second}, {received}, {deleted}, {TIMEOUT}, {MOST}) returned {found!r}, and {right!r} is "
                f"right: {why}."
            )
    return []


# Wrong answers to 14.1: the text of `count`, or what is put in place of something in the notebook's own answer.

OLD = """
def count_once(document, page, pages):
    before = table.update_item(
        Key={"document": document}, UpdateExpression="ADD rendered :page",
        ExpressionAttributeValues={":page": {page}}, ReturnValues="ALL_OLD",
    ).get("Attributes", {}).get("rendered", set())
    return page not in before and len(before) + 1 == pages
"""  # this one is right: it looks at the set as it was before
NEW = """
def count_once(document, page, pages):
    item = table.update_item(
        Key={"document": document}, UpdateExpression="ADD rendered :page",
        ExpressionAttributeValues={":page": {page}}, ReturnValues="ALL_NEW",
    )["Attributes"]
    return len(item["rendered"]) == pages
"""
READS_FIRST = """
def count_once(document, page, pages):
    seen = table.get_item(Key={"document": document}, ConsistentRead=True).get("Item", {}).get("rendered", set())
    if page in seen:
        return False
    table.put_item(Item={"document": document, "rendered": seen | {page}})
    return len(seen) + 1 == pages
"""
READS_AND_ADDS = """
def count_once(document, page, pages):
    seen = table.get_item(Key={"document": document}, ConsistentRead=True).get("Item", {}).get("rendered", set())
    if page in seen:
        return False
    item = table.update_item(
        Key={"document": document}, UpdateExpression="ADD rendered :page",
        ExpressionAttributeValues={":page": {page}}, ReturnValues="ALL_NEW",
    )["Attributes"]
    return len(item["rendered"]) == pages
"""
ADDS_AND_READS = """
def count_once(document, page, pages):
    try:
        table.update_item(
            Key={"document": document}, UpdateExpression="ADD rendered :pages",
            ConditionExpression="NOT contains(rendered, :page)",
            ExpressionAttributeValues={":pages": {page}, ":page": page},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    item = table.get_item(Key={"document": document}, ConsistentRead=True)["Item"]
    return len(item["rendered"]) == pages
"""
LOCKS = """
def count_once(document, page, pages):
    while True:
        item = table.get_item(Key={"document": document}, ConsistentRead=True).get("Item", {"version": 0})
        seen = item.get("rendered", set())
        if page in seen:
            return False
        new = {"document": document, "rendered": seen | {page}, "version": item["version"] + 1}
        try:
            table.put_item(
                Item=new,
                ConditionExpression="attribute_not_exists(version) OR version = :read",
                ExpressionAttributeValues={":read": item["version"]},
            )
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            continue
        return len(new["rendered"]) == pages
"""  # right, too: it reads first, and writes only what nobody has changed meanwhile
IN_MEMORY = """
seen = {}


def count_once(document, page, pages):
    pages_seen = seen.setdefault(document, set())
    new = page not in pages_seen
    pages_seen.add(page)
    return new and len(pages_seen) == pages
"""
LAST_NUMBER = "the last page need not be the last to come"
WRONG_COUNTS = (
    WrongAnswer(
        "complete again after the end",
        NEW,
        "page 2 came again, and count_once returned True once more",
    ),
    WrongAnswer(
        "exception not caught",
        (
            (
                "except table.meta.client.exceptions.ConditionalCheckFailedException:",
                "except KeyError:",
            ),
        ),
        "ConditionalCheckFailedException: that is DynamoDB's way",
    ),
    WrongAnswer(
        "the last number",
        "def count_once(document, page, pages):\n    return page == pages\n",
        LAST_NUMBER,
    ),
    WrongAnswer(
        "the last number, with a table",
        NEW.replace('len(item["rendered"]) == pages', "page == pages"),
        LAST_NUMBER,
    ),
    WrongAnswer(
        "reads, changes and writes",
        READS_FIRST,
        "1 and 2 of 2 came at the same moment, .* True 0 times",
    ),
    WrongAnswer(
        "adds, and reads then",
        ADDS_AND_READS,
        "1 and 2 of 2 came at the same moment, .* True 2 times",
    ),
    WrongAnswer(
        "reads, and adds then",
        READS_AND_ADDS,
        "last page came twice at the same moment, .* True 2 times",
    ),
    WrongAnswer(
        "in memory", IN_MEMORY, "what is kept in the memory of one environment"
    ),
    WrongAnswer(
        "before this page",
        OLD.replace("len(before) + 1", "len(before)"),
        "count_once did not return True for the last one",
    ),
    WrongAnswer(
        "always",
        "def count_once(document, page, pages):\n    return True\n",
        "page 1 of 3 came, count_once said that all are",
    ),
    WrongAnswer(
        "never",
        "def count_once(document, page, pages):\n    return False\n",
        "the table has no item with the document as its key",
    ),
    WrongAnswer(
        "one item for all documents",
        OLD.replace('{"document": document}', '{"document": "all"}'),
        "the item's key is the document",
    ),
    WrongAnswer(
        "a table that is not there",
        "table = boto3.resource('dynamodb').Table('no-such-table')\n" + NEW,
        r"does not allow dynamodb:UpdateItem on \S+:table/no-such-table",
    ),
    WrongAnswer(
        "a call that the role does not allow",
        READS_FIRST.replace("table.get_item(", "table.scan(").replace(
            'Key={"document": document}, ', ""
        ),
        r"does not allow dynamodb:Scan on \S+pdf-counts",
    ),
)


def _past(second: int, received: list[int]) -> list[int]:
    return [each for each in received if each <= second]


def where_but(
    gone: Callable[..., bool] = lambda second, received, deleted: (
        deleted is not None and second >= deleted
    ),
    past: Callable[[int, list[int]], list[int]] = _past,
    until: Callable[..., int] = lambda past, timeout: past[-1] + timeout,
    is_given_up: Callable[..., bool] = lambda past, received, most: len(past) >= most,
) -> Callable[..., str]:
    """A right answer to 14.2, except for what is changed."""

    def where_is(
        second: int, received: list[int], deleted: int | None, timeout: int, most: int
    ) -> str:
        if gone(second, received, deleted):
            return "gone"
        tries = past(second, received)
        if not tries:
            return "waiting"
        if second < until(tries, timeout):
            return "in flight"
        return "dead-letter queue" if is_given_up(tries, received, most) else "waiting"

    return where_is


GIVEN_UP_AT_135 = "received 3 times, and the last timeout ended at 135"
WRONG_PLACES = (
    WrongAnswer(
        "from 0",
        where_but(until=lambda past, timeout: timeout),
        "runs from second 7, when it was received",
    ),
    WrongAnswer(
        "from the first receive",
        where_but(until=lambda past, timeout: past[0] + timeout),
        "received again at second 52, and the timeout",
    ),
    WrongAnswer(
        "the future counts",
        where_but(past=lambda second, received: received),
        "it will be received at second 7, and that is still to come",
    ),
    WrongAnswer(
        "the future counts as a try",
        where_but(is_given_up=lambda past, received, most: len(received) >= most),
        "of its receives only two were before second 110",
    ),
    WrongAnswer(
        "no dead-letter queue",
        where_but(is_given_up=lambda past, received, most: False),
        GIVEN_UP_AT_135,
    ),
    WrongAnswer(
        "discarded too early",
        where_but(
            until=lambda past, timeout: 0 if len(past) >= MOST else past[-1] + timeout
        ),
        "the third try, begun at second 95, is still running",
    ),
    WrongAnswer(
        "one try more",
        where_but(is_given_up=lambda past, received, most: len(past) > most),
        GIVEN_UP_AT_135,
    ),
    WrongAnswer(
        "never gone",
        where_but(gone=lambda second, received, deleted: False),
        "it was deleted at second 11",
    ),
    WrongAnswer(
        "gone before it is",
        where_but(gone=lambda second, received, deleted: deleted is not None),
        "it will be deleted at second 11",
    ),
    WrongAnswer(
        "gone only from the flight",
        where_but(
            gone=lambda second, received, deleted: (
                bool(deleted) and deleted <= second < received[-1] + TIMEOUT
            )
        ),
        "it was deleted at second 97, and a deleted message goes nowhere",
    ),
    WrongAnswer(
        "never waiting",
        lambda second, received, *rest: (
            where_but()(second, received, *rest) if received else "in flight"
        ),
        "nobody has received it yet",
    ),
    WrongAnswer(
        "another word",
        lambda *arguments: where_but()(*arguments).replace("gone", "deleted"),
        "return one of: waiting, in flight, dead-letter",
    ),
    WrongAnswer(
        "raises",
        lambda second, received, *rest: f"received at {received[-1]}",
        "raised IndexError",
    ),
)

COUNT = DeployedFunction(
    number="14.1",
    title="count each page once",
    judge=judge_counter,
    hints=(
        "Adding 1 cannot tell a new page from one that came before. What could the item remember, so that it can?",
        "`ADD rendered :pages` with the set {page} as its value keeps every page once; len() of it says how many.",
        'And for a page that comes after the end? With ConditionExpression="NOT contains(rendered, :page)" DynamoDB '
        "refuses a page that is in the set, with ConditionalCheckFailedException.",
        "Put the call into try, return False in `except table.meta.client.exceptions."
        'ConditionalCheckFailedException`, and `len(item["rendered"]) == pages` at the end. '
        "Note that :page is a number here and :pages a set.",
    ),
    wrong_answers=WRONG_COUNTS,
)
WHERE = Answer(
    number="14.2",
    title="where a message is",
    judge=judge_where,
    hints=(
        "Take the four places in this order: what makes a message gone? What makes it wait at the beginning?",
        "Only receives up to `second` count: [each for each in received if each <= second]. The last of them decides.",
        "It is in flight until the last receive plus visibility_timeout; after that, the number of receives so far "
        "says whether it is waiting or in the dead-letter queue.",
    ),
    asks_for="where_is",
    wrong_answers=WRONG_PLACES,
)
EXERCISES = (COUNT, WHERE)
