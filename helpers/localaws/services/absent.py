"""What MiniStack takes and then neither keeps nor acts upon: refused by a sentence, and not ignored.

Lambda has lambda_/absent.py; services and operations that MiniStack itself does not have are in not_served.py.
"""

from .shapes import Record

# Members of requests, by service and operation, and what they are about.
MEMBERS: dict[tuple[str, str], dict[str, str]] = {
    ("cloudwatch", "PutMetricAlarm"): {
        "Metrics": "An alarm of metric math is",
        "ThresholdMetricId": "Anomaly detection is",
        "EvaluationCriteria": "An alarm of a query is",
        "EvaluationInterval": "An alarm of a query is",
        "EvaluationWindow": "An evaluation window of one's own is",
        "WarmUpConfiguration": "A warm-up of an alarm is",
        "ActionConfiguration": "The propagation of an alarm's tags is",
        "EvaluateLowSampleCountPercentile": "Another treatment of few samples is",
    },
    ("sns", "CreateTopic"): {"DataProtectionPolicy": "A data protection policy is"},
    ("dynamodb", "CreateTable"): {
        "WarmThroughput": "Warm throughput is",
        "ResourcePolicy": "A policy of a table is",
        "GlobalTableSourceArn": "A global table of several accounts is",
        "GlobalTableSettingsReplicationMode": "A global table of several accounts is",
    },
    ("dynamodb", "UpdateTable"): {
        "WarmThroughput": "Warm throughput is",
        "GlobalTableSettingsReplicationMode": "A global table of several accounts is",
    },
}
# Operations, and what they are about.
OPERATIONS = {
    ("dynamodb", "PutResourcePolicy"): "A policy of a table is",
    ("sns", "PutDataProtectionPolicy"): "A data protection policy is",
}
CODES = {"cloudwatch": "InvalidParameterValue", "dynamodb": "ValidationException", "sns": "InvalidParameter"}


def refusal(service: str, operation: str, members: Record) -> tuple[str, str] | None:
    """Error code and sentence for a request that asks for what is not here."""
    if what := OPERATIONS.get((service, operation)):
        return CODES[service], f"{what} not in the embedded AWS, and so {operation} is not."
    absent = MEMBERS.get((service, operation), {})
    found = next(((member, what) for member, what in absent.items() if members.get(member) not in (None, "", [])), None)
    return (CODES[service], f"{found[1]} not in the embedded AWS; leave {found[0]} out.") if found else None
