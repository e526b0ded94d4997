"""The embedded AWS answers as AWS does, scenario by scenario; what differs says why, until it agrees."""

from collections import Counter

import boto3
import pytest

from helpers.conformance import running, targets
from helpers.conformance.declared import load
from helpers.connect import isolated_session

SCENARIOS = load()


@pytest.fixture(scope="module")
def outcomes(request, embedded_aws):
    """Of all scenarios that were asked for, which run several at once, as most of their time is waiting."""
    chosen = [
        item.callspec.params["scenario"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    keys = embedded_aws.access_key_id, embedded_aws.secret_access_key
    session = boto3.Session(*keys, region_name=targets.REGION, botocore_session=isolated_session())
    found = running.run(chosen, targets.clients(session, embedded_aws.url), targets.REGION)
    return {outcome.scenario.title: outcome for outcome in found}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_the_answers_are_those_of_aws(outcomes, scenario):
    outcome = outcomes[scenario.title]
    if not scenario.reason:
        assert outcome.why == (), f"{scenario.source}\n" + "\n".join(outcome.why)
    else:
        assert outcome.why, f"It agrees by now; take away its reason ({scenario.reason})."
        pytest.xfail(scenario.reason)


def test_each_title_is_there_once():
    assert [title for title, number in Counter(each.title for each in SCENARIOS).items() if number > 1] == []
    assert len(SCENARIOS) >= 250
