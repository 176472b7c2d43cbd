"""The access page keeps its laws whatever table and client it is asked about."""

from __future__ import annotations

import pickle
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.policy.access import (
    Answer,
    Effect,
    Entry,
    Right,
    Table,
    matches,
    may,
    parse_network,
    parse_principal,
)
from gatepost.policy.facts import UNKNOWN, ClientCertificate, Facts, Identity
from gatepost.policy.reasons import Reason
from policy.strategies import allows, denies, entries, facts, groups, hostnames, rights, tables

_PEER = ip_address("192.0.2.7")
_ANN = Identity("ann", frozenset({"ann"}), frozenset(), frozenset({"relay"}))


def _entry(effect: Effect, right: Right, to: str, line: int = 0) -> Entry:
    return Entry(effect, frozenset({right}), parse_principal(to), line=line)


@given(rights, facts, tables)
def test_a_deny_that_holds_always_wins(right: Right, client: Facts, table: Table) -> None:
    denied = any(
        match.entry.effect is Effect.DENY and match.holds is Answer.YES
        for match in matches(right, client, table)
    )
    verdict = may(right, client, table)
    assert (verdict.reason is Reason.ACCESS_DENIED) == denied
    if denied:
        assert verdict.answer is Answer.NO


@given(rights, facts, tables, allows)
def test_adding_an_allow_never_takes_away_a_yes(
    right: Right, client: Facts, table: Table, more: Entry
) -> None:
    if may(right, client, table).allowed:
        assert may(right, client, Table((*table.entries, more))).allowed


@given(rights, facts, tables, denies)
def test_adding_a_deny_never_gives_a_yes(right: Right, client: Facts, table: Table, more: Entry) -> None:
    if not may(right, client, table).allowed:
        assert not may(right, client, Table((*table.entries, more))).allowed


@given(rights, facts, st.lists(entries, max_size=8), st.randoms(use_true_random=False))
def test_order_never_matters(
    right: Right, client: Facts, all_entries: list[Entry], random: st.DrawFn
) -> None:
    shuffled = list(all_entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = may(right, client, Table(tuple(all_entries)))
    other = may(right, client, Table(tuple(shuffled)))
    assert (one.answer, one.reason) == (other.answer, other.reason)
    lines = [entry.line for entry in all_entries]
    if len(set(lines)) == len(lines):
        assert one == other


def _learned(client: Facts, some_groups: frozenset[str], names: frozenset[str]) -> Facts:
    identity = client.identity
    if identity is not None and identity.groups is UNKNOWN:
        identity = replace(identity, groups=some_groups)
    return replace(
        client, identity=identity, hostnames=names if client.hostnames is UNKNOWN else client.hostnames
    )


@given(rights, facts, tables, groups, hostnames)
def test_what_is_unknown_never_lets_through_what_knowing_would_not(
    right: Right, client: Facts, table: Table, some_groups: frozenset[str], names: frozenset[str]
) -> None:
    before = may(right, client, table).answer
    after = may(right, _learned(client, some_groups, names), table).answer
    if before is not Answer.UNKNOWN:
        assert after is before


@given(rights, facts, tables)
def test_a_yes_has_an_allow_that_holds_and_reaches(right: Right, client: Facts, table: Table) -> None:
    verdict = may(right, client, table)
    if verdict.allowed:
        assert verdict.entry is not None
        assert any(
            match.entry == verdict.entry and match.holds is Answer.YES and match.reaches
            for match in matches(right, client, table)
        )


@given(facts, tables)
def test_a_protected_account_relays_only_by_its_name(client: Facts, table: Table) -> None:
    identity = client.identity
    verdict = may(Right.RELAY, client, table)
    if identity is not None and (identity.privileged or identity.guessable) and verdict.allowed:
        assert verdict.entry is not None
        assert str(verdict.entry.to) == f"user:{identity.name}"


@given(rights, facts)
def test_an_empty_table_says_no(right: Right, client: Facts) -> None:
    assert may(right, client, Table(())).answer is Answer.NO


@given(rights, facts, tables)
def test_a_table_survives_being_handed_to_another_process(right: Right, client: Facts, table: Table) -> None:
    copy = pickle.loads(pickle.dumps(table))
    assert may(right, client, copy) == may(right, client, table)


def test_the_deny_of_the_lowest_line_is_named() -> None:
    table = Table(
        (
            _entry(Effect.DENY, Right.RELAY, "anyone", line=9),
            _entry(Effect.DENY, Right.RELAY, "anonymous", line=4),
        )
    )
    entry = may(Right.RELAY, Facts(_PEER), table).entry
    assert entry is not None
    assert entry.line == 4


def test_an_empty_from_means_nobody() -> None:
    entry = replace(_entry(Effect.ALLOW, Right.RELAY, "anyone"), networks=())
    assert may(Right.RELAY, Facts(_PEER), Table((entry,))).answer is Answer.NO


def test_a_place_that_rules_an_entry_out_needs_no_directory() -> None:
    deny = replace(_entry(Effect.DENY, Right.RELAY, "group:relay"), networks=(parse_network("10.0.0.0/8"),))
    allow = _entry(Effect.ALLOW, Right.RELAY, "authenticated")
    client = Facts(_PEER, identity=replace(_ANN, groups=UNKNOWN))
    assert may(Right.RELAY, client, Table((deny, allow))).allowed


def test_a_deny_in_doubt_is_a_doubt_even_where_nothing_allows() -> None:
    deny = _entry(Effect.DENY, Right.RELAY, "group:relay")
    client = Facts(_PEER, identity=replace(_ANN, groups=UNKNOWN))
    assert may(Right.RELAY, client, Table((deny,))).answer is Answer.UNKNOWN


def test_a_group_in_doubt_that_does_not_reach_leaves_no_doubt() -> None:
    allow = _entry(Effect.ALLOW, Right.RELAY, "group:relay")
    client = Facts(_PEER, identity=replace(_ANN, groups=UNKNOWN, privileged=True))
    verdict = may(Right.RELAY, client, Table((allow,)))
    assert (verdict.answer, verdict.reason) == (Answer.NO, Reason.PROTECTED_ACCOUNT)


def test_protection_is_for_relay_alone() -> None:
    client = Facts(_PEER, identity=replace(_ANN, privileged=True))
    table = Table((Entry(Effect.ALLOW, frozenset(Right), parse_principal("group:relay")),))
    assert {right for right in Right if may(right, client, table).allowed} == set(Right) - {Right.RELAY}


def test_names_are_compared_without_case() -> None:
    table = Table(
        (_entry(Effect.ALLOW, Right.RELAY, "group:RELAY"), _entry(Effect.DENY, Right.SUBMIT, "user:Ann"))
    )
    client = Facts(_PEER, identity=_ANN)
    assert may(Right.RELAY, client, table).allowed
    assert may(Right.SUBMIT, client, table).reason is Reason.ACCESS_DENIED


def test_only_a_table_with_host_entries_needs_reverse_names() -> None:
    assert Table((_entry(Effect.ALLOW, Right.RELAY, "host:a.example"),)).needs_hostnames
    assert not Table((_entry(Effect.ALLOW, Right.RELAY, "anyone"),)).needs_hostnames


def test_answers_and_verdicts_are_not_taken_for_truths() -> None:
    verdict = may(Right.RELAY, Facts(_PEER), Table(()))
    with pytest.raises(TypeError):
        bool(verdict)
    with pytest.raises(TypeError):
        bool(verdict.answer)


@pytest.mark.parametrize(
    ("names", "answer"), [({"x", "scanner"}, Answer.YES), ({"other"}, Answer.NO), (None, Answer.NO)]
)
def test_a_certificate_is_meant_by_any_of_its_names(names: set[str] | None, answer: Answer) -> None:
    shown = None if names is None else ClientCertificate("X", frozenset(names))
    table = Table((_entry(Effect.ALLOW, Right.RELAY, "certificate:Scanner"),))
    assert may(Right.RELAY, Facts(_PEER, certificate=shown), table).answer is answer


def test_a_certificate_is_demanded_where_nobody_else_may_connect() -> None:
    device = _entry(Effect.ALLOW, Right.CONNECT, "certificate:scanner")
    assert Table((device,)).demands_certificate
    assert not Table((device, _entry(Effect.ALLOW, Right.CONNECT, "net:10.0.0.0/8"))).demands_certificate
    assert not Table(()).demands_certificate
