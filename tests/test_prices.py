"""load_prices() gives the prices of a region, each with its date and its source."""

import re

import pytest

from helpers import load_prices


def test_prices_of_a_region_have_a_date_and_sources():
    prices = load_prices("us-east-1")
    assert re.fullmatch(r"\d{4}-\d\d", prices["checked"])
    assert all(source.startswith("https://aws.amazon.com/") for source in prices["sources"])
    assert prices["region"] == "N. Virginia"


def test_tokyo_is_what_one_gets_and_its_machines_cost_more():
    tokyo, virginia = load_prices(), load_prices("us-east-1")
    assert tokyo["region"] == "Tokyo"
    assert tokyo["lambda"] == virginia["lambda"]
    for machine, price in virginia["ec2_hour"].items():
        assert tokyo["ec2_hour"][machine] > price


def test_an_unknown_region_lists_those_that_there_are():
    with pytest.raises(ValueError, match="no prices for 'mars-1'; choose one of: ap-northeast-1, us-east-1"):
        load_prices("mars-1")
