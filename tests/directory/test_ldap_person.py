"""The small parts: names, filters, distinguished names, SIDs, frames."""

from __future__ import annotations

import pytest
import sansldap
from hypothesis import given
from hypothesis import strategies as st

from directory.ldaps import BASE
from gatepost.directory.ldap_fault import bind_problem, bind_refusal, result_problem
from gatepost.directory.ldap_frame import MESSAGE_BYTES, Frames, NotLdap
from gatepost.directory.ldap_name import LoginName, dn_key, dn_value, dns_domain, equal, first_value, parse
from gatepost.directory.ldap_person import is_everybody, is_privileged, sid_bytes, sid_text
from gatepost.policy.reasons import Reason


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bob", LoginName("bob")),
        ("bob@Example.org", LoginName("bob", domain="example.org")),
        ("CORP\\Bob", LoginName("bob", house="corp")),
        ("a@b@c", LoginName("a@b", domain="c")),
        ("Bjo\u0308rn", LoginName("bj\u00f6rn")),
        ("\\bob", None),
        ("corp\\", None),
        ("", None),
        ("   ", None),
        ("@b", None),
        ("a\0", None),
        ("x" * 255, None),
    ],
)
def test_names_are_read(text: str, name: LoginName | None) -> None:
    assert parse(text) == name


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_none(text: str) -> None:
    name = parse(text)
    assert name is None or (name.user and name.whole.isprintable())


@given(st.text(min_size=1, max_size=40))
def test_a_filter_says_the_value_whatever_it_holds(text: str) -> None:
    client, server = sansldap.LDAPClient(), sansldap.LDAPServer()
    value = text.encode("utf-8", "replace")
    client.search_request(BASE, filter=equal("uid", value))
    (message,) = server.receive(client.data_to_send())
    assert isinstance(message, sansldap.SearchRequest)
    assert message.filter == sansldap.FilterEquality("uid", value)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20))
def test_a_value_in_a_distinguished_name_reads_back(text: str) -> None:
    assert first_value(f"uid={dn_value(text)},ou=people,{BASE}") == text


def test_distinguished_names_are_compared_without_case_and_blanks() -> None:
    assert dn_key("CN=Bob, OU = People,DC=x") == dn_key("cn=bob,ou=people,dc=X")
    assert dns_domain("OU=People,DC=corp,DC=Example") == "corp.example"
    assert dns_domain("o=corp") == ""


@given(st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=15))
def test_sids_read_back(authority: int, parts: list[int]) -> None:
    text = "-".join(map(str, ("S", 1, authority, *parts)))
    assert sid_text(sid_bytes(text)) == text


@given(st.binary(max_size=80))
def test_any_octets_are_a_sid_or_none(data: bytes) -> None:
    text = sid_text(data)
    assert not text or sid_bytes(text) == data


def test_administrators_are_known_by_sid() -> None:
    for sid in ("S-1-5-32-544", "S-1-5-21-9-9-9-512", "S-1-5-21-9-9-9-518", "S-1-5-21-9-9-9-519"):
        assert is_privileged(["S-1-5-11", sid])
    for sid in ("S-1-5-32-545", "S-1-5-21-9-9-9-513", "S-1-5-21-9-9-9-1512", "S-1-5-80-512", ""):
        assert not is_privileged([sid])
    assert is_everybody("S-1-5-21-9-9-9-513")
    assert not is_everybody("S-1-5-21-9-9-9-1513")


@given(st.lists(st.integers(0, 300), max_size=6), st.integers(1, 7))
def test_frames_are_cut_however_they_come(sizes: list[int], step: int) -> None:
    messages = [_message(bytes(size)) for size in sizes]
    stream, frames, found = b"".join(messages), Frames(), list[bytes]()
    for begins in range(0, len(stream), step):
        found += frames.feed(stream[begins : begins + step])
    assert found == messages


@given(st.binary(min_size=1, max_size=200))
def test_any_octets_are_frames_or_refused(data: bytes) -> None:
    try:
        found = Frames().feed(data)
    except NotLdap:
        return
    assert data.startswith(b"".join(found))


@pytest.mark.parametrize("data", [b"HTTP", b"\x30\x80", b"\x30\x85\1\1\1\1\1", b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_message_of_a_sane_size_is_refused(data: bytes) -> None:
    with pytest.raises(NotLdap):
        Frames().feed(data)
    assert MESSAGE_BYTES < 0x10000000


def _message(content: bytes) -> bytes:
    if len(content) < 128:
        return b"\x30" + bytes([len(content)]) + content
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("80090308: LdapErr: DSID-0C090447, comment: error, data 533, v4563", Reason.ACCOUNT_DISABLED),
        ("80090308: LdapErr: data 775, v1db1", Reason.ACCOUNT_LOCKED),
        ("data 52E", Reason.WRONG_PASSWORD),
        ("data 9999", Reason.WRONG_PASSWORD),
        ("", Reason.WRONG_PASSWORD),
        ("data ", Reason.WRONG_PASSWORD),
    ],
)  # fmt: skip
def test_a_refused_bind_has_its_reason(said: str, reason: Reason) -> None:
    assert bind_refusal(said) is reason


def test_results_are_said_in_words() -> None:
    assert "locked" in bind_problem(49, "data 775")
    assert "TLS" in bind_problem(8, "")
    assert "referrals are not followed" in result_problem(10, "")
    assert "result 71: what\\n" not in result_problem(71, "what\nelse")
