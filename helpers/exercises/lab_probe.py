"""Looks at a lab's deployed function before anything else is tried: its code, its secret and its WEBHOOK_URL."""

from ..connect import Workshop
from ..inbox import open_inbox
from . import deployed
from .exercise import NotSolved
from .lab import Lab
from .probe import Probe, s3_event, unique


def probe_of(workshop: Workshop, lab: Lab) -> Probe:
    """A probe of a lab's function, once nothing is wrong with its code and its WEBHOOK_URL to look at."""
    inbox = open_inbox(workshop)
    step = f"write {lab.copy(lab.language())} and deploy it as in the notebook"
    function = deployed.find(workshop, workshop.name(lab.name), step)
    deployed.check_code(lab, function)
    deployed.check_secret(function, inbox.webhook_url)
    probe = Probe(workshop, function, inbox)
    if probe.sees_messages:
        inbox.fail_next(0)  # what the reader may have asked for, and not used up
    try:
        deployed.check_variable(function, inbox.webhook_url)
    except NotSolved:
        _check_that_nothing_comes(probe)
        raise
    return probe


def _check_that_nothing_comes(probe: Probe) -> None:
    """NotSolved when a function that was not given this inbox's URL posts to it all the same."""
    event = {"text": f"check {unique()}"} | s3_event("another-bucket", f"check {unique()}")
    if probe.sees_messages and probe.invoke(event).texts:
        raise NotSolved(
            f"{probe.function.name} posts to the inbox, and WEBHOOK_URL does not name it, so its URL is "
            f"hidden in the code; read it from the environment: {probe.function.language.reads_webhook}."
        )
