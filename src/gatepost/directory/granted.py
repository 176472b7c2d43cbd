"""What a token or ticket that holds is good for: which user of a directory, with which groups besides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from gatepost.directory.certified import holder_of
from gatepost.directory.directory import Directory, Refusal
from gatepost.directory.ldap_person import is_privileged
from gatepost.policy.facts import UNKNOWN, Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret


class TokenRefused(Exception):
    """The token lets nobody in, for `reason`. The text is for the log."""

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Granted:
    """Whom a token means, and the groups it says, lower case."""

    user: str
    groups: frozenset[str]


class TokenIssuers(Protocol):
    """Those whose tokens are taken."""

    @property
    def advice(self) -> dict[str, str]:
        """What a client without a good token is told (RFC 7628 §3.2.2)."""

    def said_of(self, token: Secret) -> str:
        """Whom the token names, proved or not; empty when it names nobody."""

    async def granted(self, token: Secret) -> Granted:
        """Raises TokenRefused; Unavailable: an issuer is silent."""


async def bearer_of(directory: Directory, granted: Granted, wanted: str) -> Identity | Refusal:
    """The user whom the token means, if that is who is `wanted`. Raises Unavailable."""
    identity = await holder_of(directory, granted.user)
    if identity is None:
        known = await directory.knows(granted.user)
        return Refusal(Reason.ACCOUNT_DISABLED if known else Reason.UNKNOWN_USER)
    if wanted:
        other = await holder_of(directory, wanted)
        if other is None or (other.directory, other.name) != (identity.directory, identity.name):
            return Refusal(Reason.AUTHORIZATION_IDENTITY)
    return _with(identity, granted.groups)


def ticketed(identity: Identity, sids: frozenset[str]) -> Identity:
    """With the groups of these SIDs, and protected if one of them makes an administrator."""
    identity = _with(identity, frozenset(sid.lower() for sid in sids))
    return replace(identity, privileged=True) if is_privileged(tuple(sids)) else identity


def _with(identity: Identity, groups: frozenset[str]) -> Identity:
    known = identity.groups if identity.groups is UNKNOWN else identity.groups | groups
    return replace(identity, groups=known, granted=groups)
