"""Functions: list, create, read and delete them."""

import io
import urllib.request
from contextlib import suppress
from typing import Any

from ...connect import Workshop


def list_functions(workshop: Workshop, prefix: str) -> Any:
    pages = workshop.client("lambda").get_paginator("list_functions").paginate()
    functions = [each for page in pages for each in page["Functions"]]
    return [each for each in functions if each["FunctionName"].startswith(prefix)]


def make_role(workshop: Workshop, policies: list[str]) -> Any:
    return workshop.role(*policies)


def create_function(
    workshop: Workshop,
    function_name: str,
    runtime: str,
    handler: str,
    role: str,
    archive: bytes,
) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.create_function(
        FunctionName=function_name,
        Runtime=runtime,
        Handler=handler,
        Role=role,
        Code={"ZipFile": archive},
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=function_name)


def get_configuration(workshop: Workshop, function_name: str) -> Any:
    return workshop.client("lambda").get_function_configuration(FunctionName=function_name)


def download_code(workshop: Workshop, function_name: str) -> Any:
    code = workshop.client("lambda").get_function(FunctionName=function_name)["Code"]
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({} if workshop.endpoint else None)
    )
    return io.BytesIO(opener.open(code["Location"]).read())


def update_code(workshop: Workshop, function_name: str, archive: bytes) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.update_function_code(FunctionName=function_name, ZipFile=archive)
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def delete_function(workshop: Workshop, function_name: str) -> Any:
    workshop.client("lambda").delete_function(FunctionName=function_name)


def delete_log_group(workshop: Workshop, log_group: str) -> Any:
    logs = workshop.client("logs")
    with suppress(logs.exceptions.ResourceNotFoundException):  # it has never been invoked
        logs.delete_log_group(logGroupName=log_group)
