"""Names of functions, aliases and statements that are words of Lambda's own paths: they are names like any other."""

import pytest
from localaws_client import ROLE, THIS_PYTHON, TestedFunction, refused, zipped

CODE = "def handler(event, context):\n    return context.function_name\n"


@pytest.mark.parametrize(
    "name",
    [
        "url-shortener",
        "urls",
        "event-invoke-config-f",
        "my-provisioned-concurrency",
        "code-signing-config",
        "account-settings",
        "event-source-mappings",
        "layers",
        "invocations",
    ],
)
def test_a_function_may_have_the_name_of_an_operation(clients, name):
    client = clients("lambda")
    code = {"ZipFile": zipped({"app.py": CODE})}
    client.create_function(FunctionName=name, Runtime=THIS_PYTHON, Role=ROLE, Handler="app.handler", Code=code)
    function = TestedFunction(name, clients)
    function.wait()
    assert function.invoke().payload == name
    client.update_function_configuration(FunctionName=name, Description="d")
    function.wait()
    assert client.get_function(FunctionName=name)["Configuration"]["Description"] == "d"
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 1
    client.delete_function_concurrency(FunctionName=name)
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name=name, FunctionVersion=version)
    assert client.get_alias(FunctionName=name, Name=name)["FunctionVersion"] == version
    assert client.invoke(FunctionName=name, Qualifier=name)["ExecutedVersion"] == version
    statement = {"StatementId": name, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    client.add_permission(FunctionName=name, **statement)
    assert f'"Sid": "{name}"' in client.get_policy(FunctionName=name)["Policy"]
    client.create_function_url_config(FunctionName=name, AuthType="NONE")
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    client.remove_permission(FunctionName=name, StatementId=name)
    assert refused(client.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"
    assert client.get_function_url_config(FunctionName=name)["AuthType"] == "NONE"
    assert client.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 0
    client.delete_function_url_config(FunctionName=name)
    client.delete_function_event_invoke_config(FunctionName=name)
    client.delete_alias(FunctionName=name, Name=name)
    client.delete_function(FunctionName=name)
    assert refused(client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"
