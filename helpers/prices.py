"""load_prices() gives AWS's list prices of one region, from prices.json: the one place where they stand."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.json")


def load_prices(region: str = "ap-northeast-1") -> dict[str, Any]:
    """Return the prices of a region in USD, as they were in the month "checked".

    Keys: checked, sources, region (its name), lambda (gb_second by architecture, request, free_gb_seconds
    and free_requests a month, provisioned_gb_second, provisioned_running_gb_second, tmp_gb_second for what is
    above 512 MB), ec2_hour (on demand, by instance type), ec2 (by instance type: architecture, vcpus, memory_mb,
    baseline, the share of each vCPU that the hour's price covers, and surplus_vcpu_hour for what is above it),
    public_ipv4_hour (an address) and slides_2019 (what the slides counted with). Lambda costs the same in both
    regions.

    Raises ValueError, with the regions that there are, for any other.
    """
    prices = json.loads(FILE.read_text(encoding="utf-8"))
    regions = prices.pop("regions")
    if region not in regions:
        raise ValueError(f"There are no prices for {region!r}; choose one of: {', '.join(regions)}.")
    return {**prices, "region": regions[region]["name"], "ec2_hour": regions[region]["ec2_hour"]}
