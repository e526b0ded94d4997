"""Test: invoke a function with an event."""

import base64
import json
from typing import Any

from ...connect import Workshop


def invoke(workshop: Workshop, function_name: str, event: Any) -> Any:
    response = workshop.client("lambda").invoke(
        FunctionName=function_name, Payload=json.dumps(event), LogType="Tail"
    )
    payload = response["Payload"].read().decode()
    log = base64.b64decode(response["LogResult"]).decode()
    return response["StatusCode"], response.get("FunctionError"), payload, log


def invoke_asynchronously(workshop: Workshop, function_name: str, event: Any) -> Any:
    response = workshop.client("lambda").invoke(
        FunctionName=function_name, Payload=json.dumps(event), InvocationType="Event"
    )
    return response["StatusCode"]
