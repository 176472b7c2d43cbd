"""Hosts that knock too fast are dropped by the kernel, and nobody else is."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.bans import Ban
from gatepost.guard.floodgate import Floodgate
from gatepost.guard.seat import Knocking
from gatepost.guard.sieve import HOSTS_AT_MOST, NETWORKS_AT_MOST, sieve
from gatepost.guard.source import host
from gatepost.log import Log, LogWriter
from guard.posts import Clock, Rig


def takes(program: bytes, header: bytes) -> bool:
    """What the machine makes of a packet with this network header."""
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    assert len(steps) <= 4_096
    loaded, at = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("!I", header, value - 0xFFF00000)
        elif code == 0x06:
            return value > 0
        elif code == 0x05:
            at += value
        else:
            holds = {0x15: loaded == value, 0x25: loaded > value, 0x35: loaded >= value}[code]
            at += yes if holds else no


def header4(source: int) -> bytes:
    return bytes(12) + source.to_bytes(4, "big") + bytes(4)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(0, 2**32 - 1), max_size=400),
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 31)), max_size=5),
    st.data(),
)
def test_a_sieve_drops_these_and_no_others(
    dropped: set[int], wide: list[tuple[int, int]], data: st.DataObject
) -> None:
    networks = [IPv4Network((number, length), strict=False) for number, length in wide]
    program = sieve([number.to_bytes(4, "big") for number in dropped], 4, networks)
    tried = data.draw(st.lists(st.integers(0, 2**32 - 1), max_size=20))
    near = [(number + step) % 2**32 for number in list(dropped)[:50] for step in (-1, 0, 1)]
    for number in (*tried, *near):
        refused = number in dropped or any(IPv4Address(number) in network for network in networks)
        assert takes(program, header4(number)) is not refused


def test_a_sieve_holds_as_many_as_it_says() -> None:
    hosts = [(7 * number + (200 << 24)).to_bytes(4, "big") for number in range(HOSTS_AT_MOST[4])]
    networks = [IPv4Network(((10 << 24) + (number << 8), 24)) for number in range(NETWORKS_AT_MOST)]
    program = sieve(hosts, 4, networks)
    assert not takes(program, header4(200 << 24))
    assert not takes(program, header4((10 << 24) + 5))
    assert takes(program, header4((200 << 24) + 1))
    many = [number.to_bytes(8, "big") for number in range(HOSTS_AT_MOST[6])]
    program = sieve([*many, b"1234"], 6)
    assert not takes(program, bytes(8) + many[-1] + bytes(24))
    assert takes(program, bytes(8) + b"\x20" * 16 + bytes(16))


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield door


def is_heard(door: socket.socket, source: str) -> bool:
    with socket.socket() as end:
        end.bind((source, 0))
        end.settimeout(0.2)
        try:
            end.connect(door.getsockname())
        except TimeoutError:
            return False
    door.accept()[0].close()
    return True


def test_the_kernel_drops_them_for_a_time(door: socket.socket, tmp_path: Path) -> None:
    clock, null = Clock(), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    gate = Floodgate(lambda: [door], Log(LogWriter(null)), clock)
    bad, other = "127.44.0.1", "127.44.0.2"
    key = host(ip_address(bad))
    assert is_heard(door, bad)
    gate.shut({key: 30.0}, [IPv4Network("127.45.0.0/16"), IPv4Network("127.46.0.1/32")])
    assert [is_heard(door, one) for one in (bad, other, "127.45.9.9", "127.46.0.1")] == [
        False,
        True,
        False,
        False,
    ]
    clock.now += 31
    gate.tidy()
    assert is_heard(door, bad)
    assert not is_heard(door, "127.45.9.9")
    gate.clear()
    assert is_heard(door, "127.45.9.9")
    assert len(gate) == 0
    os.close(null)


def test_a_host_that_knocks_too_fast_is_told_and_in_a_flood_all_that_are_refused() -> None:
    here = Rig(GuardSettings(trusted=(IPv4Network("198.18.0.0/16"),)), workers=1)
    told: list[Knocking] = []
    here.seat.on_knocks = told.append
    here.seat.ban([Ban(IPv4Network("203.0.113.0/24")), Ban(IPv4Network("198.18.0.0/24"))])
    here.login("administrator", "x", "192.0.2.9")  # a decoy
    post, fast, slow = here.posts[0], "203.0.113.1", "203.0.113.2"
    assert all(post.turns_away(one) for one in (fast, slow, "192.0.2.9"))
    assert not post.turns_away("198.18.0.1")
    for _ in range(20):
        post.knocked(ip_address(fast))
    post.knocked(ip_address(slow))
    post.flush()
    post.flush()
    assert [set(one.hosts) for one in told] == [{host(ip_address(fast))}]
    assert not told[0].networks
    for _ in range(300):
        post.vanished()
    post.flush()
    assert set(told[1].hosts) == {host(ip_address("192.0.2.9"))}
    assert list(told[1].networks) == [IPv4Network("203.0.113.0/24")]


def test_who_was_welcome_is_turned_away_once_he_is_refused() -> None:
    here = Rig(GuardSettings(), workers=1)
    post = here.posts[0]
    here.seat.ban([Ban(IPv4Network("198.51.100.0/24"))])
    assert not post.turns_away("203.0.113.1")
    here.seat.ban([Ban(IPv4Network("203.0.113.0/24"))])
    assert post.turns_away("203.0.113.1")
    here.seat.pardon("203.0.113.0/24")
    assert not post.turns_away("203.0.113.1")
