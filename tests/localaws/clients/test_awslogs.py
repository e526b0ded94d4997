"""awslogs, which reads log groups on the command line."""

from localaws_client import eventually


def test_groups_and_the_events_of_one(run, make_function):
    function = make_function("def handler(event, context): print('a line of mine')\n")
    function.invoke()
    eventually(lambda: "REPORT" in function.text())
    group = f"/aws/lambda/{function.name}"
    assert group in run("awslogs", "groups")
    lines = run("awslogs", "get", group, "--no-color", "--no-group", "--no-stream").splitlines()
    assert "a line of mine" in lines and lines[-1].startswith("REPORT ")
