"""What single users, members of groups, addresses and certificates may send: the tables below `[limits]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pydantic import Field

from gatepost.config.fault import Complaint
from gatepost.config.model import Model
from gatepost.config.servers import Limits
from gatepost.config.value import Bytes, CertificateName, Count, Name, NetText
from gatepost.policy.allotment import Allotment, Allotments
from gatepost.policy.principal import PrincipalError, certificate_name, parse_network


class Allotted(Model):
    """`[limits.users."NAME"]` and the like: what is left out is as for everybody."""

    messages_per_minute: Count | None = None
    recipients_per_hour: Count | None = None
    recipients_per_day: Count | None = None
    domains_per_day: Count | None = None
    message_size_bytes: Bytes | None = None

    def allotment(self) -> Allotment:
        return Allotment(
            self.messages_per_minute,
            self.recipients_per_hour,
            self.recipients_per_day,
            self.domains_per_day,
            self.message_size_bytes,
        )


class SharedLimits(Limits):
    """`[limits]`."""

    users: dict[Name, Allotted] = Field(default_factory=dict)
    groups: dict[Name, Allotted] = Field(default_factory=dict)
    networks: dict[NetText, Allotted] = Field(default_factory=dict)
    certificates: dict[CertificateName, Allotted] = Field(default_factory=dict)

    def allotments(self) -> Allotments:
        return Allotments(
            {name: one.allotment() for name, one in self.users.items()},
            {name: one.allotment() for name, one in self.groups.items()},
            {parse_network(name): one.allotment() for name, one in self.networks.items()},
            {name: one.allotment() for name, one in self.certificates.items()},
        )


def everybody(limits: Limits) -> Allotment:
    """What a user of a virtual server may send of whom nothing else is said."""
    return Allotment(
        limits.messages_per_minute_per_user,
        limits.recipients_per_hour_per_user,
        limits.recipients_per_day_per_user,
        limits.domains_per_day_per_user,
        limits.message_size_bytes,
    )


def allotment_complaints(raw: Mapping[str, object]) -> Iterator[Complaint]:
    """Two spellings of one name would leave one of the two tables without effect."""
    limits = raw.get("limits")
    for kind, key_of in _KEYS.items():
        tables = limits.get(kind) if isinstance(limits, Mapping) else None
        taken: dict[str, str] = {}
        for name in tables if isinstance(tables, Mapping) else ():
            folded = key_of(name)
            if folded in taken:
                yield Complaint(("limits", kind, name), f"is {taken[folded]!r} again", "keep one of the two")
            taken.setdefault(folded, name)


def _network_key(name: str) -> str:
    try:
        return str(parse_network(name))
    except PrincipalError:
        return name  # told elsewhere


def _certificate_key(name: str) -> str:
    try:
        return certificate_name(name)
    except PrincipalError:
        return name


_KEYS: Final[Mapping[str, Callable[[str], str]]] = {
    "users": str.lower, "groups": str.lower, "networks": _network_key, "certificates": _certificate_key,
}  # fmt: skip
