"""Wrong answers to the exercise 07.2, each the text of a handler, and what the check says of each."""

from helpers.exercises.exercise import WrongAnswer

NO_TRY = """
def write_orders(event, context):
    for record in event["Records"]:
        connection.run(INSERT, **json.loads(record["body"]))
    return {"batchItemFailures": []}
"""
RIGHT = """
def write_orders(event, context):
    failures = []
    for record in event["Records"]:
        try:
            connection.run(INSERT, **json.loads(record["body"]))
        except pg8000.native.DatabaseError as error:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
"""
RETURNS = 'return {"batchItemFailures": failures}'
REPORTS_ALL = (
    "[{'itemIdentifier': r['messageId']} for r in event['Records'] if failures]}"
)
RAISES_OTHERS = "if error.args[0]['C'] != '23514': raise\n            failures.append"
IN_ONE_TRANSACTION = RIGHT.replace(
    "    for", '    connection.run("BEGIN")\n    for'
).replace("    return", '    connection.run("COMMIT")\n    return')
# Put before a handler: an INSERT that cannot handle a second delivery.
ONCE = '\nINSERT = "INSERT INTO orders VALUES (:way, :id, :quantity)"\n'


def _right_but(
    name: str, old: str, new: str, says: str, text: str = RIGHT
) -> WrongAnswer:
    return WrongAnswer(name, text.replace(old, new), says)


LOOKS_FIRST = (
    ONCE
    + """
LOOK = "SELECT 1 FROM orders WHERE way = :way AND id = :id"
"""
    + RIGHT.replace(
        '            connection.run(INSERT, **json.loads(record["body"]))\n',
        """            order = json.loads(record["body"])
            if not connection.run(LOOK, way=order["way"], id=order["id"]):
                connection.run(INSERT, **order)
""",
    )
)
WRONG_WRITERS = (
    WrongAnswer(  # which of the two good ones it is depends on who of the two gets to insert first
        "looks first",
        LOOKS_FIRST,
        "two environments at the same moment, record [13] of 3 is good, and it is reported",
    ),
    WrongAnswer(
        "no try",
        NO_TRY,
        "failed for a batch with bad orders, so that SQS brings back all",
    ),
    _right_but(
        "nothing returned", RETURNS, "pass", "returned null, which reports no failure"
    ),
    _right_but("a list", RETURNS, "return failures", r"returned \[\], which reports"),
    _right_but(
        "bare ids",
        '{"itemIdentifier": record["messageId"]}',
        'record["messageId"]',
        "SQS expects a dictionary",
    ),
    _right_but(
        "receipt handles",
        'record["messageId"]',
        'record["receiptHandle"]',
        "'handle-.* which is no messageId",
    ),
    _right_but(
        "ids of orders",
        'record["messageId"]',
        'json.loads(record["body"])["id"]',
        "which is no messageId",
    ),
    _right_but(
        "the first bad only",
        "failures}",
        "failures[:1]}",
        "record 5 of 6 has a quantity .*, and it is not reported",
    ),
    _right_but(
        "none reported",
        "failures}",
        "[]}",
        "record 2 of 6 has a quantity that the table refuses, and it is not",
    ),
    _right_but(
        "stops at the first",
        'messageId"]})',
        'messageId"]})\n            break',
        "record 3 of 6 is good, and it is neither",
    ),
    _right_but(
        "reports all",
        "failures}",
        REPORTS_ALL,
        "record 1 of 6 is good, and it is reported",
    ),
    WrongAnswer(
        "one transaction",
        IN_ONE_TRANSACTION,
        "refuses the rest of the transaction; leave out BEGIN",
    ),
    _right_but(
        "aborted",
        "failures.append",
        RAISES_OTHERS,
        "leave out BEGIN",
        IN_ONE_TRANSACTION,
    ),
    _right_but(
        "rolled back",
        'messageId"]})',
        'messageId"]})\n            connection.run("ROLLBACK")',
        "record 1 of 6 is good, and it is neither in the table nor reported",
        IN_ONE_TRANSACTION,
    ),
    WrongAnswer(
        "reports what is there",
        ONCE + RIGHT,
        "SQS delivers a second time, record 1 of 6 is good, and it is reported",
    ),
    _right_but(
        "fails for what is there",
        "failures.append",
        RAISES_OTHERS,
        "second time: the orders are in the table already",
        ONCE + RIGHT,
    ),
)
