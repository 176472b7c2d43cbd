"""A directory of one account, for the connections of the self-test."""

from __future__ import annotations

import hmac

from gatepost.directory.directory import Refusal, Resolution, UnknownRecipient
from gatepost.mail.address import Address, parse_address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.user import ScramKeys


class Visitor:
    """Somebody who is in no group. `name` is an address; no mail is kept for it."""

    generation = 0

    def __init__(self, name: str, password: Secret) -> None:
        self._name = name
        self._password = password

    def identity_of(self) -> Identity:
        names = frozenset({self._name})
        return Identity(self._name, names, frozenset({parse_address(self._name)}), frozenset())

    def refresh(self) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to close."""

    async def knows(self, name: str) -> bool:
        return name == self._name

    async def identity(self, name: str) -> Identity | None:
        return self.identity_of() if name == self._name else None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if name != self._name:
            return Refusal(Reason.UNKNOWN_USER)
        same = hmac.compare_digest(password.reveal().encode(), self._password.reveal().encode())
        return self.identity_of() if same else Refusal(Reason.WRONG_PASSWORD)

    async def pretend(self, password: Secret) -> None:
        """Nobody else sees how long anything takes here."""

    async def scram_keys(self, name: str) -> ScramKeys | None:
        return None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        return Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution:
        return UnknownRecipient()

    def named(self, address: Address) -> Resolution:
        return UnknownRecipient()
