"""Wrong answers to exercise 15.1: the text of charge_once, or what is put in place of something in the notebook's."""

from helpers.exercises.exercise import WrongAnswer

NOTE = """    orders.put_item(Item={"id": order, "state": "charged", "payment": payment})
"""
FORGETS = """    if event.get("fault") == "mail":
        orders.delete_item(Key={"id": order})
"""
STARTED = """        if record["state"] == "started":
            raise RuntimeError(f"order {order} was started and not finished") from None
"""
NAIVE = """
def charge_once(event):
    return charge(event)
"""
LOOKS_FIRST = """
def charge_once(event):
    record = orders.get_item(Key={"id": event["order"]}, ConsistentRead=True).get("Item")
    if record and record["state"] == "started":
        raise RuntimeError("started")
    if record:
        return record["payment"]
    orders.put_item(Item={"id": event["order"], "state": "started"})
    payment = charge(event)
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": payment})
    return payment
"""
COMES_TO_NOTHING = """
def charge_once(event):
    order = event["order"]
    other = orders.get_item(Key={"id": order}, ConsistentRead=True).get("Item")
    if other and other["state"] == "charged":
        return other["payment"]
    orders.update_item(Key={"id": order}, UpdateExpression="ADD claims :one SET #s = if_not_exists(#s, :started)",
        ExpressionAttributeNames={"#s": "state"}, ExpressionAttributeValues={":one": 1, ":started": "started"})
    if orders.get_item(Key={"id": order}, ConsistentRead=True)["Item"]["claims"] > 1:
        raise RuntimeError("somebody else has claimed it")
    payment = charge(event)
    orders.put_item(Item={"id": order, "state": "charged", "payment": payment})
    return payment
"""
NOTES_ONLY = """
def charge_once(event):
    record = orders.get_item(Key={"id": event["order"]}, ConsistentRead=True).get("Item")
    if record:
        return record["payment"]
    payment = charge(event)
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": payment})
    return payment
"""
CLAIMS_LATE = """
def charge_once(event):
    payment = charge(event)
    try:
        orders.put_item(
            Item={"id": event["order"], "payment": payment}, ConditionExpression="attribute_not_exists(id)"
        )
    except Taken as error:
        print(error)
        return orders.get_item(Key={"id": event["order"]}, ConsistentRead=True)["Item"]["payment"]
    return payment
"""
NEVER_CHARGES = """
def charge_once(event):
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": "1"})
    return "1"
"""
WRONG_CASHIERS = (
    WrongAnswer(
        "naive",
        NAIVE,
        r"sent 2 times, was charged 2 times, and the table of orders has no record",
    ),
    WrongAnswer(
        "another key each time",
        (('order = event["order"]', 'order = str(__import__("uuid").uuid4())'),),
        r"has no record .*event\['o",
    ),
    WrongAnswer(
        "the amount as key",
        (('order = event["order"]', 'order = str(event["amount"])'),),
        "0 payments for another order of the sa",
    ),
    WrongAnswer("never charges", NEVER_CHARGES, "has 0 payments for a new order"),
    WrongAnswer(
        "another answer",
        (("payment = charge(event)", "charge(event)\n    payment = order"),),
        "answered .*return what charge",
    ),
    WrongAnswer(
        "charges twice",
        (("    payment = charge", "    charge(event)\n    payment = charge"),),
        "has 2 payments",
    ),
    WrongAnswer(
        "no condition",
        ((', ConditionExpression="attribute_not_exists(id)"', ""),),
        "put_item replaces a record that is there",
    ),
    WrongAnswer(
        "claims late",
        CLAIMS_LATE,
        "after the bank had been asked; put the record with the state started",
    ),
    WrongAnswer(
        "not caught",
        (("except Taken", "except KeyError"),),
        "failed when it came a second time .*catch Taken",
    ),
    WrongAnswer(
        "payment not kept",
        (
            (', "payment": payment}', "}"),
            ('record["payment"]', 'record.get("payment")'),
        ),
        "was answered .*null.*keep the payment in the record",
    ),
    WrongAnswer(
        "no claim",
        NOTES_ONLY,
        "died right after the bank had charged.*as it had left no record; put the record",
    ),
    WrongAnswer(
        "charges after a crash",
        (
            (
                STARTED,
                '        if record["state"] == "started":\n            return charge(event)\n',
            ),
        ),
        "died right after the bank had charged.*raise an exception when you find that state",
    ),
    WrongAnswer(
        "answers after a crash",
        ((STARTED, ""), ('record["payment"]', 'record.get("payment")')),
        "the next run answered .*null.*as if all had gone well",
    ),
    WrongAnswer(
        "looks first",
        LOOKS_FIRST,
        "2 runs of one order at the same moment charged it 2 times: each run looks",
    ),
    WrongAnswer(
        "both withdraw",
        COMES_TO_NOTHING,
        "Of 2 runs of one order at the same moment all failed; the one",
    ),
    WrongAnswer(
        "forgets when the mail fails",
        ((NOTE, NOTE + FORGETS),),
        "With the mail server down, an order that came three times was charged 3 times",
    ),
    WrongAnswer(
        "no receipt",
        (
            (
                "        return record[",
                "        globals()['send_receipt'] = print\n        return record[",
            ),
        ),
        "When the mail server was up again, no receipt was sent",
    ),
)
