import json
import os
import time

import boto3

queue = boto3.client("sqs")
results = boto3.resource("dynamodb").Table(os.environ["RESULTS"])


def work(job, item):
    """Store the result under the item's own number: twice does no harm."""
    time.sleep(job["seconds_each"])
    results.put_item(Item={"job": job["job"], "item": item, "square": item * item})


def all_at_once(job, context):
    for item in job["left"]:
        work(job, item)
    return job | {"left": []}


def handler(job, context):
    """Do as many items as there is time for; return the job with the rest."""
    needed_ms = 1000 * (job["seconds_each"] + 0.5)
    left = list(job["left"])
    while left and context.get_remaining_time_in_millis() > needed_ms:
        work(job, left[0])
        left.pop(0)
    return job | {"left": left}


def from_queue(event, context):
    """Do what fits of the job in the message, and send on the rest."""
    [record] = event["Records"]  # the mapping has BatchSize=1
    job = handler(json.loads(record["body"]), context)
    if job["left"]:
        queue.send_message(
            QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(job)
        )
