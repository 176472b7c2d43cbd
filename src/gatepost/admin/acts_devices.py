"""Acts on devices: their app passwords, and what is watched of them."""

from __future__ import annotations

from typing import Any

from gatepost.admin import app_passwords as admin
from gatepost.admin import devices
from gatepost.admin.app_passwords import Issued
from gatepost.admin.desk import Desk
from gatepost.store.app_password import LENGTH, AppPasswordChange, NewAppPassword

Row = dict[str, Any]


class DeviceActs:
    """Names are whole account names, or bare where that is clear; labels are compared without case."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def add(self, name: str, new: NewAppPassword, *, length: int = LENGTH) -> Issued:
        """The device may log in; its secret is in the answer and nowhere else. Raises AccountError."""

        def add() -> Issued:
            return admin.add_app_password(
                self._house.settings(), self._house.accounts, name, new, by=self._desk.by, length=length
            )

        return await self._desk.work("user-app-password", add)

    async def change(self, name: str, label: str, change: AppPasswordChange) -> Row:
        """The secret stays and is good for something else. Raises NotFound, Ambiguous, BadName."""

        def work() -> Row:
            settings, accounts = self._house.settings(), self._house.accounts
            return admin.app_password_row(
                admin.change_app_password(settings, accounts, name, label, change, by=self._desk.by)
            )

        return await self._desk.work("app-password-change", work)

    async def revoke(self, name: str, label: str) -> Row:
        """The secret is worth nothing any more, in all workers. Raises NotFound, Ambiguous."""

        def revoke() -> Row:
            settings, accounts = self._house.settings(), self._house.accounts
            return admin.app_password_row(
                admin.revoke_app_password(settings, accounts, name, label, by=self._desk.by)
            )

        return await self._desk.work("app-password-revoke", revoke)

    async def app_passwords(self, name: str | None = None, *, over: bool = False) -> list[Row]:
        """Of one account, or of all, with the last use of each; `over` adds those that were revoked.

        Never a secret.
        """

        def rows() -> list[Row]:
            settings, accounts = self._house.settings(), self._house.accounts
            return devices.with_uses(settings, admin.app_password_rows(settings, accounts, name, over=over))

        return await self._desk.work("account-show", rows)

    async def all(self) -> list[Row]:
        """Every device, those that are missed first: app passwords, accounts and addresses."""

        def rows() -> list[Row]:
            return devices.device_rows(self._house.settings(), self._house.accounts)

        return await self._desk.work("device-list", rows)

    async def forget(self, name: str) -> Row:
        """The device is not missed any more. Raises Refused where it was never seen."""
        row: Row = await self._desk.work(
            "device-forget", lambda: devices.forget_device(self._house.settings(), name)
        )
        await self._desk.note("device-forget", row["name"])
        return row
