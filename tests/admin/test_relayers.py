"""Who could relay is what the access page says, from every place it tells apart."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.explaining import identity, server, table
from gatepost.admin.relayers import Relayer, means_every_user, places, strangers, users
from gatepost.config.schema import SmtpServer, TlsMode
from gatepost.policy.access import Right, Table, may
from gatepost.policy.facts import Facts
from gatepost.policy.reasons import Reason

BASE = ("allow connect to anyone", "allow submit to authenticated")
ANN = identity("ann", "pop3 relay")


def asked(at: SmtpServer, who: object = ANN) -> Relayer:
    (found,) = users(at, [who])  # type: ignore[list-item]
    return found


def lines(relayer: Relayer) -> list[int]:
    return [entry.line for entry in relayer.entries]


def test_a_member_relays_by_the_group_s_entry() -> None:
    found = asked(server(table(*BASE, "allow relay to group:POP3 Relay")))
    assert lines(found) == [3]
    assert found.places == ("elsewhere",)
    assert not found.over_tls


def test_who_is_in_no_group_does_not() -> None:
    found = asked(server(table(*BASE, "allow relay to group:POP3 Relay")), identity("bob"))
    assert not found.may
    assert found.reason is Reason.RELAY_DENIED


@pytest.mark.parametrize("marks", [{"privileged": True}, {"guessable": True}])
def test_protected_accounts_are_kept_out_and_said_so(marks: dict[str, bool]) -> None:
    protected = identity("root", "pop3 relay", **marks)
    found = asked(server(table(*BASE, "allow relay to group:POP3 Relay")), protected)
    assert not found.may
    assert found.reason is Reason.PROTECTED_ACCOUNT
    assert found.entry is not None
    named = server(table(*BASE, "allow relay to group:POP3 Relay", "allow relay to user:root@example.org"))
    assert lines(asked(named, protected)) == [4]


def test_a_deny_keeps_out() -> None:
    at = server(table(*BASE, "allow relay to group:POP3 Relay", "deny relay to user:ann@example.org"))
    assert asked(at).reason is Reason.ACCESS_DENIED


def test_nobody_logs_in_where_no_login_is_heard() -> None:
    access = table(*BASE, "allow relay to group:POP3 Relay")
    assert asked(server(access, auth=())).reason is Reason.AUTH_NOT_OFFERED
    assert not asked(server(access, tls=TlsMode.OFF, in_clear=False)).may
    assert asked(server(access, tls=TlsMode.OFF, in_clear=True)).may
    assert asked(server(access, tls=TlsMode.REQUIRE)).over_tls


def test_who_may_not_hand_in_mail_does_not_relay() -> None:
    at = server(table("allow connect to anyone", "allow relay to group:POP3 Relay"))
    assert asked(at).reason is Reason.SUBMIT_DENIED


def test_a_network_is_named_without_what_is_denied_in_it() -> None:
    access = table(
        "allow connect,submit to anyone", "allow relay to net:10.0.0.0/8", "deny relay to net:10.5.0.0/16"
    )
    (found,) = strangers(server(access))
    assert found.places == ("10.0.0.0/8",)
    assert lines(found) == [2]


def test_named_hosts_and_certificates_are_listed() -> None:
    access = table(
        "allow connect,submit to anyone",
        "allow relay to host:scanner.example.org",
        "allow relay to certificate:device",
    )
    assert [str(found.principal) for found in strangers(server(access)) if found.may] == [
        "host:scanner.example.org",
        "certificate:device",
    ]


def test_every_user_is_meant_only_where_no_name_says_who() -> None:
    assert not means_every_user(server(table(*BASE, "allow relay to group:POP3 Relay")))
    assert means_every_user(server(table(*BASE, "allow relay to authenticated")))
    assert means_every_user(server(table(*BASE, "allow relay to net:10.0.0.0/8")))
    devices = table("allow connect,submit to anyone", "allow relay to net:10.0.0.0/8")
    assert not means_every_user(server(devices))


NETWORKS = st.sampled_from(
    [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "10.0.5.0/24",
        "10.0.5.7/32",
        "255.0.0.0/8",
        "::/0",
        "2001:db8::/32",
        "2001:db8:5::/48",
    ]
)
ENTRIES = st.builds("{} relay to net:{}".format, st.sampled_from(["allow", "deny"]), NETWORKS) | st.builds(
    "{} relay to anyone from {}".format, st.sampled_from(["allow", "deny"]), NETWORKS
)
PEERS = st.sampled_from(
    [
        "10.0.5.7",
        "10.0.5.8",
        "10.0.6.1",
        "10.200.0.1",
        "255.1.1.1",
        "9.9.9.9",
        "2001:db8::1",
        "2001:db8:5::1",
        "2002::1",
    ]
)


@given(st.lists(ENTRIES, max_size=5), PEERS)
def test_one_peer_of_its_place_answers_for_every_peer(entries: list[str], peer: str) -> None:
    access: Table = table(*entries)
    address = ip_address(peer)
    found = places(access)
    holding = [place for place in found if place.network is not None and address in place.network]
    elsewhere = next((place for place in found if place.network is None), None)
    narrowest = max(holding, key=lambda place: place.network.prefixlen, default=elsewhere)  # type: ignore[union-attr]
    assert narrowest is not None
    asked_there = may(Right.RELAY, Facts(narrowest.peer, hostnames=frozenset()), access)
    assert asked_there.answer is may(Right.RELAY, Facts(address, hostnames=frozenset()), access).answer


def test_a_certificate_relays_over_tls_alone() -> None:
    access = table("allow connect to anyone", "allow submit,relay to certificate:Scanner7")
    (found,) = strangers(server(access))
    assert found.may
    assert found.over_tls
    assert not any(one.may for one in strangers(server(access, tls=TlsMode.OFF)))
