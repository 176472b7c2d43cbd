"""Addresses: RFC 5321 §4.1.2, §4.1.3, §4.5.3.1; RFC 6531 §3.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address, AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("ann@example.org", "ann", "example.org"),
        ("Ann.Lee+x@Example.ORG", "Ann.Lee+x", "example.org"),
        ("!#$%&'*+/=?^_`{|}~-@x", "!#$%&'*+/=?^_`{|}~-", "x"),
        ('"a b"@x', "a b", "x"),
        ('"a\\"b\\\\c"@x', 'a"b\\c', "x"),
        ('"a@b"@x', "a@b", "x"),
        ('"plain"@x', "plain", "x"),
        ('""@x', "", "x"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8::1]", "a", "[ipv6:2001:db8::1]"),
        ("a@[tag:x@y]", "a", "[tag:x@y]"),
        ("a@my_host.local", "a", "my_host.local"),
        ("jörg@Bücher.example", "jörg", "bücher.example"),
        ("a%b@c", "a%b", "c"),
        ("b!u@c", "b!u", "c"),
        ("x" * 64 + "@a", "x" * 64, "a"),
        ("a@" + "d" * 63 + ".example", "a", "d" * 63 + ".example"),
    ],
)
def test_a_mailbox_is_read(text: str, local: str, domain: str) -> None:
    assert parse_address(text) == Address(local, domain)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "@", "a@", "@x", "a b@x", "a@x y", "a@@x", "a@b@c", ".a@x", "a.@x", "a..b@x", "a@.x",
        "a@x.", "a@x..y", "a@-x", "a@x-", '"a@x', 'a"b"@x', '"a"b@x', '"a""b"@x', "a@[", "a@[]", "a@[1.2.3]",
        "a@[01.2.3.4]", "a@[1.2.3.4", "a@[IPv6:x]", "a@[IPv6:fe80::1%eth0]", "a@[IPv6:1.2.3.4]",
        "a@[1.2.3.4]x", "<a@x>", "a@x\n", "a\r\n@x", "a\0@x", '"a\n"@x', "a\x7f@x", "a\x85@x", "a\u202e@x",
        "a@\u202ex", "\udc80@x", "a@\uff45xample.org", "a@example\u3002org", "a@\u212aelvin.example",
        "(c)a@x", "a,b@x", "a:b@x", "a;b@x", "@r:a@x", "postmaster", "x" * 65 + "@a", "a@" + "d" * 64,
        "a@" + "d." * 130 + "e", "é" * 33 + "@x", "a@" + ".".join(["d" * 62] * 4) + ".ex",
    ],
)  # fmt: skip
def test_what_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


PARTS = st.text(
    st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" .\"\\@'"), min_size=1, max_size=20
).filter(str.isprintable)


@given(PARTS, st.sampled_from(["example.org", "[192.0.2.1]", "[ipv6:::1]", "bücher.example"]))
def test_an_address_reads_as_it_is_written(local: str, domain: str) -> None:
    address = Address(local, domain)
    if len(str(address).rpartition("@")[0].encode()) <= 64:
        assert parse_address(str(address)) == address


@given(st.text() | st.text('ab@."\\[]:IPv6 1', max_size=30))
def test_every_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(str(address)) == address
    assert str(address).isprintable()
    assert address.domain == address.domain.lower()


def test_the_bare_postmaster_is_written_without_a_domain() -> None:
    assert str(Address("Postmaster", "")) == "Postmaster"
