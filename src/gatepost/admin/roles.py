"""WHO MAY DO WHAT: one table, read by console, API and command line.

An act is named as the command line names it. Whoever has a role may do what the lesser ones may.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Role(Enum):
    """A viewer looks. An operator keeps mail flowing. An administrator changes what is allowed."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def covers(self, least: Role) -> bool:
        """Whether it may do what needs `least`."""
        return self.rank >= least.rank


_RANKS: Final = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMINISTRATOR: 2}


class Area(Enum):
    """What a token may be narrowed to."""

    STATUS = "status"
    SERVERS = "servers"
    QUEUE = "queue"
    ACCOUNTS = "accounts"
    GUARD = "guard"
    TRACKING = "tracking"
    CONFIG = "config"
    CERTIFICATES = "certificates"
    ADMINISTRATORS = "administrators"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Act:
    """`dangerous`: who signed in a while ago signs in again before it is done."""

    least: Role
    area: Area
    dangerous: bool = False


_V, _O, _A = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR

ACTS: Final[dict[str, Act]] = {
    "status": Act(_V, Area.STATUS),
    "metrics": Act(_V, Area.STATUS),
    "selftest": Act(_O, Area.STATUS),
    "alarm-test": Act(_O, Area.STATUS),
    "server-show": Act(_V, Area.SERVERS),
    "server-start": Act(_O, Area.SERVERS),
    "server-stop": Act(_O, Area.SERVERS),
    "server-pause": Act(_O, Area.SERVERS),
    "session-list": Act(_V, Area.SERVERS),
    "session-close": Act(_O, Area.SERVERS),
    "queue-show": Act(_V, Area.QUEUE),
    "queue-hold": Act(_O, Area.QUEUE),
    "queue-release": Act(_O, Area.QUEUE),
    "queue-retry": Act(_O, Area.QUEUE),
    "queue-delete": Act(_O, Area.QUEUE, dangerous=True),
    "queue-bounce": Act(_O, Area.QUEUE, dangerous=True),
    "account-show": Act(_V, Area.ACCOUNTS),
    "user-add": Act(_A, Area.ACCOUNTS),
    "user-change": Act(_A, Area.ACCOUNTS),
    "user-passwd": Act(_A, Area.ACCOUNTS, dangerous=True),
    "user-disable": Act(_O, Area.ACCOUNTS),
    "user-enable": Act(_A, Area.ACCOUNTS),
    "user-delete": Act(_A, Area.ACCOUNTS, dangerous=True),
    "user-app-password": Act(_A, Area.ACCOUNTS, dangerous=True),
    "app-password-change": Act(_A, Area.ACCOUNTS),
    "app-password-revoke": Act(_O, Area.ACCOUNTS),
    "device-list": Act(_V, Area.ACCOUNTS),
    "device-forget": Act(_O, Area.ACCOUNTS),
    "group-add": Act(_A, Area.ACCOUNTS),
    "group-delete": Act(_A, Area.ACCOUNTS, dangerous=True),
    "group-join": Act(_A, Area.ACCOUNTS),
    "group-leave": Act(_A, Area.ACCOUNTS),
    "alias-add": Act(_A, Area.ACCOUNTS),
    "alias-delete": Act(_A, Area.ACCOUNTS),
    "directory-test": Act(_V, Area.ACCOUNTS),
    "oauth-test": Act(_V, Area.ACCOUNTS),
    "attacks": Act(_V, Area.GUARD),
    "ban": Act(_O, Area.GUARD),
    "pardon": Act(_O, Area.GUARD),
    "contain": Act(_O, Area.GUARD),
    "release": Act(_O, Area.GUARD),
    "trace": Act(_V, Area.TRACKING),
    "explain": Act(_V, Area.TRACKING),
    "config-show": Act(_V, Area.CONFIG),
    "config-check": Act(_V, Area.CONFIG),
    "config-apply": Act(_A, Area.CONFIG, dangerous=True),
    "config-undo": Act(_A, Area.CONFIG, dangerous=True),
    "secret-put": Act(_A, Area.CONFIG),
    "secret-forget": Act(_A, Area.CONFIG),
    "reload": Act(_A, Area.CONFIG),
    "cert-show": Act(_V, Area.CERTIFICATES),
    "cert-import": Act(_A, Area.CERTIFICATES, dangerous=True),
    "admin-list": Act(_A, Area.ADMINISTRATORS),
    "admin-add": Act(_A, Area.ADMINISTRATORS, dangerous=True),
    "admin-role": Act(_A, Area.ADMINISTRATORS, dangerous=True),
    "admin-reset": Act(_A, Area.ADMINISTRATORS, dangerous=True),
    "admin-remove": Act(_A, Area.ADMINISTRATORS, dangerous=True),
    "token-add": Act(_A, Area.ADMINISTRATORS, dangerous=True),
    "token-list": Act(_A, Area.ADMINISTRATORS),
    "token-revoke": Act(_A, Area.ADMINISTRATORS),
    "audit": Act(_V, Area.AUDIT),
    "weaknesses": Act(_V, Area.AUDIT),
}
