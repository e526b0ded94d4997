"""Two outside services, a bank and a mail server, with faults on order."""

import os
import time
import uuid

import boto3

payments = boto3.resource("dynamodb").Table(os.environ["PAYMENTS"])


def charge(event):
    """Take the money, enter it in the book, return the payment's number."""
    time.sleep(0.2)  # a bank takes its time
    payment = str(uuid.uuid4())
    payments.put_item(
        Item={"order_id": event["order"], "payment": payment, "amount": event["amount"]}
    )
    print("charged", event["amount"], "for order", event["order"])
    if event.get("fault") == "crash":
        os._exit(1)  # the process is gone, as when Lambda stops it
    return payment


def send_receipt(event):
    """Mail the receipt."""
    if event.get("fault") == "mail":
        raise ConnectionError("the mail server does not answer")
    print("sent the receipt of order", event["order"])
