"""chalice, which deploys functions and a REST API."""

import json

import requests

APP = """
from chalice import Chalice

app = Chalice(app_name="tested")

@app.route("/hello/{name}")
def hello(name):
    return {"hello": name, "query": app.current_request.query_params}

@app.lambda_function()
def plain(event, context):
    return event
"""
CONFIG = {"version": "2.0", "app_name": "tested", "stages": {"dev": {"api_gateway_stage": "api"}}}


def test_a_route_is_deployed_called_and_deleted(run, tmp_path, clients, embedded_aws):
    project = tmp_path / "tested"
    (project / ".chalice").mkdir(parents=True)
    (project / "app.py").write_text(APP)
    (project / "requirements.txt").touch()
    (project / ".chalice" / "config.json").write_text(json.dumps(CONFIG))
    run("chalice", "deploy", "--stage", "dev", cwd=project)
    try:
        identifier = run("chalice", "url", cwd=project).partition("//")[2].partition(".")[0]
        address = f"{embedded_aws.url}/_aws/execute-api/{identifier}/api/hello/you?a=1"
        answer = requests.get(address, timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"hello": "you", "query": {"a": "1"}})
        assert requests.get(address.replace("/hello/", "/nothing/"), timeout=30).status_code == 403
        payload = clients("lambda").invoke(FunctionName="tested-dev-plain", Payload="[1]")["Payload"]
        assert json.load(payload) == [1]
    finally:
        run("chalice", "delete", cwd=project)
    assert requests.get(address, timeout=30).status_code in (403, 404)
