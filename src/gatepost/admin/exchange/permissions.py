"""Who may relay anonymously through which receive connector, as far as `Get-ADPermission` was exported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gatepost.admin.exchange.jsonfile import Thing, as_list, as_text

_RELAY: Final = "ms-exch-smtp-accept-any-recipient"
_ANONYMOUS_SID: Final = "S-1-5-7"


@dataclass(frozen=True, slots=True)
class AnonymousRelay:
    """`known` False: no export of permissions was at hand, so nobody can tell."""

    known: bool
    connectors: frozenset[str]

    def allows(self, connector: Thing) -> bool:
        return not self.connectors.isdisjoint(_names(connector))


def anonymous_relay(permissions: Iterable[Thing]) -> AnonymousRelay:
    """The connectors on which anonymous clients may name any recipient: allowed, and not denied."""
    given: set[str] = set()
    denied: set[str] = set()
    known = False
    for one in permissions:
        known = True
        rights = {as_text(right).lower() for right in as_list(one.get("ExtendedRights"))}
        if _RELAY in rights and _is_anonymous(one.text("User")):
            (denied if one.get("Deny") in (True, "True", "true") else given).add(_key(one.text("Identity")))
    return AnonymousRelay(known, frozenset(given - denied))


def _is_anonymous(user: str) -> bool:
    """`NT AUTHORITY\\ANONYMOUS LOGON`, in the languages that keep the word, or by its SID."""
    return user == _ANONYMOUS_SID or "ANONYM" in user.upper() or "АНОНИМ" in user.upper()


def _names(connector: Thing) -> frozenset[str]:
    """By what permissions may name it: server and name, or the distinguished name."""
    names = {connector.text(name) for name in ("Identity", "DistinguishedName")}
    server, name = connector.text("Server"), connector.text("Name")
    names.add(f"{server}\\{name}" if server else name)
    return frozenset(_key(one) for one in names if one)


def _key(name: str) -> str:
    """`EX01\\Relay` of what may be that, or `CN=Relay,CN=SMTP Receive Connectors,...`."""
    return " ".join(name.lower().split())
