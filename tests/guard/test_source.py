"""Sources, decoys and known sources."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from gatepost.guard.decoys import Decoys
from gatepost.guard.source import host, network_of, peer_of, shown, source
from gatepost.guard.sources import Familiarity, KnownSource, KnownSources


def test_an_ipv4_address_is_counted_by_itself_its_26_and_its_24() -> None:
    there = source(ip_address("192.0.2.77"))
    assert there.host == bytes([192, 0, 2, 77])
    assert there.small == source(ip_address("192.0.2.64")).small != source(ip_address("192.0.2.1")).small
    assert there.large == source(ip_address("192.0.2.1")).large
    assert there.is_ipv4


def test_an_ipv6_address_is_counted_by_its_64_and_its_48() -> None:
    there = source(ip_address("2001:db8:1:2::5"))
    assert there.host == source(ip_address("2001:db8:1:2:ffff::1")).host
    assert there.large == source(ip_address("2001:db8:1:ffff::1")).large
    assert there.small == source(ip_address("2001:db8:1:f::1")).small
    assert shown(there.host) == "2001:db8:1:2::/64"
    assert network_of(there.host) == ip_network("2001:db8:1:2::/64")


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]", " ::ffff:192.0.2.1%eth0"]
)
def test_ipv4_in_ipv6_clothes_is_ipv4(text: str) -> None:
    assert host(peer_of(text)) == bytes([192, 0, 2, 1])
    assert host(ip_address("::ffff:192.0.2.1")) == bytes([192, 0, 2, 1])


def test_a_zone_makes_no_other_source() -> None:
    assert host(ip_address("fe80::1%eth0")) == host(ip_address("fe80::1")) == host(peer_of("fe80::1%7"))


@pytest.mark.parametrize("name", ["admin", "ADMIN", "admin@example.org", "CORP\\Admin", " trap@example.org"])
def test_names_on_the_lists_are_decoys_in_every_form(name: str) -> None:
    assert Decoys(["admin"], ["Trap@example.org"]).lures(name)


@pytest.mark.parametrize("name", ["ann", "administrator", "trap", "trap@example.net", ""])
def test_other_names_are_none(name: str) -> None:
    assert not Decoys(["admin"], ["trap@example.org"]).lures(name)


HOME, NEAR, FAR = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 200]), bytes([198, 51, 100, 1])


def test_a_source_is_known_exactly_or_by_its_network() -> None:
    known = KnownSources()
    assert known.add("bob", HOME, 0.0)
    assert known.familiarity("bob", HOME) is Familiarity.HOST
    assert known.familiarity("bob", NEAR) is Familiarity.NETWORK
    assert known.familiarity("bob", FAR) is Familiarity.STRANGE
    assert known.familiarity("ann", HOME) is Familiarity.STRANGE
    assert known.familiarity("bob", HOME[:3] + bytes(5)) is Familiarity.STRANGE  # IPv6 that begins alike
    assert known.is_anybodys(HOME)
    assert not known.is_anybodys(NEAR)


def test_a_source_is_worth_keeping_again_after_a_day() -> None:
    known = KnownSources()
    assert known.add("bob", HOME, 0.0)
    assert not known.add("bob", HOME, 1_000.0)
    assert known.add("bob", HOME, 90_000.0)


def test_sources_are_forgotten_by_age_and_by_number() -> None:
    known = KnownSources(names=2)
    known.load(
        [KnownSource("bob", HOME, 10.0), KnownSource("bob", FAR, 90.0), KnownSource("ann", HOME, 20.0)]
    )
    known.forget_before(50.0)
    assert [one.host for one in known.of("bob")] == [FAR]
    assert not known.is_anybodys(HOME)
    for number in range(100):
        known.add("ann", number.to_bytes(4, "big"), 100.0)
    assert len(known.of("ann")) == 64
    known.add("cat", HOME, 100.0)
    assert not known.has_name("bob")
    assert len(set(known.hosts())) == 65
