"""A directory of one account, for the connections of the self-test."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from gatepost.directory.directory import Refusal
from gatepost.directory.passwordonly import PasswordOnly
from gatepost.mail.address import parse_address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.scram import SCRAM_SALT_BYTES, Salt, scram_keys
from gatepost.store.user import ScramKeys

_ITERATIONS: Final = 4096  # RFC 7677 §4; the password is drawn, and lives for one connection


class Visitor(PasswordOnly):
    """Somebody who is in no group. `name` is an address; no mail is kept for it."""

    def __init__(self, name: str, password: Secret) -> None:
        self._name = name
        self._password = password

    def identity_of(self) -> Identity:
        names = frozenset({self._name})
        return Identity(self._name, names, frozenset({parse_address(self._name)}), frozenset())

    async def knows(self, name: str) -> bool:
        return name == self._name

    async def identity(self, name: str) -> Identity | None:
        return self.identity_of() if name == self._name else None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if name != self._name:
            return Refusal(Reason.UNKNOWN_USER)
        same = hmac.compare_digest(password.reveal().encode(), self._password.reveal().encode())
        return self.identity_of() if same else Refusal(Reason.WRONG_PASSWORD)

    async def scram_keys(self, name: str) -> ScramKeys | None:
        if name != self._name:
            return None
        return scram_keys(self._password, Salt(secrets.token_bytes(SCRAM_SALT_BYTES), _ITERATIONS))

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        return self.identity_of() if name == self._name else Refusal(Reason.UNKNOWN_USER)

    async def pretend(self, password: Secret) -> None:
        """Nobody else sees how long anything takes here."""
