"""Labs 16 and 17 are done by the console alone, from nothing to a solved check (09 is, in a real browser)."""

import pytest
from lab_support import ENOUGH, exercise_of, remove_labs
from localaws_client import THIS_PYTHON

from helpers.deploying.s3_triggers import UPLOADS
from helpers.exercises import check
from helpers.exercises.lab import labs


@pytest.mark.parametrize(("number", "role"), [("16", "logs"), ("17", "objects")])
def test_a_lab_is_solved_by_the_console(browser, aws_of_module, embedded_home, capsys, number, role):
    remove_labs(aws_of_module, embedded_home)
    lab = labs()[number]
    text = lab.answer("python").read_text(encoding="utf-8")
    given = {"runtime": THIS_PYTHON, "handler": "app.handler", "file": "app.py", "text": text}
    browser.post("create", "create", name=lab.name, role=role, **given)
    function = f"functions/{aws_of_module.name(lab.name)}"
    memory, timeout = ENOUGH["MemorySize"], ENOUGH["Timeout"]
    general = {"memory_size": memory, "timeout": timeout, "ephemeral_storage": 512, "description": ""}
    browser.post(f"{function}/configuration", "general", **general)
    browser.post(f"{function}/configuration", "set", variable="WEBHOOK_URL", source="inbox")
    trigger = {"new_bucket": UPLOADS, "s3_event": "s3:ObjectCreated:*", "prefix": "", "suffix": ""}
    browser.post(f"{function}/triggers", "add-s3", **trigger)
    check(exercise_of(number))
    assert "solved" in capsys.readouterr().out
    remove_labs(aws_of_module, embedded_home)
