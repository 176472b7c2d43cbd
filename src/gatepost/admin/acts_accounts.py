"""Acts on users, groups and aliases. The store writes the audit in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.admin import accounts as admin
from gatepost.admin.desk import Desk
from gatepost.secret import Secret
from gatepost.store.aliases import Alias
from gatepost.store.groups import Group
from gatepost.store.user import User


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be made. `password` None: nobody can log in with it yet. `even_so`: also a weak one."""

    name: str
    password: Secret | None = None
    full_name: str = ""
    addresses: tuple[str, ...] = ()
    administrator: bool = False
    quota_bytes: int | None = None
    even_so: bool = False


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different; None: stays. `quota_default`: as [mailboxes] says."""

    full_name: str | None = None
    addresses: tuple[str, ...] | None = None
    quota_bytes: int | None = None
    quota_default: bool = False
    administrator: bool | None = None


class UserActs:
    """Names are whole addresses, or bare in the only local domain."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def add(self, new: NewUser) -> User:
        """The user is there, with a mailbox. Raises PasswordRefused, AccountError."""

        def add() -> User:
            settings = self._house.settings()
            name = admin.whole_name(settings, new.name)
            credential = (
                None
                if new.password is None
                else admin.new_credential(name, new.password, full_name=new.full_name, even_so=new.even_so)
            )
            return admin.add_user(
                settings, self._house.accounts, name, by=self._desk.by, credential=credential,
                full_name=new.full_name, addresses=new.addresses, administrator=new.administrator,
                quota_bytes=new.quota_bytes, even_so=new.even_so,
            )  # fmt: skip

        return await self._desk.work("user-add", add)

    async def change(self, name: str, change: UserChange) -> User:
        """The user is as the change says. Raises AccountError."""
        return await self._desk.work("user-change", lambda: self._change(name, change))

    def _change(self, name: str, change: UserChange) -> User:
        users, by = self._house.accounts.users, self._desk.by
        user = self._user(name)
        if change.full_name is not None:
            user = users.set_full_name(user.name, change.full_name, by=by)
        if change.addresses is not None:
            user = users.set_addresses(user.name, change.addresses, domains=self._house.domains(), by=by)
        if change.quota_default or change.quota_bytes is not None:
            user = users.set_quota(user.name, None if change.quota_default else change.quota_bytes, by=by)
        if change.administrator is not None:
            user = users.set_administrator(user.name, administrator=change.administrator, by=by)
        return user

    async def set_password(self, name: str, password: Secret, *, even_so: bool = False) -> None:
        """The password holds, the old one is dead. Raises PasswordRefused, AccountError."""

        def change() -> None:
            accounts = self._house.accounts
            admin.set_password(accounts, self._user(name), password, even_so=even_so, by=self._desk.by)

        await self._desk.work("user-passwd", change)

    async def disable(self, name: str) -> User:
        """No login any more; mail still comes in."""
        return await self._desk.work("user-disable", lambda: self._set_disabled(name, disabled=True))

    async def enable(self, name: str) -> User:
        """May log in again."""
        return await self._desk.work("user-enable", lambda: self._set_disabled(name, disabled=False))

    async def delete(self, name: str, *, with_mailbox: bool = False) -> None:
        """The user is gone, also from groups. The mailbox stays unless `with_mailbox`."""

        def delete() -> None:
            user = self._user(name)
            self._house.accounts.users.delete(user.name, by=self._desk.by)
            if with_mailbox:
                admin.mailboxes(self._house.settings()).delete(user.name)

        await self._desk.work("user-delete", delete)

    def _set_disabled(self, name: str, *, disabled: bool) -> User:
        users = self._house.accounts.users
        return users.set_disabled(self._user(name).name, disabled=disabled, by=self._desk.by)

    def _user(self, name: str) -> User:
        return self._house.accounts.users.get(name, self._house.domains())


class GroupActs:
    """Names are compared without case."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def add(self, name: str) -> Group:
        """The group is there, empty."""
        groups = self._house.accounts.groups
        return await self._desk.work("group-add", lambda: groups.add(name, by=self._desk.by))

    async def delete(self, name: str) -> None:
        """The group is gone; its members stay."""
        groups = self._house.accounts.groups
        await self._desk.work("group-delete", lambda: groups.delete(name, by=self._desk.by))

    async def join(self, group: str, member: str, *, even_so: bool = False) -> None:
        """The member, a user or a group, is in the group. Raises ProtectedMember."""

        def join() -> None:
            settings, accounts = self._house.settings(), self._house.accounts
            admin.join(settings, accounts, group, member, by=self._desk.by, even_so=even_so)

        await self._desk.work("group-join", join)

    async def leave(self, group: str, member: str) -> None:
        """The member is not in the group any more."""

        def leave() -> None:
            domains = self._house.domains()
            self._house.accounts.groups.leave(group, member, by=self._desk.by, domains=domains)

        await self._desk.work("group-leave", leave)


class AliasActs:
    """Addresses whose mail goes to others."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def add(self, address: str, targets: Sequence[str], *, outside: bool = False) -> Alias:
        """Mail for the address goes to the targets."""

        def add() -> Alias:
            return self._house.accounts.aliases.add(
                address, targets, domains=self._house.domains(), by=self._desk.by, outside=outside
            )

        return await self._desk.work("alias-add", add)

    async def delete(self, address: str) -> None:
        """The alias is gone."""
        aliases = self._house.accounts.aliases
        await self._desk.work("alias-delete", lambda: aliases.delete(address, by=self._desk.by))
