"""Layers: one version of each for a function, none that is not here, and answers without what is empty.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html. The words are AWS's, as localstack recorded them in
November 2025 (TestLambdaLayer).
"""

from typing import Any

from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import invalid_parameter, stale_revision

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_layer_policy_revision_mismatch"): ("vc", "query_params"),
    (lambda_svc, "_normalize_layer_attachments"): ("layers",),
    (lambda_svc, "_resolve_cross_account_layer"): ("layer_arn", "spec", "name_and_version"),
}


def install() -> None:
    """Let MiniStack attach a layer once, and say in AWS's words what is stale. Call once, before it serves."""
    attach, mismatch = lambda_svc._normalize_layer_attachments, lambda_svc._layer_policy_revision_mismatch

    def attach_once(layers: list[Any] | None) -> tuple[list[Record] | None, Answer | None]:
        attached, refused = attach(layers)
        refused = refused or _twice([each["Arn"] for each in attached or []])
        return (None, refused) if refused else (attached, None)

    def stale(vc: Record, query_params: Record | None) -> Answer | None:
        found: Answer | None = mismatch(vc, query_params)
        return found and stale_revision("GetLayerPolicy")

    lambda_svc._normalize_layer_attachments = attach_once
    lambda_svc._resolve_cross_account_layer = _elsewhere
    lambda_svc._layer_policy_revision_mismatch = stale


def told(members: Record, version: Record) -> Record:
    """A version of a layer, as PublishLayerVersion and GetLayerVersion answer it."""
    return {name: value for name, value in version.items() if value or name == "Description" or name in members}


def told_versions(members: Record, answer: Record) -> Record:
    """What ListLayerVersions answers."""
    return {**answer, "LayerVersions": [_listed(each) for each in answer["LayerVersions"]]}


def told_layers(members: Record, answer: Record) -> Record:
    """What ListLayers answers."""
    layers = [
        {**each, "LatestMatchingVersion": _listed(each["LatestMatchingVersion"])} for each in answer.get("Layers", [])
    ]
    return {**answer, "Layers": layers}


def _listed(version: Record) -> Record:
    return {name: value for name, value in told({}, version).items() if name not in ("Content", "LayerArn")}


def _elsewhere(layer_arn: str, spec: Any, name_and_version: Any) -> tuple[None, Answer]:
    """No layer of another account is here: MiniStack takes it for one without files."""
    return None, invalid_parameter(
        f"The embedded AWS has no layers of other accounts, and so not {layer_arn}. Publish its zip file with "
        "PublishLayerVersion."
    )


def _twice(arns: list[str]) -> Answer | None:
    """AWS's refusal of two versions of one layer, the first two that there are."""
    seen: dict[str, str] = {}
    for arn in arns:
        layer = arn.rpartition(":")[0]
        if layer in seen:
            return invalid_parameter(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn
    return None
