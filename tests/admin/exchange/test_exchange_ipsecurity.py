"""Lists of addresses in the metabase: what real servers hold, whatever can be written, and what is none."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Network, collapse_addresses, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.exchange.iplists import ip_list
from gatepost.admin.exchange.ipsecurity import BadIpList, IpList, decoded, of_hex

# As published by administrators who read it from their servers: 127.0.0.1 alone may relay.
ONE_ADDRESS = bytes(
    (
        24, 0, 0, 128, 32, 0, 0, 128, 60, 0, 0, 128, 68, 0, 0, 128, 1, 0, 0, 0, 76, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        76, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 127, 0, 0, 1,
    )
)  # fmt: skip
NETWORKS = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(1, 2**32 - 1),
    st.integers(1, 32),
)
LISTS = st.lists(NETWORKS.map(str), max_size=12, unique=True)
NAMES = st.lists(
    st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{2,6}){0,3}", fullmatch=True), max_size=5, unique=True
)


def test_what_a_server_holds_is_read() -> None:
    assert decoded(ONE_ADDRESS) == IpList((IPv4Network("127.0.0.1/32"),), only_listed=True)
    assert ip_list(["127.0.0.1/32"]) == ONE_ADDRESS


def test_the_three_ways_of_the_dialog() -> None:
    assert decoded(b"").grants_by_default
    assert decoded(ip_list(denied=["10.0.0.0/8"])).grants_by_default
    nobody = decoded(ip_list(["0.0.0.0/32"]))
    assert (nobody.only_listed, nobody.granted) == (True, ())
    assert of_hex(ip_list(["10.0.5.0/24"]).hex()).only_listed
    assert of_hex("").grants_by_default


@given(LISTS, LISTS, NAMES, NAMES)
def test_whatever_can_be_written_is_read(
    granted: list[str], denied: list[str], granted_names: list[str], denied_names: list[str]
) -> None:
    found = decoded(ip_list(granted, denied, granted_names, denied_names))
    assert list(found.granted) == list(collapse_addresses(map(IPv4Network, granted)))
    assert list(found.denied) == list(collapse_addresses(map(IPv4Network, denied)))
    assert set(found.granted_names) == set(granted_names)
    assert set(found.denied_names) == set(denied_names)
    assert found.only_listed == bool(granted or granted_names)


@given(LISTS, st.integers(0, 2**32 - 1))
def test_an_address_is_granted_exactly_when_a_network_of_the_list_holds_it(
    granted: list[str], number: int
) -> None:
    found = decoded(ip_list(granted))
    address = ip_address(number)
    held = any(address in IPv4Network(text) for text in granted)
    assert any(address in network for network in found.granted) == held


@given(LISTS, NAMES, st.data())
def test_cut_off_and_damaged_lists_are_said_to_be(
    granted: list[str], names: list[str], data: st.DataObject
) -> None:
    whole = ip_list(granted, granted_names=names)
    cut = data.draw(st.integers(1, len(whole) - 1))
    damaged = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        damaged[at] = data.draw(st.integers(0, 255))
    for some in (whole[:cut], bytes(damaged)):
        with contextlib.suppress(BadIpList):
            decoded(some)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    with contextlib.suppress(BadIpList):
        decoded(content)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zz", "not hexadecimal"),
        ("18000080", "too few for a header"),
        (ONE_ADDRESS[:50].hex(), "ends before byte"),
        (ONE_ADDRESS[:-2].hex(), "ends within the address"),
        (ONE_ADDRESS.hex().replace("02000000", "63000000", 1), "unknown family 99"),
        (ONE_ADDRESS.hex().replace("18000080", "18000000", 1), "no reference"),
        (ONE_ADDRESS.hex().replace("0400000000000000", "040000000f000000", 1), "no mask"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(BadIpList, match=says):
        of_hex(text)


def test_lists_that_would_take_long_are_refused_at_once() -> None:
    claims = bytearray(ip_list(["10.0.0.1/32"] * 1))
    claims[36:40] = (2**31).to_bytes(4, "little")
    with pytest.raises(BadIpList, match="do not fit"):
        decoded(bytes(claims))
    with pytest.raises(BadIpList, match="are no list"):
        decoded(bytes(5 * 1024 * 1024))
