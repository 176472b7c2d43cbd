"""Acts on those who may act: administrators and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatepost.admin import administrators as admin
from gatepost.admin.desk import Desk
from gatepost.admin.roles import Role
from gatepost.secret import Secret
from gatepost.store.tokens import NewToken

Row = dict[str, Any]


class AdministratorActs:
    """Gatepost's own administrators. A link is shown once, and works once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def all(self) -> list[Row]:
        """Every one, and everybody of a directory who has signed in."""
        return await self._desk.work(
            "admin-list", lambda: admin.rows(self._house.settings(), self._house.accounts)
        )

    async def add(self, name: str, role: Role) -> Secret:
        """The link by which the new one sets its password."""
        settings, accounts, by = self._house.settings, self._house.accounts, self._desk.by
        return Secret(
            await self._desk.work("admin-add", lambda: admin.add(settings(), accounts, name, role, by=by))
        )

    async def set_role(self, name: str, role: Role) -> Row:
        """It has the role from its next request on. Raises LastAdministrator."""
        administrators, by = self._house.accounts.administrators, self._desk.by
        return await self._desk.work(
            "admin-role", lambda: admin.row(administrators.set_role(name, role.value, by=by))
        )

    async def reset(self, name: str) -> Secret:
        """It is signed out; the link by which it sets a new password, without second factors."""
        settings, accounts, by = self._house.settings, self._house.accounts, self._desk.by
        secret = Secret(
            await self._desk.work("admin-reset", lambda: admin.reset(settings(), accounts, name, by=by))
        )
        await self._desk.note("admin-reset", name)
        return secret

    async def remove(self, name: str) -> None:
        """It is gone, signed out, its tokens worth nothing. Raises LastAdministrator."""
        settings, accounts, by = self._house.settings, self._house.accounts, self._desk.by
        await self._desk.work("admin-remove", lambda: admin.remove(settings(), accounts, name, by=by))


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token and, this once, its secret."""

    row: Row
    secret: Secret


class TokenActs:
    """What programs show to the API."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def all(self) -> list[Row]:
        """Every token without its secret."""
        return await self._desk.work(
            "token-list", lambda: admin.token_rows(self._house.settings(), self._house.accounts)
        )

    async def add(
        self, label: str, role: Role, *, scope: list[str] | None = None, expires: datetime | None = None
    ) -> MadeToken:
        """The token is good until `expires`. Raises BadName for a scope that is none."""
        tokens, by = self._house.accounts.tokens, self._desk.actor.name

        def add() -> MadeToken:
            new = NewToken(label, role.value, admin.areas(scope), expires)
            token, secret = tokens.add(new, by=by)
            return MadeToken(admin.token_row(token), secret)

        return await self._desk.work("token-add", add)

    async def revoke(self, number: str) -> None:
        """The token is worth nothing."""
        tokens, by = self._house.accounts.tokens, self._desk.by
        await self._desk.work("token-revoke", lambda: tokens.revoke(number, by=by))
