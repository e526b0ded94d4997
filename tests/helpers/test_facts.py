"""The one table of facts about AWS: what it holds, who takes from it, and that AWS's API models agree."""

import ast
import re
from datetime import date

import botocore.loaders
import pytest

from helpers import api_models, authoring, fact, settings
from helpers.connect import LAMBDA_CLIENT
from helpers.deploying.deploy import DEFAULTS
from helpers.facts import FactError, facts, fill, in_bytes, unknown
from helpers.localaws.data_plane import cpu_share, execution_environment, retry_policy, runtime_api
from helpers.localaws.services.lambda_ import quotas

LESSONS = settings.NOTEBOOKS / "lessons"
INSTALLED = botocore.loaders.create_loader()


@pytest.mark.parametrize("name", facts())
def test_each_fact_has_a_source_and_the_day_on_which_it_was_checked(name):
    found = facts()[name]
    assert found.value not in (None, "")
    assert re.match(r"https://(docs\.)?aws\.amazon\.com/\S+$", found.source) or found.group == "slides"
    assert date(2019, 1, 1) < found.checked <= date.today()
    assert isinstance(found.value, int | float) or found.unit is None
    assert (found.was is None) or found.since or found.group == "changes"


@pytest.mark.parametrize("found", api_models.stated(), ids=lambda found: found.name)
def test_the_installed_botocore_states_what_the_table_says(found):
    assert [str(each) for each in api_models.contradictions(found, INSTALLED)] == []


def test_what_the_models_state_is_a_good_part_of_the_table():
    assert len(api_models.stated()) >= 40


def test_every_range_of_a_fact_is_read_from_a_model():
    """What drifts is told with both values, wherever in a model it stands."""
    places = {
        "max": "lambda:Timeout.max",
        "enum": "lambda:Runtime.enum",
        "text": "lambda:CreateFunctionRequest.Timeout",
    }
    read = {kind: api_models.read(place, INSTALLED) for kind, place in places.items()}
    assert isinstance(read["max"], int) and "python3.13" in read["enum"] and "seconds" in read["text"]
    assert api_models.read("lambda:NoSuchShape.max", INSTALLED) is None
    assert api_models.read("no-such-service:Timeout.max", INSTALLED) is None


# How it is told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{{timeout}}", "1,800 s"),
        ("{{timeout.value}}", "1,800"),
        ("{{timeout.minutes}}", "30 minutes"),
        ("{{timeout.number}}", "1800"),
        ("{{microvm.hours}}", "8 hours"),
        ("{{timeout.slides}}", "900 s"),
        ("{{timeout.since}}", "2026-11-19"),
        ("{{payload_asynchronous.was}}", "256 KB"),
        ("{{memory_max.since}}", "December 2020"),
        ("{{layers}} layers", "5 layers"),
        ("{{gb_second_x86_64.value}}", "0.0000166667"),
        ("{{billing_of_init}}", "2025-08-01"),
        ("{{python3.13}}", "2029-06-30"),
    ],
)
def test_prose_says_it_with_its_unit(written, told):
    assert fill(written) == told
    assert unknown(written) == []


@pytest.mark.parametrize("written", ["{{timeouts}}", "{{ timeout }}", "{{layers.minutes}}", "{{zip.since}}", "{{}}"])
def test_what_names_no_fact_is_found(written):
    assert fill(written) == written
    assert unknown(f"a {written} and {{{{timeout}}}}") == [written]


def test_code_gets_the_value_and_sizes_in_bytes():
    assert (fact("timeout"), in_bytes("payload"), in_bytes("image")) == (1800, 6 * 1024 * 1024, 10 * 1024**3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("time_out", "There is no fact 'time_out'; did you mean 'timeout'?"),
        ("", "There is no fact ''; python3 -m helpers facts lists them."),
        (None, "There is no fact None; python3 -m helpers facts lists them."),
        (["timeout"], "There is no fact by a list; python3 -m helpers facts lists them."),
        ("x" * 500, f"There is no fact '{'x' * 49}…; python3 -m helpers facts lists them."),
    ],
)
def test_another_name_is_one_short_sentence(name, said):
    with pytest.raises(FactError) as caught:
        fact(name)
    assert str(caught.value) == said


# Who takes from it


def test_the_embedded_aws_and_the_helpers_have_the_limits_of_the_table():
    assert quotas.TIMEOUT_S == 1800
    assert quotas.MEMORY_MB == 10_240
    assert quotas.TMP_MB == 10_240
    assert quotas.PAYLOAD_LIMITS == {"RequestResponse": 6 * 2**20, "Event": 2**20, "InvokeAsync": 2**18}
    assert quotas.MAX_UNZIPPED_BYTES == 262_144_000
    assert runtime_api.MAX_RESPONSE_BYTES == 6_291_556  # AWS's own figure
    assert (cpu_share.MB_PER_VCPU, execution_environment.INIT_LIMIT_S) == (1769, 10)
    assert execution_environment.PROVISIONED_INIT_LIMITS_S == (130, 900)
    assert (retry_policy.Settings().max_retries, retry_policy.Settings().max_age_s) == (2, 21_600)
    assert (DEFAULTS["Timeout"], DEFAULTS["MemorySize"], DEFAULTS["EphemeralStorage"]) == (3, 128, {"Size": 512})
    assert LAMBDA_CLIENT.read_timeout > fact("timeout")


@pytest.mark.parametrize("runtime", [each.name for each in facts().values() if each.group == "runtimes"])
def test_the_embedded_aws_takes_every_runtime_of_the_table(runtime):
    assert runtime in quotas.RUNTIMES


def test_the_embedded_aws_knows_no_runtime_that_the_model_does_not():
    there = api_models.read(api_models.RUNTIMES, INSTALLED)
    assert {*quotas.RUNTIMES, *quotas.BLOCKED} <= set(there)


def test_every_name_that_code_asks_for_is_in_the_table():
    asked = set()
    for path in [*(settings.ROOT / "helpers").rglob("*.py"), *LESSONS.rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("fact", "in_bytes") and node.args:
                asked |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    assert "timeout" in asked
    assert asked <= facts().keys()


# A month of a year, as in "since October 2024"; that of the deck, or in which a source was read, is no fact of AWS.
MONTH = re.compile(r"(?:January|February|March|April|May|June|July|August|September|October|November|December) 20\d\d")
READ = re.compile(r"November 2026[.),]")
GOOGLES = "August 2024"  # the name of Google's functions


@pytest.mark.parametrize("made_of", authoring.sources(settings.NOTEBOOKS), ids=lambda made_of: made_of.name)
def test_no_date_is_typed_into_prose(made_of):
    prose = " ".join(line.removeprefix("#") for line in made_of.text.splitlines() if line.startswith("#"))
    typed = MONTH.findall(READ.sub("", re.sub(r"\s+", " ", prose)))
    assert [text for text in typed if text != GOOGLES] == []


# What a value looks like in a sentence, and what else looks like it: a size that a cell has chosen, for example.
CHOSEN = {"tmp", "memory_default", "memory_min", "timeout_default", "timeout_min", "web_function_timeout"}


@pytest.mark.parametrize("made_of", authoring.sources(settings.NOTEBOOKS), ids=lambda made_of: made_of.name)
def test_no_limit_is_typed_into_prose(made_of):
    """Nor a value that AWS or the slides had, which is a fact as well."""
    groups = ("limits", "other_services")
    limits = [each for each in facts().values() if each.group in groups and each.unit and each.name not in CHOSEN]
    texts = {each.text(part) for each in limits for part in (None, "slides", "was")} - {None, "512 MB", "10 s"}
    prose = "\n".join(line for line in made_of.text.splitlines() if line.startswith("# ") and "solution:" not in line)
    assert [text for text in sorted(texts) if re.search(rf"(?<![\d.,]){re.escape(text)}\b", prose)] == []
