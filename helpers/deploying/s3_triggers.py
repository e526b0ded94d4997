"""A bucket that triggers a function: the bucket, S3's permission to invoke, and the notification."""

from typing import Any

from botocore.exceptions import ClientError

from ..connect import Workshop

LAMBDA_INVOKER = "s3.amazonaws.com"  # who invokes a function when an object comes
UPLOADS = "uploads"  # the bucket of labs 16 and 17, without the learner's prefix


def make_bucket(workshop: Workshop, name: str) -> None:
    """Create a bucket, or keep it where it is this account's already."""
    s3 = workshop.client("s3")
    place = {} if workshop.region == "us-east-1" else {"LocationConstraint": workshop.region}
    try:
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def lambda_triggers(workshop: Workshop, bucket: str, function_name: str) -> list[dict[str, Any]] | None:
    """The bucket's notifications for this function, as S3's API has them; None when there is no bucket."""
    try:
        notifications = _notifications(workshop, bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return None
        raise
    triggers = notifications.get("LambdaFunctionConfigurations", [])
    return [each for each in triggers if _is_for(each, function_name)]


def make_trigger(workshop: Workshop, function_name: str) -> None:
    """The bucket, S3's permission to invoke the function, and the notification."""
    client, bucket = workshop.client("lambda"), workshop.bucket(UPLOADS)
    make_bucket(workshop, bucket)
    if lambda_triggers(workshop, bucket, function_name):
        print(f"Bucket {bucket}: is there already, with its trigger.")
        return
    arn = client.get_function_configuration(FunctionName=function_name)["FunctionArn"]
    partition, account = arn.split(":")[1], arn.split(":")[4]
    try:
        client.add_permission(
            FunctionName=function_name,
            StatementId=UPLOADS,
            Action="lambda:InvokeFunction",
            Principal=LAMBDA_INVOKER,
            SourceArn=f"arn:{partition}:s3:::{bucket}",
            SourceAccount=account,
        )
    except client.exceptions.ResourceConflictException:
        client.get_policy(FunctionName=function_name)  # the statement is there already
    notifications = _notifications(workshop, bucket)
    ours = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    notifications.setdefault("LambdaFunctionConfigurations", []).append(ours)
    workshop.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=notifications)
    print(f"Bucket {bucket}: is there, and triggers {function_name}.")


def remove_trigger(workshop: Workshop, bucket: str, function_name: str) -> None:
    if not lambda_triggers(workshop, bucket, function_name):
        return
    notifications = _notifications(workshop, bucket)
    triggers = notifications["LambdaFunctionConfigurations"]
    others = [each for each in triggers if not _is_for(each, function_name)]
    workshop.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notifications | {"LambdaFunctionConfigurations": others}
    )
    print(f"Bucket {bucket}: no longer triggers {function_name}.")


def _notifications(workshop: Workshop, bucket: str) -> dict[str, Any]:
    answer = workshop.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _is_for(notification: dict[str, Any], function_name: str) -> bool:
    arn: str = notification["LambdaFunctionArn"]  # with a version or an alias behind the name, perhaps
    return arn.split(":")[6:7] == [function_name]
