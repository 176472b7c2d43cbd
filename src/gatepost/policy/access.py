"""MAY THIS CLIENT ...: the one page that answers it, everywhere. Pure.

Any matching deny wins, over everything; else any matching allow; else no. The order of entries does
not matter. A fact that could not be learned is never taken for a yes nor for a deny that does not
match: the answer is UNKNOWN, which is said as a 4xx reply.

Asked by the session, by `gatepost explain`, by the console, by the audit, and by `gatepost check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from gatepost.policy.facts import UNKNOWN, Facts, Identity
from gatepost.policy.principal import Kind, Network, Principal, PrincipalError, parse_network, parse_principal
from gatepost.policy.reasons import Reason

__all__ = [
    "Answer",
    "Effect",
    "Entry",
    "Kind",
    "Match",
    "Network",
    "Principal",
    "PrincipalError",
    "Right",
    "Table",
    "Verdict",
    "matches",
    "may",
    "parse_network",
    "parse_principal",
]


class Right(Enum):
    """What may be asked for."""

    CONNECT = "connect"  # a connection opens; nobody is logged in yet
    SUBMIT = "submit"  # MAIL FROM
    RELAY = "relay"  # RCPT TO a recipient outside the local domains
    ANY_SENDER = "any-sender"  # a sender that is not one of the identity's own addresses
    COLLECT = "collect"  # POP3 login

    # Enum hashes its name in Python code; members are single, so identity serves and is cheap.
    __hash__ = object.__hash__


class Effect(Enum):
    ALLOW = "allow"
    DENY = "deny"


class Answer(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("an Answer has three values; compare it with `is`")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an access table.

    `networks` None does not narrow; empty means nobody. `tls` True asks for an encrypted
    connection. `line` is where it stands in the file, 0 when it stands in none.
    """

    effect: Effect
    rights: frozenset[Right]
    to: Principal
    networks: tuple[Network, ...] | None = None
    tls: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entry` is the one that decided; None when no entry spoke for the client."""

    answer: Answer
    reason: Reason
    entry: Entry | None = None
    allowed: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", self.answer is Answer.YES)

    def __bool__(self) -> bool:
        raise TypeError("a Verdict has three answers; ask `allowed`")


NOBODY_SPOKE = {
    Right.CONNECT: Reason.CONNECT_DENIED,
    Right.SUBMIT: Reason.SUBMIT_DENIED,
    Right.RELAY: Reason.RELAY_DENIED,
    Right.ANY_SENDER: Reason.SENDER_NOT_OWN,
    Right.COLLECT: Reason.COLLECT_DENIED,
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """An entry made ready: what it says when it holds, when it may hold, and when it does not reach."""

    entry: Entry
    speaks: Callable[[Principal, Facts], Answer]
    certain: Verdict
    doubt: Verdict
    withheld: Verdict


@dataclass(frozen=True, slots=True)
class _Rules:
    denies: tuple[_Rule, ...]
    allows: tuple[_Rule, ...]
    otherwise: Verdict


@dataclass(frozen=True)
class Table:
    """The access table of one virtual server; an empty one says no to everything."""

    entries: tuple[Entry, ...]
    rules: dict[Right, _Rules] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_line = sorted(self.entries, key=lambda entry: entry.line)
        object.__setattr__(self, "rules", {right: _rules(right, by_line) for right in Right})

    @cached_property
    def demands_certificate(self) -> bool:
        """Nobody without a client certificate may connect."""
        opening = [e for e in self.entries if e.effect is Effect.ALLOW and Right.CONNECT in e.rights]
        return bool(opening) and all(entry.to.kind is Kind.CERTIFICATE for entry in opening)

    @cached_property
    def needs_hostnames(self) -> bool:
        """The peer's forward-confirmed names must be looked up before asking."""
        return any(entry.to.kind is Kind.HOST for entry in self.entries)


def may(right: Right, facts: Facts, table: Table) -> Verdict:
    """Whether the client of these facts has the right, why, and by which entry."""
    rules = table.rules[right]
    doubt: _Rule | None = None
    for rule in rules.denies:
        holds = _holds(rule, facts)
        if holds is Answer.YES:
            return rule.certain
        if holds is Answer.UNKNOWN:
            doubt = doubt or rule
    return doubt.doubt if doubt is not None else _allowed(right, facts, rules)


def _allowed(right: Right, facts: Facts, rules: _Rules) -> Verdict:
    doubt: _Rule | None = None
    withheld: _Rule | None = None
    for rule in rules.allows:
        holds = _holds(rule, facts)
        if holds is Answer.NO:
            continue
        if not _reaches(rule.entry, right, facts.identity):
            withheld = withheld or rule
        elif holds is Answer.YES:
            return rule.certain
        else:
            doubt = doubt or rule
    if doubt is not None:
        return doubt.doubt
    return withheld.withheld if withheld is not None else rules.otherwise


def _rules(right: Right, entries: Iterable[Entry]) -> _Rules:
    mine = [_rule(entry) for entry in entries if right in entry.rights]
    return _Rules(
        denies=tuple(rule for rule in mine if rule.entry.effect is Effect.DENY),
        allows=tuple(rule for rule in mine if rule.entry.effect is Effect.ALLOW),
        otherwise=Verdict(Answer.NO, NOBODY_SPOKE[right]),
    )


def _rule(entry: Entry) -> _Rule:
    yes = Verdict(Answer.YES, Reason.ALLOWED, entry)
    no = Verdict(Answer.NO, Reason.ACCESS_DENIED, entry)
    return _Rule(
        entry,
        speaks=_SPEAKS[entry.to.kind],
        certain=yes if entry.effect is Effect.ALLOW else no,
        doubt=Verdict(Answer.UNKNOWN, Reason.FACT_UNKNOWN, entry),
        withheld=Verdict(Answer.NO, Reason.PROTECTED_ACCOUNT, entry),
    )


def _reaches(entry: Entry, right: Right, identity: Identity | None) -> bool:
    """Protected accounts get relay only from an entry that names them."""
    if right is not Right.RELAY or identity is None or entry.to.kind is Kind.USER:
        return True
    return not (identity.privileged or identity.guessable)


def _holds(rule: _Rule, facts: Facts) -> Answer:
    """Whether the entry speaks of this client."""
    entry = rule.entry
    if entry.tls and not facts.tls:
        return Answer.NO
    networks = entry.networks
    if networks is not None and not any(facts.peer in network for network in networks):
        return Answer.NO
    return rule.speaks(entry.to, facts)


def _answer(holds: bool) -> Answer:
    return Answer.YES if holds else Answer.NO


def _speaks_of_anyone(to: Principal, facts: Facts) -> Answer:
    return Answer.YES


def _speaks_of_anonymous(to: Principal, facts: Facts) -> Answer:
    return _answer(facts.identity is None)


def _speaks_of_authenticated(to: Principal, facts: Facts) -> Answer:
    return _answer(facts.identity is not None)


def _speaks_of_user(to: Principal, facts: Facts) -> Answer:
    return _answer(facts.identity is not None and to.name in facts.identity.names)


def _speaks_of_group(to: Principal, facts: Facts) -> Answer:
    if facts.identity is None:
        return Answer.NO
    if facts.identity.groups is UNKNOWN:
        return Answer.UNKNOWN
    return _answer(to.name in facts.identity.groups)


def _speaks_of_net(to: Principal, facts: Facts) -> Answer:
    return _answer(to.network is not None and facts.peer in to.network)


def _speaks_of_host(to: Principal, facts: Facts) -> Answer:
    return Answer.UNKNOWN if facts.hostnames is UNKNOWN else _answer(to.name in facts.hostnames)


def _speaks_of_certificate(to: Principal, facts: Facts) -> Answer:
    return _answer(facts.certificate is not None and to.name in facts.certificate.names)


_SPEAKS: dict[Kind, Callable[[Principal, Facts], Answer]] = {
    Kind.ANYONE: _speaks_of_anyone,
    Kind.ANONYMOUS: _speaks_of_anonymous,
    Kind.AUTHENTICATED: _speaks_of_authenticated,
    Kind.USER: _speaks_of_user,
    Kind.GROUP: _speaks_of_group,
    Kind.NET: _speaks_of_net,
    Kind.HOST: _speaks_of_host,
    Kind.CERTIFICATE: _speaks_of_certificate,
}


@dataclass(frozen=True, slots=True)
class Match:
    """What one entry has to say to a client. `reaches` False: a protected account it does not name."""

    entry: Entry
    holds: Answer
    reaches: bool


def matches(right: Right, facts: Facts, table: Table) -> tuple[Match, ...]:
    """Every entry that speaks of the right, in the file's order, with whether it holds: for explaining."""
    rules = table.rules[right]
    found = [Match(rule.entry, _holds(rule, facts), reaches=True) for rule in rules.denies]
    for rule in rules.allows:
        found.append(Match(rule.entry, _holds(rule, facts), _reaches(rule.entry, right, facts.identity)))
    return tuple(sorted(found, key=lambda match: match.entry.line))
