"""Opens JupyterLab as a projector wants it, and a presenter page for a second screen, until Ctrl-C."""

from typing import TYPE_CHECKING

from .. import lessons, settings
from . import browser, lab, say

if TYPE_CHECKING:
    from ..presenting.plans import Plan

OURS = settings.ROOT / "helpers" / "presenting"
FOLDER = "presenting"  # of WORKSHOP_HOME: the layout and the settings of this JupyterLab


def present(number: str | None, plan_name: str | None, no_browser: bool, port: int | None, hosts: list[str]) -> int:
    """Run both until this process is interrupted; where they run already, the page has a new address.

    Raises PlanError, LessonError or LocalPageError.
    """
    from ..presenting import plans, projector, server  # which takes a moment

    if browser.open_again(server.NAME, no_browser):
        return 0
    if plan_name is None:
        plan, at = plans.of_lesson(number or "00"), 0
    else:
        plan = plans.read(plan_name)
        at = _beginning(plan, plan_name, number) if number else 0
    lab.prepare_copies()
    with server.serving(plan, at, lab.path, port, tuple(hosts)) as served, lab.embedded_aws():
        say("Starting JupyterLab for the projector; its address follows. Ctrl-C ends it and the presenter page.")
        browser.open_page(server.NAME, served.address, no_browser)
        access = served.access
        variables = projector.variable(access.port, access.cookie_name, access.cookie) | lab.configured(OURS)
        page = lab.page(plan.steps[at].lesson.number)
        layout = lab.workspaces(settings.home() / FOLDER / "workspaces", anew=True)
        return lab.jupyterlab(no_browser, page, layout, *_options(), variables=variables)


def _beginning(plan: "Plan", name: str, number: str) -> int:
    """The first step of a notebook in a plan. Raises PlanError."""
    from ..presenting.plans import PlanError

    lesson = lessons.lesson(number)
    for at, step in enumerate(plan.steps):
        if step.lesson == lesson:
            return at
    there = ", ".join(dict.fromkeys(step.lesson.number for step in plan.steps))
    raise PlanError(f"The plan {name} has no notebook {lesson.number}; it has {there}.")


def _options() -> list[str]:
    """What makes JupyterLab the projector's: our extension and settings, and none of the reader's own."""
    return [
        f"--LabApp.user_settings_dir={settings.home() / FOLDER / 'settings'}",
        f"--LabApp.extra_labextensions_path={OURS / 'labextensions'}",
        "--ServerApp.jpserver_extensions=helpers.presenting.projector=True",
    ]
