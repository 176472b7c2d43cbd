"""Virtual servers, identities and cases for the tests of explanations."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from gatepost.admin.explain import Case, Explanation, Known, Stage, explain
from gatepost.config.load import load_text
from gatepost.config.schema import Settings, SmtpServer, TlsMode
from gatepost.directory.directory import Mailbox, Resolution, UnknownRecipient
from gatepost.mail.address import Address, parse_address
from gatepost.policy.access import Effect, Entry, Right, Table, parse_network, parse_principal
from gatepost.policy.facts import Identity, UnknownType
from gatepost.policy.reasons import Reason

TEXT = """\
hostname = "mail.example.org"
state = "state"
[domains."example.org"]
[domains."forward.example"]
unknown = "smtp://old.example:25"
[smtp.door]
listen = ["127.0.0.1:2525"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""
SETTINGS: Settings = load_text(TEXT, Path("gatepost.toml"))


def entry(text: str, line: int = 0) -> Entry:
    """`allow relay,submit to group:Sales from 10.0.0.0/8 tls` as an entry."""
    effect, rights, _, rest = text.split(" ", 3)
    to, _, networks = rest.removesuffix(" tls").partition(" from ")
    return Entry(
        Effect(effect),
        frozenset(Right(right) for right in rights.split(",")),
        parse_principal(to),
        tuple(map(parse_network, networks.split(","))) if networks else None,
        rest.endswith(" tls"),
        line,
    )


def table(*texts: str) -> Table:
    """An access table whose first entry stands in line 1."""
    return Table(tuple(entry(text, line) for line, text in enumerate(texts, 1)))


def server(
    access: Table, *, tls: TlsMode = TlsMode.OFFER, auth: tuple[str, ...] = ("PLAIN",), in_clear: bool = True
) -> SmtpServer:
    changes = {"access": access, "tls": tls, "auth": auth, "auth_in_clear": in_clear}
    return SETTINGS.smtp["door"].model_copy(update=changes)


def identity(name: str, *groups: str, privileged: bool = False, guessable: bool = False) -> Identity:
    whole = f"{name}@example.org"
    return Identity(
        whole, frozenset({name, whole}), frozenset({parse_address(whole)}), frozenset(groups),
        privileged, guessable,
    )  # fmt: skip


def resolve(address: Address) -> Resolution:
    """bob has a mailbox, nobody else."""
    return Mailbox("bob@example.org") if address.local == "bob" else UnknownRecipient()


def answer(
    at: SmtpServer,
    *,
    peer: str = "192.0.2.7",
    tls: bool = False,
    login: Identity | Reason | None = None,
    sender: str = "",
    rcpt: str = "x@else.example",
    hostnames: frozenset[str] | UnknownType = frozenset(),
) -> Explanation:
    """What would become of it; the sender is the null one unless said."""
    user = None if login is None else login.name if isinstance(login, Identity) else "somebody"
    case = Case(ip_address(peer), tls, user, sender, rcpt)
    return explain(SETTINGS, at, case, Known(login, hostnames, resolve))


def stage(explanation: Explanation, name: str) -> Stage:
    (found,) = (one for one in explanation.stages if one.name == name)
    return found
