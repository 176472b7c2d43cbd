"""Who could relay, one by one, as the audit judges them: local accounts and those of directories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatepost.admin.audit_access import is_public, line_of, takes_passwords
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.admin.explain_rows import relayer_row
from gatepost.admin.relayers import Relayer
from gatepost.config.schema import Settings, SmtpServer
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason


@dataclass(frozen=True, slots=True)
class Asked:
    """One identity, asked at one virtual server. `ways` lead to its groups, by key.

    `last_logon` is what its directory says, beside our own records.
    """

    server: SmtpServer
    identity: Identity
    relayer: Relayer
    ways: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    last_logon: float | None = None

    def row(self) -> dict[str, Any]:
        return relayer_row(self.relayer, self.ways) | {"directory": self.identity.directory}


def protected_weaknesses(settings: Settings, asked: Iterable[Asked]) -> Iterator[Weakness]:
    """Administrators and guessable names: those that relay, and those whom a group was to let relay."""
    for one in asked:
        if one.relayer.may:
            yield from _relaying(settings, one)
        elif one.relayer.reason is Reason.PROTECTED_ACCOUNT:
            way = next(iter(_ways(one)), ())
            through = f" is in {' in '.join(way)}" if way else " is meant by an entry that gives relay"
            text = f"{one.identity.name}{through}, and is {_why(one.identity)}"
            yield Weakness(Weak.PROTECTED_MEMBER, Grade.MEDIUM, text, (one.identity.name,))


def _relaying(settings: Settings, one: Asked) -> Iterator[Weakness]:
    lines = tuple(line_of(settings, entry.line) for entry in one.relayer.entries)
    if one.identity.guessable:
        exposed = takes_passwords(one.server) and is_public(one.server)
        grade = Grade.CRITICAL if exposed else Grade.HIGH
        text = f"{one.server.name}: {one.identity.name} may relay, and its name is one that attackers try"
        yield Weakness(Weak.GUESSABLE_RELAYS, grade, text, (*lines, one.identity.name))
    if one.identity.privileged:
        text = f"{one.server.name}: {one.identity.name} may relay, and is an administrator"
        yield Weakness(Weak.ADMINISTRATOR_RELAYS, Grade.HIGH, text, (*lines, one.identity.name))


def _ways(one: Asked) -> Iterator[tuple[str, ...]]:
    entry = one.relayer.entry
    if entry is not None and entry.to.name in one.ways:
        yield one.ways[entry.to.name]


def _why(identity: Identity) -> str:
    return "an administrator" if identity.privileged else "called by a name that attackers try"
