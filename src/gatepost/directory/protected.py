"""Who is an administrator of Gatepost, as the directories' answers say it: such an account is protected."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gatepost.config.schema import Settings
from gatepost.policy.facts import Identity, Unknown
from gatepost.policy.principal import Kind, Principal
from gatepost.store.accounts import Accounts


class Protected:
    """Marks identities that are administrators: by a name of Gatepost's own, or by `principals`.

    A name is looked for in memory; the memory is as old as the last change of the accounts.
    """

    def __init__(self, accounts: Accounts, principals: Collection[Principal]) -> None:
        self._accounts = accounts
        self._groups = frozenset(one.name for one in principals if one.kind is Kind.GROUP)
        self._users = frozenset(one.name for one in principals if one.kind is Kind.USER)
        self._version: int | None = None
        self._names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings, accounts: Accounts) -> Protected:
        """As the settings have it."""
        return cls(accounts, settings.console.administrators if settings.console is not None else ())

    def marked(self, identity: Identity) -> Identity:
        """The identity, `privileged` if it is an administrator's. Raises DatabaseError, DBAPIError."""
        if identity.privileged or not self._means(identity):
            return identity
        return replace(identity, privileged=True)

    def _means(self, identity: Identity) -> bool:
        version = self._accounts.version()
        if version != self._version:
            self._names = self._users | self._accounts.administrators.protected_names()
            self._version = version
        if not self._names.isdisjoint(identity.names):
            return True
        groups = identity.groups
        return not isinstance(groups, Unknown) and not self._groups.isdisjoint(groups)
