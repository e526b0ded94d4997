"""Configuration: memory, time limit, runtime, role, and environment variables."""

from typing import Any

from ...connect import Workshop
from ...inbox import open_inbox


def update_general(
    workshop: Workshop,
    function_name: str,
    memory_size: int,
    timeout: int,
    ephemeral_storage: int,
    description: str,
) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.update_function_configuration(
        FunctionName=function_name,
        MemorySize=memory_size,
        Timeout=timeout,
        EphemeralStorage={"Size": ephemeral_storage},
        Description=description,
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def update_runtime(
    workshop: Workshop, function_name: str, runtime: str, handler: str
) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.update_function_configuration(
        FunctionName=function_name, Runtime=runtime, Handler=handler
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def update_role(workshop: Workshop, function_name: str, role: str) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.update_function_configuration(FunctionName=function_name, Role=role)
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def set_variable(workshop: Workshop, function_name: str, variable: str, value: str) -> Any:
    lambda_client = workshop.client("lambda")
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    variables = configuration.get("Environment", {}).get("Variables", {})
    variables[variable] = value
    lambda_client.update_function_configuration(
        FunctionName=function_name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def set_variable_to_inbox(workshop: Workshop, function_name: str, variable: str) -> Any:
    lambda_client = workshop.client("lambda")
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    variables = configuration.get("Environment", {}).get("Variables", {})
    variables[variable] = open_inbox(workshop).webhook_url
    lambda_client.update_function_configuration(
        FunctionName=function_name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


def remove_variable(workshop: Workshop, function_name: str, variable: str) -> Any:
    lambda_client = workshop.client("lambda")
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    variables = configuration.get("Environment", {}).get("Variables", {})
    variables.pop(variable, None)
    lambda_client.update_function_configuration(
        FunctionName=function_name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)
