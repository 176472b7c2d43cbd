"""A principal reads as written, or the fault says what to write."""

from __future__ import annotations

import pytest

from gatepost.policy.principal import Kind, PrincipalError, parse_network, parse_principal


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("anyone", Kind.ANYONE, ""),
        ("anonymous", Kind.ANONYMOUS, ""),
        ("authenticated", Kind.AUTHENTICATED, ""),
        ("user:Ann@Example.org", Kind.USER, "ann@example.org"),
        ("user:CORP\\ann", Kind.USER, "corp\\ann"),
        ("group:POP3 Relay", Kind.GROUP, "pop3 relay"),
        ("group:a:b", Kind.GROUP, "a:b"),
        ("net:10.0.5.0/24", Kind.NET, "10.0.5.0/24"),
        ("host:mx.example.org", Kind.HOST, "mx.example.org"),
        ("certificate:scanner", Kind.CERTIFICATE, "scanner"),
    ],
)
def test_a_principal_is_read(text: str, kind: Kind, name: str) -> None:
    principal = parse_principal(text)
    assert (principal.kind, principal.name, str(principal)) == (kind, name, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("everyone", "names nobody; write one of anyone"),
        ("", "names nobody"),
        ("Anyone", "names nobody"),
        ("anyone:x", "takes no name; write just 'anyone'"),
        ("group", "lacks a name; write group:NAME"),
        ("group:", "lacks a name"),
        ("user: ann", "without blanks"),
        ("net:10.0.5.7/24", "write 10.0.5.0/24"),
        ("net:printers", "is not a network"),
        ("net:::ffff:10.0.0.0/104", "write it as IPv4"),
    ],
)
def test_what_names_nobody_is_explained(text: str, said: str) -> None:
    with pytest.raises(PrincipalError, match=said.replace("(", "\\(")):
        parse_principal(text)


def test_a_single_address_is_a_network_of_one() -> None:
    assert parse_network("192.0.2.7").num_addresses == 1
    assert parse_network("2001:db8::1").num_addresses == 1
