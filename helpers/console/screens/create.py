"""Create function: its name, runtime, handler, role and code."""

from typing import Any

from starlette.responses import Response

from ..actions import functions
from ..cells import Written
from ..packages import files_of
from ..page import ConsoleError, Done, Page, Screen
from ..samples import first_runtime, runtimes, sample
from ..strings import words

QUEUES = "service-role/AWSLambdaSQSQueueExecutionRole"
OBJECTS = "AmazonS3ReadOnlyAccess"
ROLES: dict[str, list[str]] = {"logs": [], "queues": [QUEUES], "objects": [OBJECTS]}  # beyond writing logs


def show(page: Page) -> Response:
    runtime = page.asked("runtime") or first_runtime(page.workshop)
    file, handler, text = sample(runtime)
    begin = not page.form.has("file")
    names = [file, ""] if begin else [*page.form.texts("file")]
    texts = [text, ""] if begin else [*page.form.texts("text")]
    return page.render(
        "create.html",
        name=page.asked("name"),
        runtime=runtime,
        runtimes=runtimes(),
        handler=handler if begin else page.asked("handler"),
        role=page.asked("role", "logs"),
        arn=page.asked("arn"),
        roles=list(ROLES),
        files=list(zip(names, texts, strict=False)),
    )


def create(page: Page) -> Done:
    name = page.workshop.name(page.asked("name").strip())
    page.perform(
        functions.create_function,
        function_name=name,
        runtime=page.asked("runtime"),
        handler=page.asked("handler").strip(),
        role=role_of(page),
        archive=archive_of(page),
    )
    return Done(words("create.done", name=name), f"functions/{name}/code")


def role_of(page: Page) -> str:
    """The ARN of the role that the form names: one that the workshop makes, or one that is there."""
    if (arn := page.asked("arn").strip()) and page.asked("role") == "arn":
        return arn
    policies = ROLES.get(page.asked("role"), [])
    made: str = page.perform(functions.make_role, policies=policies)
    return made


def archive_of(page: Page) -> Any:
    """The zip of the files that were written, or the one that was chosen."""
    if upload := page.form.files.get("zip"):
        return Written.upload(upload.name, upload.content)
    files = files_of(page.form.texts("file"), page.form.texts("text"))
    if not files:
        raise ConsoleError(words("code.no_file"))
    return Written.files(files)


SCREEN = Screen("/create", show, {"create": create})
