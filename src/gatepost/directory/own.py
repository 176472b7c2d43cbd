"""Gatepost's own administrators as a directory, which the console's login asks before all others."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from sqlalchemy.exc import DBAPIError

from gatepost.directory.directory import Refusal, Unavailable
from gatepost.directory.password import PASSWORD_BYTES, Passwords
from gatepost.directory.passwordonly import PasswordOnly
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.administrators import Administrator

OWN: Final = "console"  # the `directory` of their identities


class OwnAdministrators(PasswordOnly):
    """Nothing is remembered here: people sign in rarely. The accounts are others' to close."""

    def __init__(self, accounts: Accounts, passwords: Passwords) -> None:
        self._accounts = accounts
        self._passwords = passwords

    async def knows(self, name: str) -> bool:
        return await self._found(name) is not None

    async def identity(self, name: str) -> Identity | None:
        found = await self._found(name)
        return None if found is None else _identity(found)

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not password:
            return Refusal(Reason.EMPTY_PASSWORD)
        found = await self._found(name)
        stored = None if found is None else found.password_hash
        if len(password.reveal()) > PASSWORD_BYTES:
            password, stored = Secret("too long"), None  # as long as any other, and wrong
        matches = await self._passwords.matches(_question(name, password), password, stored)
        if found is None:
            return Refusal(Reason.UNKNOWN_USER)
        return _identity(found) if matches else Refusal(Reason.WRONG_PASSWORD)

    async def pretend(self, password: Secret) -> None:
        await self._passwords.matches(b"", Secret("wrong"), None)

    async def _found(self, name: str) -> Administrator | None:
        try:
            found = await asyncio.to_thread(self._accounts.administrators.find, name)
        except DBAPIError as error:
            raise Unavailable(str(error.orig)) from error
        return found if found is not None and found.role is not None else None


def _question(name: str, password: Secret) -> bytes:
    return hashlib.blake2b(f"{name}\0{password.reveal()}".encode("utf-8", "surrogatepass")).digest()


def _identity(found: Administrator) -> Identity:
    names = frozenset({found.name})
    return Identity(found.name, names, frozenset(), frozenset(), privileged=True, directory=OWN)
