"""What notebook 05 claims: the slide's sum, the break-even, the shape of the map, area against height."""

import json
import math
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from notebook_cells import Notebook, checks_of

from helpers import load_prices, reports

plt.switch_backend("Agg")
checks = checks_of("05")
# The cells with what the others compute with; none of them calls AWS.
CELLS = (
    "prices",
    "slide",
    "today",
    "vcpus",
    "lambda-cost",
    "break-even",
    "lambda-month",
    "machines",
    "ec2-month",
    "costs",
    "office",
)


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    """The functions and the constants of the notebook, exercises solved."""
    notebook = Notebook("05", np=np, pd=pd, plt=plt, load_prices=load_prices)
    notebook.run(*CELLS, "cases")
    return notebook


def test_the_slide_rounds_one_price_and_cuts_the_other():
    then = load_prices()["slides_2019"]
    busy = then["lambda_100_ms"] * 10 * 60 * 60 * 24 * then["days_a_month"]
    machine = then["t3_small_hour"] * 24 * then["days_a_month"]
    assert (f"{busy:.2f}", f"{machine:.2f}") == ("87.86", "19.91")
    assert (round(busy), math.floor(machine)) == (88, 19)


def test_it_still_holds(notebook):
    """One environment of 2048 MB that works all month: one request a second, of one second each."""
    requests = notebook.HOURS * 3600 * load_prices()["lambda"]["request"]
    assert f"{notebook.lambda_month(1, 1000, 2048) - requests:.2f}" == "87.60"
    assert f"{notebook.ec2_month(1, 1000, 2048):.2f}" == "19.86"
    for region in ("ap-northeast-1", "us-east-1"):
        for architecture, machine in notebook.MACHINES.items():
            on_lambda = notebook.lambda_month(1, 1000, 2048, architecture)
            assert on_lambda > 4 * notebook.ec2_month(1, 1000, 2048, machine, region)


def test_the_exercises_agree_with_the_notebooks_own_function(notebook):
    for load in [(0.1, 20, 128), (1, 200, 512), (30, 2000, 3008)]:
        assert notebook.lambda_cost(*load) == pytest.approx(notebook.lambda_month(*load))
        assert notebook.lambda_cost(*load) == pytest.approx(checks.cost(*load))


@pytest.mark.parametrize(("duration_ms", "memory_mb"), [(1, 128), (20, 128), (200, 512), (900, 2048), (60_000, 1024)])
def test_the_break_even_is_where_a_search_finds_it(duration_ms, memory_mb, notebook):
    low, high = 1e-6, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        costlier = notebook.lambda_month(middle, duration_ms, memory_mb) > notebook.ec2_month(0, duration_ms, memory_mb)
        low, high = (low, middle) if costlier else (middle, high)
    assert notebook.break_even(duration_ms, memory_mb) == pytest.approx(low, rel=1e-6)


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 1024, 2048])
@pytest.mark.parametrize("duration_ms", [2, 20, 200, 1000, 5000])
def test_beyond_the_break_even_ec2_stays_cheaper(duration_ms, memory_mb, notebook):
    """One crossing, however many machines are needed, for every setting of the sliders."""
    rate = np.logspace(-2, 2.5, 2000)
    for architecture, machine in notebook.MACHINES.items():
        for zones in (1, 2):
            costlier = notebook.lambda_month(rate, duration_ms, memory_mb, architecture) > notebook.ec2_month(
                rate, duration_ms, memory_mb, machine, zones=zones
            )
            assert not costlier[0] and costlier[-1]
            assert np.count_nonzero(np.diff(costlier)) == 1


def test_the_crossing_moves_as_one_should_predict(notebook):
    rate = np.logspace(-2, 2.5, 5000)

    def crossing(duration_ms=200, zones=1, free_tier=False, at_once=None):
        on_lambda = notebook.lambda_month(rate, duration_ms, 512, free_tier=free_tier)
        return rate[np.argmax(on_lambda > notebook.ec2_month(rate, duration_ms, 512, zones=zones, at_once=at_once))]

    assert crossing() == pytest.approx(notebook.break_even(200, 512), rel=0.01)
    assert crossing(duration_ms=20) > crossing()
    assert crossing(zones=2) == pytest.approx(2 * crossing(), rel=0.01)
    assert crossing(free_tier=True) > crossing()
    assert crossing(at_once=100) == crossing()


@pytest.mark.parametrize(
    ("sliders", "says"),
    [
        ({}, "From 4.05 requests per second on, EC2 is cheaper (200 ms, 512 MB)"),
        ({"duration_ms": 2, "memory_mb": 128}, "From 37 requests per second on, EC2 is cheaper (2 ms, 128 MB)"),
        ({"region": "us-east-1", "architecture": "arm64"}, "From 3.04 requests"),
        ({"duration_ms": 5000, "memory_mb": 2048, "free_tier": "yes", "zones": 2}, "From 0.106 requests"),
    ],
)
def test_the_title_of_the_picture_says_where_they_cross(sliders, says, notebook):
    ax = notebook.costs(**sliders)
    assert ax.get_title(loc="left").startswith(says)
    plt.close(ax.figure)


def test_the_map_grows_along_the_rate_and_its_corners_are_not_alike(notebook):
    rate, duration_ms = np.logspace(-2, 2.5, 60), np.logspace(1, 4, 60)[:, None]
    on_lambda = notebook.lambda_month(rate, duration_ms, 512)
    ratio = on_lambda / notebook.ec2_month(rate, duration_ms, 512)
    assert (np.diff(on_lambda, axis=0) > 0).all() and (np.diff(on_lambda, axis=1) > 0).all()
    one_machine = ratio[:, rate * duration_ms.max() / 1000 <= 4]
    assert (np.diff(one_machine, axis=1) > 0).all()
    assert 1 / ratio.min() > 1000 > 20 > ratio.max()
    full = 87.60 / 19.86  # the bound for full machines and requests that last
    assert ratio[-1, -1] == pytest.approx(full, rel=0.02)
    assert ratio[0, -1] > 2 * full, "where the price of a request is more than that of its time"


def test_a_day_is_paid_by_its_area_or_by_its_height(notebook):
    load, machine = notebook.load, notebook.ec2_month(0, 200, 512)
    area = notebook.lambda_month(load.mean(), 200, 512)
    by_minute = notebook.lambda_month(load, 200, 512).mean()
    assert area == pytest.approx(by_minute), "Lambda does not mind when the requests come"
    fleet = notebook.machines(load.max(), 200, 512)
    assert fleet == 2 and (load[(notebook.hour < 8) | (notebook.hour >= 19)] == 0).all()
    scaled = {zones: notebook.machines(load, 200, 512, zones=zones).mean() for zones in (0, 1, 2)}
    assert area < scaled[1] * machine < fleet * machine == scaled[2] * machine
    assert scaled[0] * machine == pytest.approx(area, rel=0.2), "none at night comes near to Lambda"


def test_a_machine_that_computes_costs_more_than_the_slide_says(notebook):
    t3 = notebook.t3
    sums = [
        notebook.HOURS * (load_prices()["ec2_hour"]["t3.small"] + surplus * t3["surplus_vcpu_hour"])
        for surplus in (vcpus - t3["vcpus"] * t3["baseline"] for vcpus in (0.4, 2048 / 1769, 2))
    ]
    assert [f"{usd:.2f}" for usd in sums] == ["19.86", "47.51", "78.26"]
    assert sums == sorted(sums) and sums[-1] < 87.60


def test_the_cases_of_the_check_are_the_notebooks(notebook):
    shown = {name: tuple(row) for name, row in notebook.cases.iterrows()}
    assert shown == {name: tuple(case) for name, case in checks.CASES.items()}
    for row in notebook.cases.itertuples():
        sums = checks.CASES[row.Index].sums()
        assert sums["lambda"] == pytest.approx(notebook.lambda_month(row.average, row.duration_ms, row.memory_mb))
        on_ec2 = notebook.ec2_month(row.peak, row.duration_ms, row.memory_mb, zones=row.zones)
        assert sums["ec2"] == pytest.approx(on_ec2)
        assert max(sums.values()) > 2 * min(sums.values()), "a clear case"


def test_the_duration_of_a_function_comes_from_its_report_lines(make_function, clients, notebook):
    """A function that waits ten times as long meets the machine at far fewer calls."""
    code = "import time\n\n\ndef handler(event, context):\n    time.sleep(event['seconds'])\n"
    function = make_function(code, MemorySize=512, Timeout=10)
    meets = {}
    for seconds in (0.03, 0.3):
        began = datetime.now(UTC)
        for _ in range(4):
            payload = json.dumps({"seconds": seconds})
            clients("lambda").invoke(FunctionName=function.name, Payload=payload)
        rows = reports(clients("logs"), function.name, at_least=4, since=began)
        warm = rows[rows["init_ms"].isna()]
        assert (warm["billed_ms"] >= warm["duration_ms"]).all() and (warm["memory_mb"] == 512).all()
        meets[seconds] = notebook.break_even(warm["billed_ms"].median(), 512)
    assert meets[0.03] > 2 * meets[0.3]
