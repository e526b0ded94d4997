import os
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    """Store a stamped copy of each new object, under a name that begins with TARGET."""
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(
            Bucket=bucket,
            Key=os.environ["TARGET"] + key.removeprefix("incoming/"),
            Body=text + b"stamp\n",
        )
