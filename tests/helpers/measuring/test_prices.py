"""load_prices() gives the prices of a region, each with its date and its source; no notebook has prices of its own."""

import math
import re

import pytest

from helpers import authoring, load_prices, settings
from helpers.facts import facts


def test_prices_of_a_region_have_a_date_and_sources():
    prices = load_prices("us-east-1")
    assert re.fullmatch(r"\d{4}-\d\d", prices["checked"])
    assert all(re.match(r"https://(docs\.)?aws\.amazon\.com/", source) for source in prices["sources"])
    assert prices["region"] == "N. Virginia"


def test_the_prices_are_those_that_were_looked_up():
    """As AWS published them in November 2026: a slip of the finger in facts.toml does not stay unseen."""
    tokyo, virginia = load_prices(), load_prices("us-east-1")
    assert tokyo["lambda"] == {
        "gb_second": {"x86_64": 0.0000166667, "arm64": 0.0000133334},
        "request": 0.0000002,  # 0.20 for a million
        "free_gb_seconds": 400_000,
        "free_requests": 1_000_000,
        "provisioned_gb_second": 0.0000041667,
        "provisioned_running_gb_second": 0.0000097222,
        "snapstart_cached_gb_second": 0.0000015046,
        "snapstart_restored_gb": 0.0001397998,
        "tmp_gb_second": 0.0000000309,
    }
    assert tokyo["ec2_hour"] == {"t3.small": 0.0272, "t4g.small": 0.0216}
    assert virginia["ec2_hour"] == {"t3.small": 0.0208, "t4g.small": 0.0168}


def test_tokyo_is_what_one_gets_and_its_machines_cost_more():
    tokyo, virginia = load_prices(), load_prices("us-east-1")
    assert tokyo["region"] == "Tokyo"
    assert tokyo["lambda"] == virginia["lambda"]
    for machine, price in virginia["ec2_hour"].items():
        assert tokyo["ec2_hour"][machine] > price


def test_every_machine_is_described_and_its_credits_are_its_baseline():
    prices = load_prices()
    assert prices["ec2"].keys() == prices["ec2_hour"].keys()
    for machine in prices["ec2"].values():
        assert machine["architecture"] in prices["lambda"]["gb_second"]
        # AWS's credit table: both earn 24 credits, minutes of a vCPU, in an hour
        assert machine["baseline"] * machine["vcpus"] * 60 == pytest.approx(24)


def test_the_slides_inputs_have_their_year_and_give_the_slides_prices():
    then = load_prices()["slides_2019"]
    assert then["checked"] == "2019" and "slide" in then["source"]
    hours = 24 * then["days_a_month"]
    assert round(then["lambda_100_ms"] * 10 * 3600 * hours) == 88
    assert math.floor(then["t3_small_hour"] * hours) == 19


def test_an_unknown_region_lists_those_that_there_are():
    with pytest.raises(ValueError, match="no prices for 'mars-1'; choose one of: ap-northeast-1, us-east-1"):
        load_prices("mars-1")


def test_no_price_is_typed_into_a_notebook():
    prices = (each.value for each in facts().values() if each.unit == "USD")
    typed = {_plain(price) for price in prices} | {"0.20"}  # for a million requests
    # shares and the price of an address look like many another number
    typed -= {"0.005", "0.05", "0.04"}
    assert {"0.0000166667", "0.0272", "0.000003334"} <= typed
    for made_of in authoring.sources(settings.NOTEBOOKS):
        code = "\n".join(cell.text for cell in made_of.cells if cell.kind == "code")  # prose may quote a price
        found = [price for price in typed if re.search(rf"(?<![\d.]){re.escape(price)}(?!\d)", code)]
        assert found == [], f"{made_of.name} has a price of its own; take it from load_prices()"


def _plain(number: float) -> str:
    return f"{number:.12f}".rstrip("0")
