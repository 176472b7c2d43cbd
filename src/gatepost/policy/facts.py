"""What is known about a client when a right is asked for. Pure.

What cannot be learned is UNKNOWN: it is answered 4xx, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal

from gatepost.mail.address import Address
from gatepost.policy.allotment import NOTHING_SAID, Allotment
from gatepost.value import value

Peer = IPv4Address | IPv6Address


class Unknown(Enum):
    """The third answer: the fact could not be learned."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false")


UNKNOWN: Final = Unknown.UNKNOWN
UnknownType = Literal[Unknown.UNKNOWN]


@dataclass(frozen=True, slots=True)
class Device:
    """By whose secret somebody logged in who did not use the account's own password.

    `name` tells the devices of one account apart, `number` this secret from an earlier one; `allotment`
    is what it may send, within what its account may. `senders` (local parts lower case) narrow as whom
    it may send. It ends at `lapses_at`, Unix seconds.
    """

    name: str
    allotment: Allotment = NOTHING_SAID
    number: int = 0
    senders: frozenset[Address] | None = None
    lapses_at: float | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in.

    `name` is canonical: the account's primary address or directory name, lower case. `names` are
    all names by which `user:NAME` may mean it, lower case, `name` among them. `groups` are all
    groups it is in, nested ones resolved, lower case; UNKNOWN when the directory could not say.
    `privileged`: an administrator. `guessable`: its name is on the list attackers try. `granted` are
    groups that a token or ticket said at the login.
    """

    name: str
    names: frozenset[str]
    addresses: frozenset[Address]
    groups: frozenset[str] | UnknownType
    privileged: bool = False
    guessable: bool = False
    directory: str = "local"
    device: Device | None = None
    granted: frozenset[str] = frozenset()

    def learnt_anew(self, fresh: Identity) -> Identity:
        """`fresh` from the directory, with the groups that a token or ticket said at the login."""
        if not self.granted:
            return fresh
        groups = fresh.groups if fresh.groups is UNKNOWN else fresh.groups | self.granted
        privileged = fresh.privileged or self.privileged
        return replace(fresh, groups=groups, granted=self.granted, privileged=privileged)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate that TLS has verified.

    `name` is what it is called in log and lists. `names` are all names by which `certificate:NAME`
    may mean it, lower case: common name, DNS names, addresses, URIs, `sha256:` with its fingerprint.
    `accounts` are the addresses and principal names in it, and `common_name` its subject's: by these
    AUTH EXTERNAL finds the user.
    """

    name: str
    names: frozenset[str]
    accounts: tuple[str, ...] = ()
    common_name: str | None = None


@value
class Facts:
    """Everything the access page may look at.

    `peer` is never an IPv4-mapped IPv6 address. `tls`: the connection is encrypted now. `hostnames`
    are forward-confirmed reverse names, lower case. `certificate` is the client's, verified.
    """

    peer: Peer
    tls: bool = False
    identity: Identity | None = None
    hostnames: frozenset[str] | UnknownType = field(default=UNKNOWN)
    certificate: ClientCertificate | None = None
