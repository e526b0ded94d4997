"""start_at() makes what a latecomer missed, and reset() takes a lab back; neither loses a reader's work."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from lab_support import remove_labs

from helpers import __main__ as command_line
from helpers import check, deploy, lessons, own_copies, settings
from helpers.deploying.s3_triggers import lambda_triggers, make_bucket
from helpers.exercises import NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.languages import LANGUAGES
from helpers.inbox import open_inbox
from helpers.lessons import LessonError
from helpers.resources.ledger import Entry
from helpers.session import progress, starting_points
from helpers.session.starting_points import LabError


@pytest.fixture(autouse=True)
def at_the_start(request, own_notebooks, tmp_path, monkeypatch) -> None:
    """Nothing of another test is there: no working copy, no progress, no function, no bucket, no notebook."""
    if "aws" in request.fixturenames:
        remove_labs(request.getfixturevalue("aws"), request.getfixturevalue("embedded_home"))
    else:
        monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "home"))


def functions(aws) -> set[str]:
    names = {each["FunctionName"] for each in aws.client("lambda").list_functions()["Functions"]}
    return names & {aws.name(lab.name) for lab in labs().values()}


def test_a_notebook_that_needs_nothing_says_so(aws, capsys):
    assert starting_points.start_at("04") is None
    assert capsys.readouterr().out == "Notebook 04 needs nothing of the notebooks before it.\n"
    assert functions(aws) == set()


def test_09_has_its_starters_and_nothing_else(aws, embedded_home):
    folder = starting_points.start_at("09")
    assert folder == embedded_home / "labs" / "09"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"python/app.py", "node/index.mjs", "ruby/app.rb"}
    for language in LANGUAGES:
        assert labs()["09"].copy(language).read_bytes() == labs()["09"].starter(language).read_bytes()
    assert functions(aws) == set()


def test_17_has_the_labs_before_it_working(aws, monkeypatch):
    monkeypatch.setattr(starting_points, "TIMEOUT_S", 120)  # however busy the machine is
    starting_points.start_at("17")
    assert functions(aws) == {aws.name("slack"), aws.name("s3-to-slack")}
    for number in ("09", "16"):
        shutil.rmtree(labs()[number].folder)  # otherwise the check says that the starter is not what runs
        check(number)
    assert progress.solved() == {"09", "16"}


def test_18_comes_after_all_labs(aws):
    assert starting_points.start_at("18") is None
    assert functions(aws) == {aws.name(lab.name) for lab in labs().values()}


def test_a_function_may_do_what_its_lab_needs_and_no_more(aws):
    starting_points.start_at("18")
    iam, allowed = aws.client("iam"), {}
    for lab in labs().values():
        arn = aws.client("lambda").get_function_configuration(FunctionName=aws.name(lab.name))["Role"]
        role = {"RoleName": arn.rpartition("/")[2]}
        attached = iam.list_attached_role_policies(**role)["AttachedPolicies"]
        assert [each["PolicyName"] for each in attached] == ["AWSLambdaBasicExecutionRole"]
        documents = [
            iam.get_role_policy(**role, PolicyName=name) for name in iam.list_role_policies(**role)["PolicyNames"]
        ]
        allowed[lab.number] = [each for document in documents for each in document["PolicyDocument"]["Statement"]]
    own = f"arn:aws:s3:::{aws.tags['learner']}-*"
    assert allowed == {"09": [], "16": [], "17": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": own}]}


def test_the_language_is_that_of_the_answers(aws):
    starting_points.start_at("10", "node")
    configuration = aws.client("lambda").get_function_configuration(FunctionName=aws.name("slack"))
    assert configuration["Runtime"] == "nodejs24.x"


def test_a_second_start_changes_nothing(aws, capsys):
    starting_points.start_at("17")
    s3, bucket = aws.client("s3"), aws.name("uploads")
    before = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    modified = aws.client("lambda").get_function_configuration(FunctionName=aws.name("slack"))["LastModified"]
    capsys.readouterr()
    starting_points.start_at("17")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 6 and all("there already" in line for line in said)
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"] == before
    again = aws.client("lambda").get_function_configuration(FunctionName=aws.name("slack"))["LastModified"]
    assert again == modified


def test_the_readers_own_are_never_written_over(aws):
    copy = starting_points.start_at("16") / "python" / "app.py"
    copy.write_text("# mine\n")
    deploy(aws, aws.name("slack"), {"app.py": "def handler(event, context):\n    return 'mine'\n"})
    starting_points.start_at("17")
    starting_points.start_at("16")
    assert copy.read_text() == "# mine\n"
    mine = aws.client("lambda").invoke(FunctionName=aws.name("slack"))["Payload"].read()
    assert mine == b'"mine"'


def test_another_trigger_of_the_bucket_stays(aws):
    starting_points.start_at("16")  # slack is there
    s3, bucket = aws.client("s3"), aws.name("uploads")
    make_bucket(aws, bucket)
    arn = aws.client("lambda").get_function_configuration(FunctionName=aws.name("slack"))["FunctionArn"]
    theirs = {"Id": "theirs", "LambdaFunctionArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    permission = {"StatementId": "theirs", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    aws.client("lambda").add_permission(FunctionName=arn, **permission, SourceArn=f"arn:aws:s3:::{bucket}")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [theirs]}
    )
    starting_points.start_at("17")
    assert len(s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]) == 2
    starting_points.reset("16")
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"] == [theirs]


@pytest.mark.parametrize("notebook", ["9", 9, " 09 "])
def test_a_notebook_is_understood_without_its_zero(notebook):
    assert starting_points.start_at(notebook) == labs()["09"].folder


@pytest.mark.parametrize("notebook", ["99", "19", "lab"])
def test_an_unknown_notebook_is_said(notebook):
    with pytest.raises(LessonError, match=f"There is no notebook '{notebook}'"):
        starting_points.start_at(notebook)


@pytest.mark.parametrize(("target", "is_said"), [("embedded", True), ("aws", False)])
def test_a_language_that_cannot_run_here_is_said(target, is_said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKSHOP_TARGET", target)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert starting_points.start_at("09", "ruby") == labs()["09"].folder
    said = capsys.readouterr().out
    assert ("Ruby is not installed on this machine" in said) == is_said
    assert ("; choose another language." in said) == is_said
    starting_points.start_at("09", "python")
    assert "choose another" not in capsys.readouterr().out


def test_an_unknown_language_is_said():
    with pytest.raises(LabError, match="The labs are not in 'java'; choose one of: python, node, ruby"):
        starting_points.start_at("09", "java")


def test_reset_puts_a_lab_back_and_keeps_what_was_written(aws, capsys):
    starting_points.start_at("17")
    copy = labs()["16"].copy("python")
    copy.write_text("# mine\n")
    progress.solve("16")
    progress.solve("09")
    capsys.readouterr()
    starting_points.reset("16")
    said = capsys.readouterr().out
    assert copy.read_bytes() == labs()["16"].starter("python").read_bytes()
    assert (labs()["16"].folder / "app.py.bak").read_text() == "# mine\n"
    assert functions(aws) == {aws.name("slack")}
    assert lambda_triggers(aws, aws.name("uploads"), aws.name("s3-to-slack")) == []
    assert Entry("function", aws.name("s3-to-slack")) not in aws.ledger.entries()
    assert progress.solved() == {"09"}
    for part in (f"{copy} is the starter again", "app.py.bak", "no longer triggers", "removed", "1 of "):
        assert part in said


def test_reset_after_reset_loses_no_backup(aws):
    copy = starting_points.start_at("09") / "python" / "app.py"
    for text in ("# first\n", "# second\n"):
        copy.write_text(text)
        starting_points.reset("09")
    kept = {path.name: path.read_text() for path in labs()["09"].folder.glob("*.bak*")}
    assert kept == {"app.py.bak": "# first\n", "app.py.bak2": "# second\n"}


def test_reset_of_an_untouched_lab_leaves_no_backup(aws, capsys):
    starting_points.start_at("09")
    starting_points.reset("09")
    assert not list(labs()["09"].folder.glob("*.bak*"))
    assert "nothing to remove" in capsys.readouterr().out


def test_a_backup_is_not_deployed_with_the_next_answer(aws):
    folder = starting_points.start_at("09")
    (folder / "python" / "app.py").write_text("# mine\n")
    starting_points.reset("09")
    variables = {"Variables": {"WEBHOOK_URL": open_inbox(aws).webhook_url}}
    deploy(aws, aws.name("slack"), folder / "python", Environment=variables)
    with pytest.raises(NotSolved, match="What is deployed is the starter"):
        check("09")


def test_reset_leaves_alone_what_the_workshop_did_not_make(aws, capsys):
    deploy(aws, aws.name("slack"), {"app.py": "def handler(event, context):\n    return 1\n"})
    entry, client = Entry("function", aws.name("slack")), aws.client("lambda")
    arn = client.get_function_configuration(FunctionName=entry.id)["FunctionArn"]
    client.untag_resource(Resource=arn, TagKeys=list(aws.tags))
    aws.ledger.removed(entry)  # as if another tool had made it
    starting_points.reset("09")
    assert functions(aws) == {aws.name("slack")}
    assert "or not the workshop's" in capsys.readouterr().out
    aws.ledger.made(entry)


def test_reset_needs_no_running_aws(capsys):
    (starting_points.start_at("09") / "python" / "app.py").write_text("# mine\n")
    starting_points.reset("09")
    assert "is the starter again" in capsys.readouterr().out
    assert not (settings.home() / "localaws.json").exists()


@pytest.fixture
def notebook() -> Path:
    """The reader's copy of notebook 04, as it is at first."""
    own_copies.make()
    return own_copies.path(lessons.lesson("04"))


def test_reset_begins_a_notebook_anew_and_keeps_what_was_there_under_its_day(notebook, capsys):
    before = notebook.read_bytes()
    progress.solve("04.1")
    notebook.write_text('{"mine": 1}')
    starting_points.reset("4")
    assert notebook.read_bytes() == before
    kept = f"04-cold-start.{date.today()}.ipynb"
    assert (notebook.parent / kept).read_text() == '{"mine": 1}'
    said = capsys.readouterr().out
    assert f"yours is {kept} in {notebook.parent}" in said and "Reload Notebook from Disk" in said
    assert progress.solved() == set() and "Notebook 04 counts as unsolved: 0 of " in said


def test_each_backup_of_a_notebook_can_be_opened(notebook):
    for number in (1, 2, 3):
        notebook.write_text(f'{{"mine": {number}}}')
        starting_points.reset("04")
    kept = {path.name: path.read_text() for path in notebook.parent.glob("04-cold-start.*-*.ipynb")}
    names = [f"04-cold-start.{date.today()}{number}.ipynb" for number in ("", "-2", "-3")]
    assert kept == {name: f'{{"mine": {number}}}' for number, name in enumerate(names, 1)}


def test_reset_makes_a_notebook_that_was_deleted(notebook, capsys):
    before = notebook.read_bytes()
    notebook.unlink()
    starting_points.reset("04")
    assert notebook.read_bytes() == before
    assert "yours is" not in capsys.readouterr().out


def test_reset_of_an_untouched_notebook_leaves_no_backup(notebook, capsys):
    there = set(notebook.parent.iterdir())
    starting_points.reset("04")
    assert set(notebook.parent.iterdir()) == there
    assert "04-cold-start.ipynb is as it was at first." in capsys.readouterr().out


def test_reset_of_an_unknown_notebook_is_said():
    with pytest.raises(LessonError, match="There is no notebook 'x'"):
        starting_points.reset("x")


def test_the_command_line_resets_too(aws, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "_watch_signals", lambda: None)  # pytest has its own
    monkeypatch.chdir(settings.ROOT)
    copy = starting_points.start_at("09") / "python" / "app.py"
    copy.write_text("# mine\n")
    assert command_line.main(["reset", "09"]) == 0
    assert copy.read_bytes() == labs()["09"].starter("python").read_bytes()
    assert command_line.main(["reset", "99"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("There is no notebook '99'")
