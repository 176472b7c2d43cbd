"""explain asks what a session asks: the truth table's rows, and the stages around them."""

from __future__ import annotations

import pytest

from admin.explaining import answer, identity, server, stage, table
from gatepost.admin.explain import Explanation
from gatepost.config.schema import TlsMode
from gatepost.policy.access import Answer
from gatepost.policy.facts import UNKNOWN
from gatepost.policy.reasons import Reason
from policy import test_truth_table as truth

OPEN = table("allow connect,submit,relay to anyone")
GROUP = table(
    "allow connect to anyone", "allow submit to authenticated", "allow submit,relay to group:POP3 Relay"
)
ANN, BOB = identity("ann", "pop3 relay"), identity("bob")


def said(explanation: Explanation, name: str) -> str:
    found = stage(explanation, name)
    if found.answer is Answer.YES:
        return "250"
    assert found.reply is not None
    return f"{found.reply[:3]} {found.reason.value}"


@pytest.mark.parametrize("row", truth._rows(), ids=truth._row_id)
def test_the_truth_table_holds(row: truth.Row) -> None:
    explanation = answer(
        server(row.table),
        peer=str(row.facts.peer),
        tls=row.facts.tls,
        login=row.facts.identity,
        hostnames=row.facts.hostnames,
    )
    assert said(explanation, "mail") == row.submit
    if row.remote != "-":
        assert said(explanation, "relay") == row.remote


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("bob@example.org", "250"),
        ("BOB@EXAMPLE.ORG", "550 unknown-recipient"),  # this test's directory knows one spelling
        ("user%else.example@example.org", "550 unknown-recipient"),
        ('"user@else.example"@example.org', "550 unknown-recipient"),
        ("else.example!user@example.org", "550 unknown-recipient"),
        ("anybody@forward.example", "250"),
        ("user%else.example@forward.example", "550 unknown-recipient"),
        ("no address", "553 recipient-syntax"),
    ],
)
def test_local_recipients(recipient: str, expected: str) -> None:
    explanation = answer(server(OPEN), rcpt=recipient)
    assert said(explanation, "recipient") == expected
    assert [one.name for one in explanation.stages][-1] == "recipient"


def test_the_entry_that_decided_is_named() -> None:
    relay = stage(answer(server(GROUP), login=ANN), "relay")
    assert relay.entry is not None
    assert relay.entry.line == 3
    assert [match.holds for match in relay.matches] == [Answer.YES]


def test_the_reply_is_the_server_s() -> None:
    explanation = answer(server(GROUP), login=BOB)
    assert explanation.stops_at is stage(explanation, "relay")
    assert not explanation.allowed
    expected = "550 5.7.1 Unable to relay for x@else.example [relay-denied SESSION]"
    assert stage(explanation, "relay").reply == expected


def test_who_could_join_is_told_how() -> None:
    remedy = stage(answer(server(GROUP), login=BOB), "relay").remedy
    assert '`gatepost group join "POP3 Relay" bob@example.org` (line 3)' in remedy


def test_a_stranger_is_told_to_log_in() -> None:
    explanation = answer(server(GROUP))
    assert stage(explanation, "mail").reason is Reason.AUTH_REQUIRED
    assert "log in as a member of the group “POP3 Relay” (line 3)" in stage(explanation, "relay").remedy


def test_a_deny_is_named_in_its_remedy() -> None:
    at = server(table("allow connect,submit,relay to anyone", "deny relay to authenticated"))
    relay = stage(answer(at, login=ANN), "relay")
    assert relay.reason is Reason.ACCESS_DENIED
    assert relay.remedy.startswith("Narrow line 2")


def test_required_tls_stops_everything_but_the_connection() -> None:
    at = server(OPEN, tls=TlsMode.REQUIRE)
    explanation = answer(at)
    assert explanation.stops_at is stage(explanation, "tls")
    assert said(explanation, "tls") == "530 tls-required"
    assert answer(at, tls=True).allowed


def test_implicit_tls_is_on_for_the_connection_too() -> None:
    narrow = table("allow connect,submit,relay to anyone tls")
    assert answer(server(narrow, tls=TlsMode.IMPLICIT)).allowed
    assert said(answer(server(narrow), tls=True), "connect") == "554 connect-denied"


def test_starttls_where_it_is_off_is_refused() -> None:
    assert said(answer(server(OPEN, tls=TlsMode.OFF), tls=True), "tls") == "502 not-implemented"


@pytest.mark.parametrize(
    ("login", "expected", "inside"),
    [
        (Reason.UNKNOWN_USER, "535 unknown-user", Answer.NO),
        (Reason.ACCOUNT_DISABLED, "535 account-disabled", Answer.NO),
        (Reason.DIRECTORY_UNAVAILABLE, "454 directory-unavailable", Answer.UNKNOWN),
    ],
)
def test_a_failed_login_goes_on_as_nobody(login: Reason, expected: str, inside: Answer) -> None:
    explanation = answer(server(OPEN), login=login)
    assert said(explanation, "login") == expected
    assert stage(explanation, "login").answer is inside
    assert said(explanation, "relay") == "250"
    assert not explanation.allowed


def test_what_the_peer_hears_of_a_failed_login_says_nothing() -> None:
    reply = stage(answer(server(OPEN), login=Reason.ACCOUNT_DISABLED), "login").reply
    assert reply == "535 5.7.8 Authentication credentials invalid [bad-credentials SESSION]"


def test_a_login_in_clear_is_refused_where_it_is_not_allowed() -> None:
    at = server(OPEN, in_clear=False)
    assert said(answer(at, login=ANN), "login") == "538 auth-needs-tls"
    assert said(answer(at, login=ANN, tls=True), "login") == "250"
    assert said(answer(server(OPEN, auth=()), login=ANN), "login") == "502 auth-not-offered"


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("", "250"),
        ("ann@example.org", "250"),
        ("ann+list@example.org", "250"),
        ("bob@example.org", "550 sender-not-own"),
    ],
)
def test_a_sender_is_one_s_own(sender: str, expected: str) -> None:
    assert said(answer(server(OPEN), login=ANN, sender=sender), "sender") == expected


def test_any_sender_lets_other_addresses_through() -> None:
    at = server(table("allow connect,submit,relay,any-sender to anyone"))
    sender = stage(answer(at, login=ANN, sender="bob@example.org"), "sender")
    assert sender.answer is Answer.YES
    assert sender.entry is not None


def test_what_cannot_be_told_is_no_yes() -> None:
    at = server(table("allow connect,submit to anyone", "allow relay to host:scanner.example.org"))
    explanation = answer(at, hostnames=UNKNOWN)
    assert said(explanation, "relay") == "451 fact-unknown"
    assert not explanation.allowed


def test_an_international_sender_is_read() -> None:
    assert said(answer(server(OPEN), sender="jürgen@exämple.example"), "sender") == "250"
