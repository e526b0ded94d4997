"""load_prices() gives AWS's list prices of one region, from facts.toml, in the shape that a bill is computed from."""

from typing import Any

from ..arguments import TEXT, ArgumentError, takes
from ..facts import fact, facts

REGIONS = {"ap-northeast-1": "Tokyo", "us-east-1": "N. Virginia"}
GROUPS = ("prices", "machines")
# What a machine is, for those whose price is in the table; AWS never changes it.
MACHINES = {
    "t3.small": {"architecture": "x86_64", "vcpus": 2, "memory_mb": 2048},
    "t4g.small": {"architecture": "arm64", "vcpus": 2, "memory_mb": 2048},
}
OF_LAMBDA = (
    "request",
    "free_gb_seconds",
    "free_requests",
    "provisioned_gb_second",
    "provisioned_running_gb_second",
    "snapstart_cached_gb_second",
    "snapstart_restored_gb",
    "tmp_gb_second",
)


@takes(region=TEXT)
def load_prices(region: str = "ap-northeast-1") -> dict[str, Any]:
    """Return the prices of a region in USD, as they were in the month "checked".

    Keys: checked, currency, sources, region (its name), lambda (gb_second by architecture, request, free_gb_seconds
    and free_requests a month, provisioned_gb_second, provisioned_running_gb_second, snapstart_cached_gb_second and
    snapstart_restored_gb for Python and .NET, tmp_gb_second for what is above 512 MB), ec2_hour (on demand, by
    instance type), ec2 (by instance type: architecture, vcpus, memory_mb, baseline, the share of each vCPU that the
    hour's price covers, and surplus_vcpu_hour for what is above it), public_ipv4_hour (an address) and slides_2019
    (what the slides counted with). Lambda costs the same in both regions.

    Raises ArgumentError, with the regions that there are, for any other.
    """
    if region not in REGIONS:
        raise ArgumentError(f"There are no prices for {region!r}; choose one of: {', '.join(REGIONS)}.")
    listed = [each for each in facts().values() if each.group in GROUPS]
    gb_second = {architecture: fact(f"gb_second_{architecture}") for architecture in ("x86_64", "arm64")}
    return {
        "checked": f"{min(each.checked for each in listed):%Y-%m}",
        "currency": "USD",
        "sources": list(dict.fromkeys(each.source for each in listed)),
        "lambda": {"gb_second": gb_second, **{name: fact(name) for name in OF_LAMBDA}},
        "ec2": {machine: _machine(machine) for machine in MACHINES},
        "public_ipv4_hour": fact("public_ipv4_hour"),
        "slides_2019": _slides(),
        "region": REGIONS[region],
        "ec2_hour": {machine: fact(f"{_id(machine)}_hour_{_place(region)}") for machine in MACHINES},
    }


def _machine(name: str) -> dict[str, Any]:
    credits = {"baseline": fact("small_baseline"), "surplus_vcpu_hour": fact(f"{_id(name)}_surplus")}
    return MACHINES[name] | credits


def _slides() -> dict[str, Any]:
    price = facts()["slides_lambda_100_ms"]
    return {
        "checked": f"{price.checked:%Y}",
        "source": price.source,
        "memory_mb": 2048,
        "lambda_100_ms": price.value,
        "t3_small_hour": facts()["t3_small_hour_tokyo"].slides,
        "days_a_month": fact("slides_days_a_month"),
    }


def _id(machine: str) -> str:
    return machine.replace(".", "_")


def _place(region: str) -> str:
    return REGIONS[region].lower().removeprefix("n. ")
