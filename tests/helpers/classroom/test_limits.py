"""How often something may be asked."""

from helpers.classroom.instructor.limits import ADDRESSES, Limit, Rates


def limit(**changes: float) -> tuple[Limit, list[float]]:
    now = [0.0]
    rates = Rates(rate=1, burst=3, all_rate=10, all_burst=5)._replace(**changes)
    return Limit(rates, lambda: now[0]), now


def use(limit: Limit, address: str, times: int) -> int:
    """How many times an address may ask, of some."""
    done = 0
    for _ in range(times):
        if limit.wait_s(address) == 0:
            limit.count(address)
            done += 1
    return done


def test_an_address_has_a_burst_and_then_a_rate():
    tried, now = limit()
    assert use(tried, "10.0.0.1", 9) == 3
    assert 0.9 < tried.wait_s("10.0.0.1") <= 1
    now[0] += 2
    assert use(tried, "10.0.0.1", 9) == 2


def test_another_address_has_its_own_within_the_limit_of_all():
    tried, now = limit()
    assert use(tried, "10.0.0.1", 9) + use(tried, "10.0.0.2", 9) == 5
    assert use(tried, "10.0.0.3", 9) == 0
    now[0] += 1
    assert use(tried, "10.0.0.3", 9) == 3


def test_a_bucket_does_not_fill_beyond_its_burst():
    tried, now = limit()
    now[0] += 1e6
    assert use(tried, "10.0.0.1", 9) == 3


def test_a_network_of_ipv6_is_one_address():
    tried, _ = limit()
    assert use(tried, "2001:db8::1", 2) + use(tried, "2001:db8::2", 9) == 3


def test_no_more_addresses_are_remembered_than_there_is_room_for():
    tried, _ = limit(all_burst=1e9)
    for number in range(2 * ADDRESSES):
        tried.count(f"10.0.{number // 256}.{number % 256}")
    assert len(tried._buckets) <= ADDRESSES
