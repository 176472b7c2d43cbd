"""Checking tickets and tokens, where the settings and the installation allow it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.config.schema import Settings
from gatepost.directory.granted import TokenIssuers
from gatepost.log import Log
from gatepost.wire.gssapi import GssContext

if TYPE_CHECKING:
    from gatepost.directory.clienttoken import ClientTokens


def token_issuers(settings: Settings, log: Log, before: TokenIssuers | None = None) -> TokenIssuers | None:
    """Those whose tokens let people in; None where there are none. `before` are those until now."""
    if not any(one.audience for one in settings.oauth.values()):
        return None
    from gatepost.directory.bearer import Issuers  # an extra, and its HTTP client is 15 MB

    return Issuers(settings.oauth, log, before=before if isinstance(before, Issuers) else None)


def client_tokens(settings: Settings, log: Log) -> ClientTokens | None:
    """Our own tokens for smart hosts; None where no route needs one."""
    if not any(route.login is not None and route.login.oauth for route in settings.routes.values()):
        return None
    from gatepost.directory.clienttoken import ClientTokens

    return ClientTokens(settings.oauth, log, time.monotonic)


def ticket_acceptor(settings: Settings, log: Log) -> Callable[[], GssContext] | None:
    """Begins a context for a peer; None where tickets are not checked. What stands in the way is logged."""
    if settings.kerberos is None:
        return None
    from gatepost.directory.kerberos import Acceptor, KeytabUnusable  # an extra: not always installed

    try:
        return Acceptor(settings.kerberos.keytab).context
    except KeytabUnusable as problem:
        log.error("keytab-unusable", keytab=str(settings.kerberos.keytab), problem=str(problem))
        return None
