"""Logins with app passwords: the account may be anybody's whom a directory knows, the secret is ours.

It is asked before the account's own password, so that no directory ever sees a device's secret: a
printer with a revoked one would lock its owner out of the domain by trying on.

By SCRAM one proof is compared with the keys of the account's own password and of all its devices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from gatepost.directory.directory import Directory, Refusal, Unavailable
from gatepost.policy.access import Right
from gatepost.policy.facts import Device, Identity, Peer
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.app_keys import matching
from gatepost.store.app_password import AppPassword, bare
from gatepost.store.app_passwords import AppPasswords
from gatepost.store.database import DatabaseError
from gatepost.store.user import ScramKeys


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys any of which opens an account, and `spent` ones, with why they do not. All of one salt."""

    good: tuple[ScramKeys, ...] = ()
    spent: Mapping[ScramKeys, Reason] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.good and not self.spent


class Devices:
    """The app passwords `kept` over the accounts of `directory`. `clock` gives aware UTC."""

    def __init__(self, directory: Directory, kept: AppPasswords, clock: Callable[[], datetime]) -> None:
        self._directory = directory
        self._kept = kept
        self._clock = clock

    async def verify(self, name: str, password: Secret, peer: Peer, use: Right) -> Identity | Refusal | None:
        """Who that is, with its device; None: this is no app password of the name's account.

        A refusal comes as late as that of a wrong password. `use` is SUBMIT or COLLECT. Raises Unavailable.
        """
        text = bare(password)
        found = None if text is None else self._of_secret(text)
        if found is None:
            return None
        answer = await self._answer(found, name, peer, use)
        if isinstance(answer, Refusal):
            await self._directory.pretend(password)
        return answer

    def scram_keys(self, name: str, own: ScramKeys | None, peer: Peer, use: Right) -> KeyRing:
        """The keys of the account called so: its `own`, and those of its devices under the same salt.

        Asks no directory: that would take its time for the names that it knows. Raises Unavailable.
        """
        try:
            found = self._kept.named(name)
        except (DBAPIError, DatabaseError) as error:
            raise Unavailable(str(error)) from error
        like = own or next((one.keys[0] for one in found), None)
        good, spent = [own] if own else [], dict[ScramKeys, Reason]()
        for one in found:
            if like is None or one.keys[0].salt != like.salt or one.keys[0].iterations != like.iterations:
                continue
            refusal = self._refusal(one.app_password, peer, use)
            if refusal is None:
                good += one.keys
            else:
                spent |= dict.fromkeys(one.keys, refusal.reason)
        return KeyRing(tuple(good), spent)

    async def proven(self, name: str, keys: ScramKeys, peer: Peer, use: Right) -> Identity | Refusal | None:
        """Who that is, a SCRAM exchange over a device's keys having proved it; None: no device's.

        Raises Unavailable.
        """
        try:
            found = next(matching(self._kept.named(name), keys), None)
        except (DBAPIError, DatabaseError) as error:
            raise Unavailable(str(error)) from error
        if found is None:
            return None
        return await self._answer(found, name, peer, use) or Refusal(Reason.WRONG_PASSWORD)

    async def _answer(
        self, found: AppPassword, name: str, peer: Peer, use: Right
    ) -> Identity | Refusal | None:
        """Whoever bears the name, with the device `found`; None where that is somebody else's."""
        self._directory.refresh()
        identity = await self._directory.identity(name)
        if identity is None:
            return Refusal(Reason.ACCOUNT_DISABLED) if await self._directory.knows(name) else None
        if identity.name != found.account or identity.directory != found.directory:
            return None
        return self._refusal(found, peer, use) or replace(identity, device=_device(found))

    async def renewed(self, identity: Identity) -> Identity | None:
        """The same as it is now; None when it may not be logged in any more. Raises Unavailable."""
        fresh, device = await self._directory.identity(identity.name), identity.device
        if fresh is None or device is None:
            return fresh
        try:
            found = self._kept.find(identity.name, device.name)
        except (DBAPIError, DatabaseError) as error:
            raise Unavailable(str(error)) from error
        if found is None or found.number != device.number or self._is_over(found):
            return None
        return replace(fresh, device=_device(found))

    def _of_secret(self, text: str) -> AppPassword | None:
        try:
            return self._kept.of_secret(text)
        except (DBAPIError, DatabaseError) as error:
            raise Unavailable(str(error)) from error

    def _refusal(self, found: AppPassword, peer: Peer, use: Right) -> Refusal | None:
        if found.revoked is not None:
            return Refusal(Reason.APP_PASSWORD_REVOKED)
        if self._is_over(found):
            return Refusal(Reason.APP_PASSWORD_EXPIRED)
        if not found.is_near(peer) or (use is Right.COLLECT and not found.collects):
            return Refusal(Reason.APP_PASSWORD_ELSEWHERE)
        return None

    def _is_over(self, found: AppPassword) -> bool:
        return found.expires is not None and found.expires <= self._clock()


def _device(found: AppPassword) -> Device:
    return Device(
        found.label,
        found.limits,
        number=found.number,
        senders=found.own_senders,
        lapses_at=None if found.expires is None else found.expires.timestamp(),
    )
