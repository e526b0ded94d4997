"""The tab Configuration: memory, time limit, runtime settings, role, and environment variables."""

from starlette.responses import Response

from ..actions import configuration, functions
from ..cells import Written
from ..masks import looks_secret
from ..page import ConsoleError, Done, Page, Screen
from ..samples import runtimes
from ..strings import words
from .create import ROLES, role_of


def show(page: Page) -> Response:
    now = page.perform(functions.get_configuration, function_name=page.function_name)
    return page.render(
        "configuration.html",
        tab="configuration",
        now=now,
        variables=_variables(now.get("Environment", {}).get("Variables", {})),
        runtimes=sorted({*runtimes(), now.get("Runtime", "")}),
        roles=list(ROLES),
        shown=page.notice.result if page.notice and isinstance(page.notice.result, dict) else {},
        has_inbox=page.workshop.is_embedded,
    )


def _variables(variables: dict[str, str]) -> list[dict[str, object]]:
    return [
        {"name": name, "value": "".join(value), "secret": looks_secret(name, "".join(value))}
        for name, value in sorted(variables.items())
    ]


def general(page: Page) -> Done:
    page.perform(
        configuration.update_general,
        function_name=page.function_name,
        memory_size=number(page, "memory_size"),
        timeout=number(page, "timeout"),
        ephemeral_storage=number(page, "ephemeral_storage"),
        description=page.asked("description"),
    )
    return Done(words("configuration.saved"))


def runtime(page: Page) -> Done:
    page.perform(
        configuration.update_runtime,
        function_name=page.function_name,
        runtime=page.asked("runtime"),
        handler=page.asked("handler").strip(),
    )
    return Done(words("configuration.saved"))


def role(page: Page) -> Done:
    page.perform(configuration.update_role, function_name=page.function_name, role=role_of(page))
    return Done(words("configuration.saved"))


def set_variable(page: Page) -> Done:
    variable, value = page.asked("variable").strip(), page.asked("value")
    if page.asked("source") == "inbox":
        page.perform(configuration.set_variable_to_inbox, function_name=page.function_name, variable=variable)
    else:
        written = Written.secret(variable, value) if looks_secret(variable, value) else value
        page.perform(configuration.set_variable, function_name=page.function_name, variable=variable, value=written)
    return Done(words("variables.saved", name=variable))


def remove_variable(page: Page) -> Done:
    variable = page.asked("variable")
    page.perform(configuration.remove_variable, function_name=page.function_name, variable=variable)
    return Done(words("variables.removed", name=variable))


def reveal(page: Page) -> Done:
    """Show the value of one variable, on one page."""
    now = page.perform(functions.get_configuration, function_name=page.function_name)
    variable = page.asked("variable")
    value = now.get("Environment", {}).get("Variables", {}).get(variable)
    if value is None:
        raise ConsoleError(words("variables.gone", name=variable))
    return Done(words("variables.shown", name=variable), result={variable: "".join(value)})


def number(page: Page, field: str) -> int:
    """A whole number of a form; what AWS says of it is for AWS to say."""
    text = page.asked(field).strip()
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        raise ConsoleError(words("error.no_number", text=text))
    return int(text)


SCREEN = Screen(
    "/functions/{name}/configuration",
    show,
    {
        "general": general,
        "runtime": runtime,
        "role": role,
        "set": set_variable,
        "remove": remove_variable,
        "reveal": reveal,
    },
)
