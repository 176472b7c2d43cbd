"""Users, groups and aliases as an operator handles them: the rules of the house around the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from gatepost.config.schema import Settings
from gatepost.directory.password import Passwords
from gatepost.directory.password_rules import require_good
from gatepost.policy.access import Effect, Right
from gatepost.policy.principal import Kind
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.aliases import Alias
from gatepost.store.groups import Group
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.place import Place
from gatepost.store.scram import Salt
from gatepost.store.user import Credential, User

Row = dict[str, Any]


def set_password(accounts: Accounts, user: User, password: Secret, *, even_so: bool = False, by: str) -> None:
    """The password holds, the old one is dead. Raises PasswordRefused, AccountError."""
    salt = accounts.app_passwords.salt(user.name)
    credential = new_credential(user.name, password, full_name=user.full_name, even_so=even_so, salt=salt)
    accounts.users.set_password(user.name, credential, by=by, even_so=even_so)


def new_credential(
    name: str, password: Secret, *, full_name: str = "", even_so: bool = False, salt: Salt | None = None
) -> Credential:
    """The password as it is kept; `salt` is that of the user's devices. Raises PasswordRefused."""
    require_good(name, password, full_name=full_name, even_so=even_so)
    passwords = Passwords(slots=1)
    try:
        return passwords.credential(password, salt)
    finally:
        passwords.close()


def add_user(
    settings: Settings,
    accounts: Accounts,
    name: str,
    *,
    by: str,
    credential: Credential | None,
    full_name: str = "",
    addresses: Collection[str] = (),
    administrator: bool = False,
    quota_bytes: int | None = None,
    even_so: bool = False,
) -> User:
    """The user is there, and so is the mailbox. A bare name belongs to the only local domain.

    Raises AccountError, OSError.
    """
    user = accounts.users.add(
        whole_name(settings, name),
        domains=tuple(settings.domains),
        by=by,
        credential=credential,
        full_name=full_name,
        addresses=tuple(addresses),
        administrator=administrator,
        quota_bytes=quota_bytes,
        even_so=even_so,
    )
    mailboxes(settings).create(user.name)
    return user


def whole_name(settings: Settings, name: str) -> str:
    """With one local domain `bob` is `bob@` that domain."""
    domains = tuple(settings.domains)
    return name if "@" in name or len(domains) != 1 else f"{name}@{domains[0]}"


def mailboxes(settings: Settings) -> Mailboxes:
    return Mailboxes(Place(settings.state).mailboxes, settings.hostname)


def user_row(settings: Settings, accounts: Accounts, user: User, *, whole: bool = False) -> Row:
    """One user; `whole` adds the groups, also through which ones, and what lies in the mailbox."""
    row: Row = {
        "name": user.name,
        "full_name": user.full_name,
        "addresses": list(user.addresses),
        "disabled": user.disabled,
        "administrator": user.administrator,
        "guessable": is_guessable(settings, user.name),
        "quota_bytes": user.quota_bytes,
        "created": user.created.isoformat(timespec="seconds"),
    }
    if whole:
        row["groups"] = sorted(accounts.groups.of_user(user.id))
        used = mailboxes(settings).usage(user.name)
        row["mailbox"] = {"messages": used.messages, "size_bytes": used.size_bytes}
    return row


def is_guessable(settings: Settings, name: str) -> bool:
    """Whether it is a name that attackers try."""
    names = {one.lower() for one in settings.guard.guessable}
    return not names.isdisjoint({name.lower(), name.lower().partition("@")[0]})


def relay_groups(settings: Settings) -> frozenset[str]:
    """The groups that some access entry gives relay to, lower case."""
    return frozenset(
        entry.to.name
        for server in settings.smtp.values()
        for entry in server.access.entries
        if entry.effect is Effect.ALLOW and Right.RELAY in entry.rights and entry.to.kind is Kind.GROUP
    )


def join(settings: Settings, accounts: Accounts, group: str, member: str, *, by: str, even_so: bool) -> None:
    """The member, a user or a group, is in the group. Raises ProtectedMember and other AccountErrors."""
    accounts.groups.join(
        group,
        member,
        by=by,
        domains=tuple(settings.domains),
        guessable=settings.guard.guessable,
        relay_groups=relay_groups(settings),
        even_so=even_so,
    )


def members(accounts: Accounts, group: str, *, nested: bool = False) -> Iterator[str]:
    """All users in the group by name, read a page at a time. Raises NotFound."""
    page = accounts.groups.members(group, nested=nested)
    while page:
        yield from page
        page = accounts.groups.members(group, nested=nested, after=page[-1])


def group_rows(settings: Settings, groups: Iterable[Group]) -> list[Row]:
    relaying = relay_groups(settings)
    return [
        {
            "name": group.name,
            "users": group.user_count,
            "groups": list(group.groups),
            "relays": group.name.lower() in relaying,
        }
        for group in groups
    ]


def alias_row(alias: Alias) -> Row:
    return {"address": alias.address, "targets": list(alias.targets), "outside": alias.outside}
