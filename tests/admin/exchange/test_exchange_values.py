"""Values of Exchange in their many forms."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.admin.exchange.jsonfile import flags
from gatepost.admin.exchange.values import bindings, is_unlimited, networks, number, seconds, size_bytes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("36 MB (37,748,736 bytes)", 37_748_736),
        ("36 MB (37.748.736 Bytes)", 37_748_736),
        ("36\u00a0Mo (37\u202f748\u202f736 octets)", 37_748_736),
        ("25MB", 25 * 2**20),
        ("1.5 GB", 3 * 2**29),
        ("512 KB", 512 * 1024),
        ("10240", 10_240),
        (37_748_736, 37_748_736),
        ({"IsUnlimited": False, "Value": "35 MB (36,700,160 bytes)"}, 36_700_160),
        ({"IsUnlimited": False, "Value": {"Value": 36_700_160}}, 36_700_160),
        ({"IsUnlimited": True}, None),
        ("Unlimited", None),
        ("much", None),
        (None, None),
        (True, None),
    ],
)
def test_sizes(value: Any, expected: int | None) -> None:
    assert size_bytes(value) == expected


def test_numbers_and_spans() -> None:
    assert [number(one) for one in ("20", 20, {"Value": "20", "IsUnlimited": False}, "Unlimited", "x")] == [
        20, 20, 20, None, None,
    ]  # fmt: skip
    assert [seconds(one) for one in ("00:10:00", "1.00:00:05", {"TotalSeconds": 300.0}, "soon", None)] == [
        600, 86_405, 300, None, None,
    ]  # fmt: skip
    assert is_unlimited("unlimited")
    assert not is_unlimited(5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["10.0.5.7"], ["10.0.5.7/32"]),
        (["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24"]),
        (["10.0.7.10-10.0.7.20"], ["10.0.7.10/31", "10.0.7.12/30", "10.0.7.16/30", "10.0.7.20/32"]),
        (["192.168.1.0(255.255.255.0)"], ["192.168.1.0/24"]),
        (["0.0.0.0-255.255.255.255"], ["0.0.0.0/0"]),
        (["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], ["::/0"]),
        (["fe80::1%eth0-fe80::3%eth0"], ["fe80::1/128", "fe80::2/127"]),
        ("10.0.0.1, 10.0.0.2", ["10.0.0.1/32", "10.0.0.2/32"]),
        ([{"LowerBound": "10.0.0.0", "UpperBound": "10.0.0.255", "RangeFormat": 2}], ["10.0.0.0/24"]),
        ([{"LowerBound": {"IPAddressToString": "10.0.0.4"}, "UpperBound": {"IPAddressToString": "10.0.0.5"}}],
         ["10.0.0.4/31"]),
        ({"value": ["10.0.0.1"], "Count": 1}, ["10.0.0.1/32"]),
        ([{"Expression": "10.1.0.0/16"}], ["10.1.0.0/16"]),
        (None, []),
    ],
)  # fmt: skip
def test_ranges(values: Any, expected: list[str]) -> None:
    assert [str(one) for one in networks(values)] == expected


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_holds_what_lies_between_and_nothing_else(one: int, other: int, asked: int) -> None:
    low, high = sorted((one, other))
    found = networks([f"{ip_address(low)}-{ip_address(high)}"])
    assert any(ip_address(asked) in network for network in found) == (low <= asked <= high)
    assert sum(network.num_addresses for network in found) == high - low + 1


@given(
    st.lists(
        st.builds(
            lambda n, p: ip_network((n, p), strict=False), st.integers(0, 2**32 - 1), st.integers(4, 32)
        )
    )
)
def test_the_fewest_networks(some: list[Any]) -> None:
    found = networks([str(one) for one in some])
    assert all(not one.overlaps(other) for i, one in enumerate(found) for other in found[i + 1 :])
    assert networks([str(one) for one in found]) == found


@pytest.mark.parametrize(
    "text", ["10.0.0.9-10.0.0.1", "10.0.0.1-::1", "everywhere", "10.0.0.0/40", "1.2.3.4(9)"]
)
def test_what_is_no_range_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no range of addresses"):
        networks([text])


def test_bindings() -> None:
    assert bindings(["[::]:25", "0.0.0.0:25", "0.0.0.0:25"]) == ("[::]:25", "0.0.0.0:25")
    assert bindings([{"Address": {"IPAddressToString": "10.0.0.1"}, "Port": 25}]) == ("10.0.0.1:25",)
    assert bindings("10.0.0.1:587") == ("10.0.0.1:587",)
    for text in ("mail:25", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000"):
        with pytest.raises(ValueError, match="no address with a port"):
            bindings([text])


def test_flags() -> None:
    words = {"tls": 1, "integrated": 2, "basicauth": 4}
    for value in ("Tls, BasicAuth", 5, "5", ["Tls", "BasicAuth"]):
        assert flags(value, words) == {"tls", "basicauth"}
    assert flags("None", words) == flags(0, words) == flags(None, words) == frozenset()
