"""Versions and aliases of a function."""

from typing import Any

from ...connect import Workshop


def list_versions(workshop: Workshop, function_name: str) -> Any:
    pages = (
        workshop.client("lambda")
        .get_paginator("list_versions_by_function")
        .paginate(FunctionName=function_name)
    )
    return [each for page in pages for each in page["Versions"]]


def list_aliases(workshop: Workshop, function_name: str) -> Any:
    pages = (
        workshop.client("lambda")
        .get_paginator("list_aliases")
        .paginate(FunctionName=function_name)
    )
    return [each for page in pages for each in page["Aliases"]]


def publish_version(workshop: Workshop, function_name: str, description: str) -> Any:
    lambda_client = workshop.client("lambda")
    version = lambda_client.publish_version(
        FunctionName=function_name, Description=description
    )["Version"]
    lambda_client.get_waiter("published_version_active").wait(
        FunctionName=function_name, Qualifier=version
    )
    return version


def create_alias(workshop: Workshop, function_name: str, alias: str, version: str) -> Any:
    workshop.client("lambda").create_alias(
        FunctionName=function_name, Name=alias, FunctionVersion=version
    )


def point_alias(
    workshop: Workshop,
    function_name: str,
    alias: str,
    version: str,
    weights: dict[str, float],
) -> Any:
    workshop.client("lambda").update_alias(
        FunctionName=function_name,
        Name=alias,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )


def delete_alias(workshop: Workshop, function_name: str, alias: str) -> Any:
    workshop.client("lambda").delete_alias(FunctionName=function_name, Name=alias)


def delete_version(workshop: Workshop, function_name: str, version: str) -> Any:
    workshop.client("lambda").delete_function(FunctionName=function_name, Qualifier=version)
