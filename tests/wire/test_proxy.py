"""Who is behind a load balancer: exactly what the specification says, in any pieces, and no byte more."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from socket import AF_INET6, inet_pton

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.wire.proxy import (
    LONGEST_BYTES,
    SIGNATURE,
    Header,
    ProxyFault,
    crc32c,
    header,
    looks_like_header,
)

V4 = bytes([192, 0, 2, 1, 10, 0, 0, 7]) + struct.pack("!HH", 51_000, 25)
V6 = inet_pton(AF_INET6, "2001:db8::1") + inet_pton(AF_INET6, "2001:db8::25") + struct.pack("!HH", 51_000, 25)


def binary(command: int = 0x21, family: int = 0x11, rest: bytes = V4) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2, "big") + rest


def extra(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def checked(*extras: bytes) -> bytes:
    """With a checksum over the whole."""
    blank = binary(rest=V4 + b"".join(extras) + extra(3, bytes(4)))
    return blank[:-4] + crc32c(blank).to_bytes(4, "big")


GOOD: dict[str, tuple[bytes, str | None]] = {
    "tcp4": (b"PROXY TCP4 192.0.2.1 10.0.0.7 51000 25\r\n", "192.0.2.1"),
    "tcp6": (b"PROXY TCP6 2001:db8::1 ::1 51000 25\r\n", "2001:db8::1"),
    "mapped": (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:10.0.0.7 51000 25\r\n", "192.0.2.1"),
    "zone": (b"PROXY TCP6 fe80::1%eth0 fe80::2 51000 25\r\n", "fe80::1"),
    "unknown": (b"PROXY UNKNOWN\r\n", None),
    "unknown-with-more": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    "v2-tcp4": (binary(), "192.0.2.1"),
    "v2-tcp6": (binary(family=0x21, rest=V6), "2001:db8::1"),
    "v2-mapped": (binary(family=0x21, rest=inet_pton(AF_INET6, "::ffff:192.0.2.1") + V6[16:]), "192.0.2.1"),
    "v2-extras": (
        binary(rest=V4 + extra(1, b"h2") + extra(4, bytes(200)) + extra(0x20, b"\1\0\0\0\0")),
        "192.0.2.1",
    ),
    "v2-checksum": (checked(extra(2, b"mail.example.org")), "192.0.2.1"),
    "v2-local": (binary(0x20, 0x00, b""), None),
    "v2-local-with-more": (binary(0x20, 0x11, V4), None),
    "v2-unix": (binary(family=0x31, rest=bytes(216)), None),
    "v2-nothing": (binary(family=0x00, rest=b"whatever"), None),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_header_is_read_whole_in_pieces_and_with_what_follows(name: str) -> None:
    data, source = GOOD[name]
    expected = Header(len(data), None if source is None else ip_address(source), 51_000 if source else 0)
    assert header(data) == expected
    assert header(data + b"EHLO x\r\n") == expected
    assert all(header(data[:end]) is None for end in range(len(data)))
    assert looks_like_header(data)


BAD = {
    "smtp": b"EHLO x\r\n",
    "tls": b"\x16\x03\x01",
    "lower-case": b"proxy TCP4 192.0.2.1 10.0.0.7 51000 25\r\n",
    "no-family": b"PROXY 192.0.2.1 10.0.0.7 51000 25\r\n",
    "other-family": b"PROXY UDP4 192.0.2.1 10.0.0.7 51000 25\r\n",
    "wrong-family": b"PROXY TCP4 2001:db8::1 ::1 51000 25\r\n",
    "v4-as-v6": b"PROXY TCP6 192.0.2.1 10.0.0.7 51000 25\r\n",
    "no-address": b"PROXY TCP4 mail.example.org 10.0.0.7 51000 25\r\n",
    "octal": b"PROXY TCP4 192.0.2.010 10.0.0.7 51000 25\r\n",
    "bad-destination": b"PROXY TCP4 192.0.2.1 10.0.0.256 51000 25\r\n",
    "port": b"PROXY TCP4 192.0.2.1 10.0.0.7 65536 25\r\n",
    "other-port": b"PROXY TCP4 192.0.2.1 10.0.0.7 51000 99999\r\n",
    "zeros": b"PROXY TCP4 192.0.2.1 10.0.0.7 051000 25\r\n",
    "blanks": b"PROXY TCP4  192.0.2.1 10.0.0.7 51000 25\r\n",
    "more": b"PROXY TCP4 192.0.2.1 10.0.0.7 51000 25 x\r\n",
    "less": b"PROXY TCP4 192.0.2.1 10.0.0.7 51000\r\n",
    "bare-lf": b"PROXY TCP4 192.0.2.1 10.0.0.7 51000 25\n" + b"x" * 100,
    "endless": b"PROXY UNKNOWN " + b"x" * 100,
    "unknowns": b"PROXY UNKNOWNS\r\n",
    "v2-version": binary(0x11),
    "v2-command": binary(0x22),
    "v2-udp": binary(family=0x12),
    "v2-family": binary(family=0x41),
    "v2-short": binary(rest=V4[:11]),
    "v2-short-6": binary(family=0x21, rest=V6[:35]),
    "v2-short-unix": binary(family=0x31, rest=bytes(215)),
    "v2-extra-cut": binary(rest=V4 + b"\x04\x00"),
    "v2-extra-long": binary(rest=V4 + b"\x04\x00\x05abcd"),
    "v2-checksum": checked(extra(2, b"a"))[:-1] + b"x",
    "v2-checksum-short": binary(rest=V4 + extra(3, b"abc")),
    "v2-overlong": SIGNATURE + b"\x21\x11" + LONGEST_BYTES.to_bytes(2, "big"),
    "v2-signature": SIGNATURE[:-1] + b"\r",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_header_is_a_fault_and_never_more_is_waited_for(name: str) -> None:
    with pytest.raises(ProxyFault):
        header(BAD[name])


def test_the_checksum_is_the_one_of_the_specification() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@given(st.one_of(st.binary(max_size=300), st.sampled_from([data for data, _ in GOOD.values()])), st.data())
def test_no_bytes_do_anything_else(data: bytes, more: st.DataObject) -> None:
    if data:
        at = more.draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([more.draw(st.integers(0, 255))]) + data[at + 1 :]
    try:
        found = header(data)
    except ProxyFault:
        return
    if found is None:
        assert len(data) < LONGEST_BYTES
    else:
        assert 0 < found.length_bytes <= len(data)
        assert found.source is None or found.source.version == 4 or found.source.ipv4_mapped is None
