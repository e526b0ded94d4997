"""What notebook 18 claims: AWS gives the answers of its quiz, and after clean() its own lists hold nothing of yours."""

import contextlib
import io
import re
from typing import Any

import pytest
from notebook_cells import Notebook, checks_of

from helpers import deploy, lessons, reports
from helpers.connect import Workshop
from helpers.lessons import function_folder
from helpers.resources.cleanup import clean
from helpers.session import progress

checks = checks_of("18")
QUIZ = checks.QUIZ


@pytest.fixture(scope="module")
def run(aws_of_module, embedded_home) -> Notebook:
    """The notebook after it has run from the top to its end."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    clean(aws_of_module)  # what other tests have left is not this notebook's
    logs, prefix = aws_of_module.client("logs"), f"/aws/lambda/{aws_of_module.name('x')[:-1]}"
    for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])  # of a line that came after it was removed
    notebook, said = Notebook("18"), io.StringIO()
    with contextlib.redirect_stdout(said):
        for cell in notebook.source.cells:
            if cell.kind == "code":
                notebook.run_cell(cell)
                notebook.track = lambda items, label: items  # which shows its progress in a notebook alone
    notebook.said = said.getvalue()
    notebook.left = notebook.yours()
    return notebook


@pytest.fixture
def notebook(aws, run) -> Notebook:
    """The same; `aws` keeps the settings as they were while it ran."""
    return run


def numbers_of(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]


def test_a_burst_is_cold_for_each_call_and_a_pinger_saves_one(notebook):
    # each call takes a second; on a busy machine a late one may find an environment that is free again
    cold, calls = numbers_of(notebook.measured["burst"])
    after_a_ping, _ = numbers_of(notebook.measured["pinger"])
    assert calls == 10
    assert 5 <= cold <= QUIZ["burst"].right
    assert 4 <= after_a_ping <= QUIZ["pinger"].right


def test_a_cold_call_is_billed_with_its_init(notebook):
    init, duration, billed = numbers_of(notebook.measured["cold bill"])
    assert billed - 1 < init + duration <= billed
    assert init > 0


def test_2019_billed_a_short_call_by_the_hundred(notebook):
    _, today, in_2019, _ = numbers_of(notebook.measured["rounding"])
    assert in_2019 % QUIZ["rounding"].right == 0
    assert in_2019 > today


def test_memory_buys_time(notebook):
    faster, costlier = numbers_of(notebook.measured["memory"])
    assert faster > 1.3  # 14 on an idle machine; other programs take CPU from the faster call alone
    assert costlier < 11
    assert faster * costlier == pytest.approx(1769 / 128, rel=0.1)


def test_the_prices_meet_at_the_answer(notebook):
    [percent] = numbers_of(notebook.measured["ec2"])
    assert round(percent) == QUIZ["ec2"].right


def test_at_the_time_limit_nothing_runs_any_more(notebook):
    assert re.fullmatch(r"timeout; [1-9]\d{3} ms billed; finally ran: False", notebook.measured["timeout"])


def test_a_failing_event_runs_three_times_and_a_call_once(notebook):
    assert numbers_of(notebook.measured["retries"]) == [QUIZ["retries"].right, 1]


def test_the_rule_fires_on_the_days_of_the_answer(notebook):
    first, last = QUIZ["night"].right.title().split("-")
    days = notebook.measured["night"]
    assert days.startswith(first)
    assert f"{last} at 08:00" in days


def test_of_ten_at_once_one_may_charge(notebook):
    assert notebook.measured["charge"] == "1 may charge, 9 are refused"


def test_what_other_notebooks_make_is_named_where_it_was_not_made(notebook):
    assert notebook.measured["connections"] == "run notebook 07 to see it"
    assert notebook.measured["batch"] == "run notebook 11 to see it"
    assert set(notebook.measured) == set(QUIZ)


def test_the_bill_is_that_of_all_invocations(notebook):
    everything, bill = notebook.everything, notebook.bill
    assert bill["invocations"].sum() == len(everything) >= 34
    gb_seconds = (everything["memory_mb"] / 1024 * everything["billed_ms"] / 1000).sum()
    assert bill["USD"].sum() == pytest.approx(gb_seconds * 0.0000166667 + len(everything) * 0.0000002)


def test_both_exercises_are_solved_on_the_way(notebook):
    assert f"Exercise 18.1, {checks.QUIZ_EXERCISE.title}: solved" in notebook.said
    assert f"Exercise 18.2, {checks.DESIGN.title}: solved" in notebook.said
    assert {"18.1", "18.2"} <= progress.solved()


def test_aws_itself_holds_something_before_clean_and_nothing_after(notebook):
    held = notebook.before
    for listing in ("lambda: list_functions", "logs: describe_log_groups", "iam: list_roles", "dynamodb: list_tables"):
        assert held[listing] >= 1
    assert set(notebook.left) == {0}
    assert len(notebook.left) == len(notebook.LISTS)
    assert "Nothing is left." in notebook.said


def test_the_lists_find_what_has_the_prefix_and_nothing_else(notebook, aws):
    sqs, sns = aws.client("sqs"), aws.client("sns")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in (aws.name("proof"), "somebody-elses")]
    topic = sns.create_topic(Name=aws.name("proof"))["TopicArn"]
    for name in (aws.name("proof"), "somebody-elses"):
        named = {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}
        aws.client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=[named])
    counts = notebook.yours()
    found = [counts[listing] for listing in ("sqs: list_queues", "sns: list_topics", "ec2: describe_instances")]
    assert found == [1, 1, 1]
    for url in urls:
        sqs.delete_queue(QueueUrl=url)
    sns.delete_topic(TopicArn=topic)
    clean(aws)
    assert set(notebook.yours()) == {0}


def test_a_list_that_aws_refuses_is_named(notebook, monkeypatch):
    from botocore.exceptions import ClientError

    def client(self: Workshop, service: str, config: object = None) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListThings")

    monkeypatch.setattr(Workshop, "client", client)
    assert set(notebook.yours()) == {"AccessDenied"}


def test_the_other_notebooks_leave_what_is_looked_up():
    sources = {number: lessons.lesson(number).source.read_text() for number in ("07", "11")}
    assert 'ways = ("direct", ' in sources["07"]
    assert 'workshop.name(f"orders-{way}")' in sources["07"]
    assert "'C': '" in sources["07"]
    assert '"pictures/mixed/"' in sources["11"]
    assert '"beach.jpg"' in sources["11"]
    assert 'function = workshop.name("thumbnail")' in sources["11"]
    assert 'print("try", ' in (function_folder("thumbnail") / "python/app.py").read_text()


def test_the_logs_of_other_notebooks_are_looked_up(notebook, aws):
    printed = {"orders-direct": "[ERROR] DatabaseError: {'C': '53300'}", "thumbnail": "try 1 pictures/mixed/beach.jpg"}
    for function, line in printed.items():
        code = f"def handler(event, context):\n    print({line!r})\n"
        deploy(aws, aws.name(function), {"app.py": code})
        for _ in range(2):
            aws.client("lambda").invoke(FunctionName=aws.name(function))
        reports(aws.client("logs"), aws.name(function), at_least=2)
    later = Notebook("18", **notebook.names | {"measured": {}})
    later.run("log-of", "connections", "batch")
    assert later.measured["connections"] == "refused 2 times"
    assert later.measured["batch"] == "a good picture was tried 2 times"
    clean(aws)
