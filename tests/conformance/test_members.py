"""The engine's README lists members of requests that are accepted and ignored, or refused, and the list is right."""

import boto3
import pytest

from helpers.conformance import members, page, reads, targets, updates
from helpers.conformance.world import Account, World
from helpers.connect import isolated_session


@pytest.fixture(scope="module")
def client(embedded_aws):
    keys = embedded_aws.access_key_id, embedded_aws.secret_access_key
    session = boto3.Session(*keys, region_name=targets.REGION, botocore_session=isolated_session())
    return targets.clients(session, embedded_aws.url)


def test_the_page_lists_what_is_ignored_and_what_is_refused(client):
    found = members.all_outcomes(client, targets.REGION, reads.EVERYTHING)
    kept = page.MEMBERS.search(page.PAGE.read_text(encoding="utf-8"))[0]
    assert kept == page.members_part(found), "python3 -m helpers conformance --write writes it anew"


@pytest.mark.parametrize("each", (*members.ROUNDS, *updates.ROUNDS), ids=lambda each: each.name)
def test_each_member_of_the_model_has_a_value(client, each):
    with World(Account(client, targets.REGION, "values")) as world, world.account.worlds:
        needed, values = each.given(world)
    inner = needed[each.inside] if each.inside else needed
    inner = inner[0] if isinstance(inner, list) else inner
    assert set(values) | set(inner) == each.members()


@pytest.mark.parametrize("each", reads.READINGS, ids=lambda each: each.name)
def test_each_member_of_a_list_has_a_value(client, each):
    with World(Account(client, targets.REGION, "reads")) as world, world.account.worlds:
        needed, names, values = each.made(world)
    assert set(needed) | set(values) | set(each.pages[:2]) - {""} == each.members()
    assert len(names) == 2, "one that is found, and one that is not"


def test_a_value_is_found_wherever_it_stands():
    answer = {"Table": {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]}, "Size": 7}
    assert members.holds(answer, "Tags", [{"Key": "c", "Value": "d"}]) and members.holds(answer, "size", "7")
    assert not members.holds(answer, "Tags", [{"Key": "c", "Value": "x"}])
    assert not members.holds(answer, "Other", 7)


def test_what_is_stored_is_in_no_row():
    table = members.table({"a: Make": {"X": members.IGNORED, "Y": members.REFUSED}, "a: Take": {"Z": members.STORED}})
    assert table.splitlines()[2:] == ["| a: Make | `X` | `Y` |"]
