"""Finding the hosts of a next hop, against a name server of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import dns.asyncresolver
import pytest

from delivery.nameserver import NameServer, name_server
from gatepost.delivery.mx import Exchangers, Host, NoHost
from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.own import OwnAddresses

Body = Callable[[NameServer, Exchangers], Awaitable[None]]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def mx(domain: str) -> NextHop:
    return NextHop(Kind.MX, domain)


def run(body: Body, *, own: OwnAddresses | None = None, clock: Clock | None = None) -> None:
    async def main() -> None:
        async with name_server() as (server, resolver):
            await body(server, exchangers(resolver, own, clock))

    asyncio.run(main())


async def no_lookup(name: str) -> Sequence[str]:
    raise OSError("not known")


def exchangers(
    resolver: dns.asyncresolver.Resolver, own: OwnAddresses | None = None, clock: Clock | None = None
) -> Exchangers:
    own = own or OwnAddresses("us.test", [("127.0.0.9", 25)])
    return Exchangers(resolver, own, lookup=no_lookup, random=Random(7), clock=clock or Clock())


async def refused(found: Exchangers, hop: NextHop) -> NoHost:
    with pytest.raises(NoHost) as caught:
        await found.hosts(hop)
    return caught.value


def test_exchangers_come_by_preference_with_ipv4_and_ipv6() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone = {
            ("x.test", "MX"): ["20 b.x.test.", "10 a.x.test."],
            ("a.x.test", "A"): ["192.0.2.1"],
            ("a.x.test", "AAAA"): ["2001:db8::1"],
            ("b.x.test", "A"): ["192.0.2.2"],
        }
        hosts = await found.hosts(mx("x.test"))
        assert set(hosts[:2]) == {Host("a.x.test", "192.0.2.1", 25), Host("a.x.test", "2001:db8::1", 25)}
        assert hosts[2:] == (Host("b.x.test", "192.0.2.2", 25),)

    run(body)


def test_equals_come_in_random_order() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "MX")] = [f"10 h{i}.x.test." for i in range(4)]
        server.zone |= {(f"h{i}.x.test", "A"): [f"192.0.2.{i}"] for i in range(4)}
        orders = {tuple(h.name for h in await found.hosts(mx("x.test"))) for _ in range(30)}
        assert len(orders) > 5
        assert {len(order) for order in orders} == {4}

    run(body)


def test_a_domain_without_mx_is_its_own_exchanger() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "A")] = ["192.0.2.1"]
        assert await found.hosts(mx("x.test")) == (Host("x.test", "192.0.2.1", 25),)

    run(body)


def test_a_null_mx_refuses_for_good() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "MX")] = ["0 ."]
        server.zone[("x.test", "A")] = ["192.0.2.1"]
        problem = await refused(found, mx("x.test"))
        assert (problem.code, problem.enhanced) == (556, "5.1.10")

    run(body)


def test_a_domain_that_does_not_exist_is_refused_for_good() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        problem = await refused(found, mx("x.test"))
        assert (problem.code, problem.enhanced) == (550, "5.1.2")
        assert (await refused(found, mx("a" * 70 + ".test"))).code == 550

    run(body)


def test_exchangers_without_any_address_are_refused_for_good() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "MX")] = ["10 gone.x.test."]
        assert (await refused(found, mx("x.test"))).enhanced == "5.1.2"

    run(body)


@pytest.mark.parametrize("fault", ["broken", "silent"])
def test_a_name_server_that_fails_or_is_silent_defers(fault: str) -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        getattr(server, fault).add("x.test")
        problem = await refused(found, mx("x.test"))
        assert (problem.code, problem.enhanced) == (451, "4.4.3")

    run(body)


def test_an_address_that_was_not_answered_defers_instead_of_refusing() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "MX")] = ["10 a.x.test."]
        server.broken.add("a.x.test")
        assert (await refused(found, mx("x.test"))).code == 451

    run(body)


def test_an_alias_is_followed() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone = {("w.test", "CNAME"): ["x.test."], ("x.test", "MX"): ["10 a.x.test."]}
        server.zone[("a.x.test", "A")] = ["192.0.2.1"]
        assert await found.hosts(mx("w.test")) == (Host("a.x.test", "192.0.2.1", 25),)

    run(body)


def test_we_never_go_to_ourselves_or_to_anything_worse() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone = {
            ("x.test", "MX"): ["10 a.test.", "20 b.test.", "20 we.test.", "30 c.test."],
            ("a.test", "A"): ["192.0.2.1"],
            ("b.test", "A"): ["192.0.2.2"],
            ("we.test", "A"): ["127.0.0.9"],
            ("c.test", "A"): ["192.0.2.3"],
        }
        assert await found.hosts(mx("x.test")) == (Host("a.test", "192.0.2.1", 25),)

    run(body)


@pytest.mark.parametrize("own", [("0.0.0.0", 25), ("127.0.0.1", 25)])
def test_a_domain_whose_best_exchanger_we_are_is_a_loop(own: tuple[str, int]) -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone = {("x.test", "MX"): ["10 a.test.", "20 b.test."], ("a.test", "A"): ["127.0.0.1"]}
        server.zone[("b.test", "A")] = ["192.0.2.2"]
        assert (await refused(found, mx("x.test"))).enhanced == "5.4.6"

    run(body, own=OwnAddresses("us.test", [own]))


def test_an_exchanger_of_our_own_name_is_us() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone = {("x.test", "MX"): ["10 us.test."], ("us.test", "A"): ["192.0.2.1"]}
        assert (await refused(found, mx("x.test"))).enhanced == "5.4.6"

    run(body)


def test_answers_are_kept_for_their_time_within_bounds() -> None:
    clock = Clock()

    async def body(server: NameServer, found: Exchangers) -> None:
        server.zone[("x.test", "A")] = ["192.0.2.1"]
        server.ttl_seconds = 1
        await found.hosts(mx("x.test"))
        asked = server.asked["x.test"]
        clock.now = 29
        await found.hosts(mx("x.test"))
        assert server.asked["x.test"] == asked
        clock.now = 31
        await found.hosts(mx("x.test"))
        assert server.asked["x.test"] > asked

    run(body, clock=clock)


def test_a_configured_address_needs_no_lookup_and_a_configured_name_is_looked_up() -> None:
    async def body(server: NameServer, found: Exchangers) -> None:
        assert await found.hosts(NextHop(Kind.SMTP, "::1", 26)) == (Host("::1", "::1", 26),)
        assert (await refused(found, NextHop(Kind.SMTP, "smart.test"))).enhanced == "4.4.3"
        assert (await refused(found, NextHop(Kind.SMTP, "127.0.0.9", 25))).enhanced == "5.4.6"
        assert server.asked.total() == 0

    run(body)
