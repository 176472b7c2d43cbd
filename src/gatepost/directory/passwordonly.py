"""What a directory says that is asked for names and passwords alone."""

from __future__ import annotations

from gatepost.directory.directory import Refusal, Resolution, UnknownRecipient
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.store.user import ScramKeys


class PasswordOnly:
    """Nothing is remembered in it, no keys are kept for SCRAM, and it has mail for nobody."""

    generation = 0

    def refresh(self) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to close."""

    async def scram_keys(self, name: str) -> ScramKeys | None:
        return None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        return Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution:
        return UnknownRecipient()

    def named(self, address: Address) -> Resolution:
        return UnknownRecipient()
