"""Checking tickets, where the settings and the installation allow it."""

from __future__ import annotations

from collections.abc import Callable

from gatepost.config.schema import Settings
from gatepost.log import Log
from gatepost.wire.gssapi import GssContext


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
