"""Who may invoke a function: a service of AWS needs a statement in the policy of the function (AddPermission).

Without it S3 refuses the notification, a topic and a bucket drop the event, a rule counts it in FailedInvocations, an
HTTP API answers 500. https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

import logging
from typing import Any

from ministack.core import responses
from ministack.services import apigateway, eventbridge, lambda_svc, s3, sns, sqs

from ...data_plane.function import unqualified
from ..cloudwatch import metrics
from ..contract import Contract
from ..iam.evaluation import Iam
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (apigateway, "_extract_lambda_ref_from_integration_uri"): ("uri",),
    (apigateway, "_invoke_lambda_proxy"): None,
    (eventbridge, "_invoke_target"): ("target", "event", "rule", "view"),
    (lambda_svc, "_get_base_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
    (s3, "_bucket_owner_account"): ("name",),
    (s3, "_deliver_event_to_lambda"): ("arn", "event_payload", "bucket_region"),
    (s3, "_invalid_notification_config"): ("message",),
    (s3, "_validate_notification_configs"): ("configs", "bucket_region", "bucket_name", "skip_destination_validation"),
    (sns, "_deliver_to_lambda"): (
        "endpoint",
        "envelope",
        "topic_arn",
        "sub_arn",
        "msg_id",
        "raw_message",
        "message_attributes",
    ),
    (sns, "topic_policy_allows"): ("topic_arn", "service", "source_arn", "source_account"),
    (sqs, "queue_policy_allows"): ("queue_arn", "service", "source_arn", "source_account"),
}

INVOKE = "lambda:InvokeFunction"
# What a schedule does to its target, in the role that it was given
SCHEDULED = {"lambda": INVOKE, "sqs": "sqs:SendMessage", "sns": "sns:Publish", "states": "states:StartExecution"}

log = logging.getLogger("localaws.permissions")


class ResourcePolicies:
    """Asks the policy of a function, queue or topic before a service of AWS uses it."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam

    def install(self) -> None:
        """Let MiniStack's services invoke only what lets them. Call once, before it serves, and after the services."""
        validate, to_target = s3._validate_notification_configs, eventbridge._invoke_target
        from_s3, from_sns, from_api = (
            s3._deliver_event_to_lambda,
            sns._deliver_to_lambda,
            apigateway._invoke_lambda_proxy,
        )

        def validated(configs: list[Record], region: str, bucket: str = "", skip: bool = False) -> Answer | None:
            refused: Answer | None = validate(configs, region, bucket, skip)
            return refused if refused or skip else self._unreachable(configs, bucket)

        def by_s3(arn: str, payload: Record, region: str) -> None:
            bucket = payload["Records"][0]["s3"]["bucket"]
            if self.may_invoke(arn, "s3", bucket["arn"], s3._bucket_owner_account(bucket["name"])):
                from_s3(arn, payload, region)

        def by_sns(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
            if self.may_invoke(endpoint, "sns", topic_arn):
                from_sns(endpoint, envelope, topic_arn, *rest)

        def by_rule(target: Record, event: Record, rule: Record, view: Any = None) -> None:
            if self._may_use(target, rule):
                to_target(target, event, rule, view)
            elif ":rule/" in rule["Arn"]:
                metrics.record_failed_invocation(rule["Name"])

        async def by_api(integration: Record, api_id: str, stage: str, *rest: Any, **options: Any) -> Any:
            route = options.get("route_key") or rest[5]
            arn = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
            place = f"{responses.get_region()}:{responses.get_account_id()}"
            source = f"arn:aws:execute-api:{place}:{api_id}/{stage}/{_resource(route)}"
            if not self.may_invoke(arn, "apigateway", source):
                return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
            return await from_api(integration, api_id, stage, *rest, **options)

        s3._validate_notification_configs = validated
        s3._deliver_event_to_lambda = by_s3
        sns._deliver_to_lambda = by_sns
        eventbridge._invoke_target = by_rule
        apigateway._invoke_lambda_proxy = by_api

    def _unreachable(self, configs: list[Record], bucket: str) -> Answer | None:
        """S3's refusal of a notification to a function that is not there or does not let S3 in."""
        owner = s3._bucket_owner_account(bucket) or responses.get_account_id()
        functions = [config["arn"] for config in configs if config["type"] == "lambda"]
        if all(self.may_invoke(arn, "s3", f"arn:aws:s3:::{bucket}", owner) for arn in functions):
            return None
        refused: Answer = s3._invalid_notification_config("Unable to validate the following destination configurations")
        return refused

    def may_invoke(self, function: str, service: str, source_arn: str, account: str | None = None) -> bool:
        """Whether the policy of a function, or of its version or alias, lets a service invoke it for this source."""
        _, config, name = lambda_svc._get_func_record_for_ref(function)
        base, _, _ = lambda_svc._get_base_func_record_for_ref(function)  # a version has no policy of its own
        if not base or not config:
            return False
        qualified = function.rpartition(f":{name}")[2].lstrip(":")
        arn = unqualified(config["FunctionArn"]) + (f":{qualified}" if qualified else "")
        statements = [each for each in base["policy"]["Statement"] if each["Resource"] == arn]
        allowed = self._iam.service_may(
            {"Statement": statements},
            f"{service}.amazonaws.com",
            INVOKE,
            arn,
            source_arn,
            account or responses.get_account_id(),
        )
        if not allowed:
            log.warning("%s may not invoke %s for %s", service, name, source_arn)
        return allowed

    def _may_use(self, target: Record, rule: Record) -> bool:
        """Whether a rule may use its target by the target's policy, and else by the role it was given."""
        arn, source = target.get("Arn", ""), rule["Arn"]
        service, account = (arn.split(":") + ["", "", ""])[2], responses.get_account_id()
        if ":rule/" not in source:
            action = SCHEDULED.get(service)
            return action is None or self._iam.role_may(target["RoleArn"], "schedule", action, arn)
        if service == "lambda":
            return self.may_invoke(arn, "events", source)
        if service == "sqs":
            return bool(sqs.queue_policy_allows(arn, "events.amazonaws.com", source, account))
        if service == "sns":
            return bool(sns.topic_policy_allows(arn, "events.amazonaws.com", source, account))
        if service == "states":
            role = target.get("RoleArn") or ""
            return bool(role) and self._iam.role_may(role, "rule", SCHEDULED[service], arn)
        return True


def _resource(route_key: str) -> str:
    """The end of the ARN of a route: GET/items/{id} for "GET /items/{id}", $default for itself."""
    method, _, path = route_key.partition(" ")
    return f"{method}{path}" if path else method
