"""Every local user as the access page would see it after a login."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.config.schema import Settings
from gatepost.directory.protected import Protected
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.store.accounts import Accounts
from gatepost.store.user import User


def identities(settings: Settings, accounts: Accounts, *, limit: int = 10_000) -> Iterator[Identity]:
    """Enabled users, at most `limit`."""
    protected = Protected.of(settings, accounts)
    for count, user in enumerate(accounts.users.all()):
        if count >= limit:
            return
        if not user.disabled:
            yield identity_of(settings, accounts, user, protected)


def identity_of(settings: Settings, accounts: Accounts, user: User, protected: Protected) -> Identity:
    """The user after a login."""
    guessable = {name.lower() for name in settings.guard.guessable}
    addresses = (user.name, *user.addresses)
    identity = Identity(
        name=user.name,
        names=frozenset({user.name, user.local}),
        addresses=frozenset(Address(*text.rsplit("@", 1)) for text in addresses),
        groups=accounts.groups.of_user(user.id),
        privileged=user.administrator,
        guessable=not guessable.isdisjoint({user.name, user.local}),
    )
    return protected.marked(identity)
