"""Every row of the promised truth table holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from gatepost.policy.access import Effect, Entry, Right, Table, may, parse_network, parse_principal
from gatepost.policy.facts import UNKNOWN, Facts, Identity
from gatepost.policy.refusal import refusal

_FILE = Path(__file__).with_name("truth_table.txt")


def _identity(name: str, *groups: str) -> Identity:
    names = frozenset({name, f"{name}@example.org"})
    return Identity(f"{name}@example.org", names, frozenset(), frozenset(groups))


_ANN = _identity("ann", "pop3 relay")
_NOBODY = Facts(ip_address("192.0.2.7"), hostnames=frozenset())
_CLIENTS = {
    "stranger": _NOBODY,
    "scanner": replace(_NOBODY, hostnames=frozenset({"scanner.example.org"})),
    "dark": replace(_NOBODY, hostnames=UNKNOWN),
    "ann": replace(_NOBODY, identity=_ANN),
    "deep": replace(_NOBODY, identity=_identity("deep", "sales", "pop3 relay")),
    "bob": replace(_NOBODY, identity=_identity("bob", "sales")),
    "intern": replace(_NOBODY, identity=_identity("intern")),
    "administrator": replace(
        _NOBODY, identity=replace(_identity("administrator", "pop3 relay"), privileged=True)
    ),
    "guest": replace(_NOBODY, identity=replace(_identity("guest", "pop3 relay"), guessable=True)),
    "lost": replace(_NOBODY, identity=replace(_ANN, groups=UNKNOWN)),
}


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    number: str
    facts: Facts
    table: Table
    submit: str
    remote: str
    local: str


def _rows() -> list[Row]:
    tables: dict[str, tuple[Entry, ...]] = {}
    rows = []
    for number, line in enumerate(_FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("table "):
            name, _, entries = line.removeprefix("table ").partition(":")
            tables[name] = tuple(
                entry
                for text in entries.split(";")
                if text.strip()
                for entry in _entries(text.strip(), tables)
            )
        elif line and not line.startswith("#"):
            row, client, table, submit, remote, local = (part.strip() for part in line.split("|"))
            rows.append(Row(number, row, _facts(client), Table(tables[table]), submit, remote, local))
    return rows


def _entries(text: str, tables: dict[str, tuple[Entry, ...]]) -> tuple[Entry, ...]:
    if text.startswith("@"):
        return tables[text[1:]]
    effect, rights, rest = text.split(" ", 2)
    rest = rest.removeprefix("to ")
    tls = rest.endswith(" tls")
    to, _, networks = rest.removesuffix(" tls").partition(" from ")
    return (
        Entry(
            Effect(effect),
            frozenset(Right(right) for right in rights.split(",")),
            parse_principal(to),
            tuple(parse_network(network) for network in networks.split(",")) if networks else None,
            tls,
        ),
    )


def _facts(client: str) -> Facts:
    who, peer, channel = client.split()
    return replace(_CLIENTS[who], peer=ip_address(peer), tls=channel == "tls")


def _answer(right: Right, row: Row) -> str:
    verdict = may(right, row.facts, row.table)
    if verdict.allowed:
        return "250"
    told = refusal(right, verdict, login_would_be_heard=row.facts.identity is None)
    return f"{told.said.code} {told.reason.value}"


def _row_id(row: Row) -> str:
    return f"{row.number}-line-{row.line}"


@pytest.mark.parametrize("row", _rows(), ids=_row_id)
def test_the_row_holds(row: Row) -> None:
    assert _answer(Right.SUBMIT, row) == row.submit
    if row.remote != "-":
        assert _answer(Right.RELAY, row) == row.remote
    if row.local != "-":
        assert row.local == row.submit == "250"


def test_every_promised_row_stands_in_the_table() -> None:
    assert {row.number for row in _rows()} - {"+"} == {str(number) for number in range(1, 16)}
