"""Looks at a lab's deployed function before anything else is tried: its code, its secret and its WEBHOOK_URL."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..connect import Workshop
from ..inbox import Inbox, open_inbox
from . import deployed
from .exercise import NotSolved
from .lab import Lab
from .probe import Probe, s3_event, unique


@contextmanager
def probe_of(workshop: Workshop, lab: Lab) -> Iterator[Probe]:
    """A probe of a lab's function, once nothing is wrong with its code and its WEBHOOK_URL to look at.

    What comes to the inbox while the block lasts is marked as the check's.
    """
    inbox = open_inbox(workshop)
    with inbox.marked():
        yield _probe(workshop, lab, inbox)


def _probe(workshop: Workshop, lab: Lab, inbox: Inbox) -> Probe:
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
