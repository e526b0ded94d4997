"""Universal targets of EventBridge Scheduler: any call of AWS's API, without a function in between.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html. The call is made once, and goes
to the embedded AWS alone.
"""

import json
import os
import re

ARN = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9-]+):([a-zA-Z0-9]+)")


def call(arn: str, text: str, account: str, region: str) -> bool:
    """Make the call that `arn` names with the parameters in `text`, JSON; False where `arn` names no call."""
    found = ARN.fullmatch(arn)
    if not found:
        return False
    import boto3  # only where it is needed, as importing it takes half as long as the server's whole start
    from botocore import xform_name
    from botocore.config import Config

    service, action = found.groups()
    client = boto3.client(
        service, region, endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}", aws_access_key_id=account,
        aws_secret_access_key="-", config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    getattr(client, xform_name(action))(**json.loads(text))
    return True
