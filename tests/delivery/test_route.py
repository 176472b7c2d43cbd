"""The choice of the next hop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.delivery.nexthop import Kind, NextHop, TlsUse
from gatepost.delivery.route import LocalDomain, Routing, Unroutable, next_hop, patterns

MAILBOX = next_hop("mailbox")


def routing(**routes: str) -> Routing:
    return Routing({}, {pattern: next_hop(via) for pattern, via in routes.items()})


def test_the_exact_route_is_taken_before_the_wildcards() -> None:
    table = routing(
        **{"a.b.test": "smtp://exact", "*.b.test": "smtp://b", "*.test": "smtp://top", "*": "smtp://rest"}
    )
    assert table.to("a.b.test").host == "exact"
    assert table.to("x.b.test").host == "b"
    assert table.to("x.y.b.test").host == "b"
    assert table.to("b.test").host == "top"
    assert table.to("else.example").host == "rest"


def test_without_any_route_the_mail_exchangers_are_asked() -> None:
    assert Routing({}, {}).to("x.test") == NextHop(Kind.MX, "x.test")


def test_a_route_by_mx_keeps_its_tls_and_asks_for_the_recipients_domain() -> None:
    table = Routing({}, {"*.partner.test": next_hop("mx", TlsUse.VERIFY)})
    assert table.to("mail.partner.test") == NextHop(Kind.MX, "mail.partner.test", tls=TlsUse.VERIFY)


def test_a_local_domain_is_stronger_than_any_route() -> None:
    table = Routing({"x.test": LocalDomain(MAILBOX)}, {"x.test": next_hop("smtp://else")})
    assert table.to("x.test") == NextHop(Kind.MAILBOX, "x.test")
    assert table.is_local("X.test")
    assert not table.is_local("y.test")


def test_a_local_domain_may_be_kept_elsewhere() -> None:
    table = Routing(
        {
            "x.test": LocalDomain(next_hop("lmtp://127.0.0.1:2424")),
            "y.test": LocalDomain(next_hop("smtp://[::1]:2525")),
        },
        {},
    )
    assert table.to("x.test") == NextHop(Kind.LMTP, "127.0.0.1", 2424)
    assert table.to("y.test") == NextHop(Kind.SMTP, "::1", 2525)
    assert str(table.to("y.test")) == "smtp://[::1]:2525"


def test_unknown_recipients_go_where_the_domain_says() -> None:
    table = Routing({"x.test": LocalDomain(MAILBOX, next_hop("smtp://old:25"))}, {})
    assert table.forward("x.test") == NextHop(Kind.SMTP, "old")
    assert table.forward("y.test") is None


@pytest.mark.parametrize(
    ("domain", "host"), [("[192.0.2.1]", "192.0.2.1"), ("[ipv6:2001:db8::1]", "2001:db8::1")]
)
def test_an_address_literal_goes_to_that_address(domain: str, host: str) -> None:
    assert Routing({}, {}).to(domain) == NextHop(Kind.SMTP, host)
    assert routing(**{"*": "smtp://smart"}).to(domain).host == "smart"
    assert routing(**{domain: "smtp://named", "*": "smtp://smart"}).to(domain).host == "named"


@pytest.mark.parametrize("domain", ["[300.1.1.1]", "[x400:abc]", "[]", "[ipv6:192.0.2.1]"])
def test_a_literal_that_is_no_address_is_unroutable(domain: str) -> None:
    with pytest.raises(Unroutable):
        Routing({}, {}).to(domain)


def test_the_bare_postmaster_is_ours() -> None:
    assert routing(**{"*": "smtp://smart"}).to("").kind is Kind.MAILBOX


def test_a_domain_in_u_labels_is_the_same_as_in_a_labels() -> None:
    table = routing(**{"bücher.example": "smtp://books"})
    assert table.to("bücher.example").host == "books"
    assert table.to("xn--bcher-kva.example").host == "books"


@pytest.mark.parametrize("via", ["", "http://x", "smtp://", "relay", "mailto:x"])
def test_a_text_that_is_no_next_hop_is_an_error(via: str) -> None:
    with pytest.raises(ValueError):
        next_hop(via)


@pytest.mark.parametrize(
    ("via", "port"), [("smtp://h", 25), ("smtps://h", 465), ("lmtp://h", 24), ("smtps://h:1", 1)]
)
def test_a_port_left_out_is_the_protocols_own(via: str, port: int) -> None:
    assert next_hop(via).port == port


labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


@given(domain=labels, routed=st.sets(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)))
def test_the_longest_matching_pattern_always_wins(domain: list[str], routed: set[str]) -> None:
    name = ".".join(domain)
    routes = {f"*.{parent}": next_hop(f"smtp://{parent}") for parent in routed}
    hop = Routing({}, routes).to(name)
    matching = [parent for parent in routed if name.endswith("." + parent)]
    assert hop == (NextHop(Kind.SMTP, max(matching, key=len)) if matching else NextHop(Kind.MX, name))


@given(labels)
def test_patterns_grow_ever_wider(domain: list[str]) -> None:
    name = ".".join(domain)
    found = patterns(name)
    assert found[0] == name
    assert found[-1] == "*"
    assert [len(pattern) for pattern in found[1:]] == sorted((len(p) for p in found[1:]), reverse=True)
