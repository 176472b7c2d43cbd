"""What all conversations of one worker share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.asyncresolver

from gatepost.config.schema import Settings, SmtpServer
from gatepost.directory.directory import Directories
from gatepost.log import Log
from gatepost.login import Login
from gatepost.policy.quota import Quota
from gatepost.server.admission import Running
from gatepost.server.offer import offer
from gatepost.server.sessions import Sessions
from gatepost.server.tls import TlsServer
from gatepost.smtp.extension import ehlo_reply
from gatepost.smtp.reply import Reply
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Shard:
    """The collaborators, built once by the worker. `clock` gives seconds since the epoch."""

    settings: Settings
    log: Log
    directories: Directories
    login: Login
    spool: Spool
    tracking: Tracking
    sessions: Sessions
    resolver: dns.asyncresolver.Resolver
    clock: Callable[[], float] = time.time


@dataclass(slots=True)
class SmtpVirtualServer:
    """One [smtp.NAME] as it runs."""

    settings: SmtpServer
    tls: TlsServer | None
    running: Running = Running.RUNNING
    name: str = field(init=False)
    quota: Quota = field(init=False)
    _ehlo: dict[bool, Reply] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.settings.name
        self.quota = Quota(
            self.settings.messages_per_minute_per_user, self.settings.recipients_per_day_per_user
        )

    def ehlo(self, hostname: str, *, tls: bool) -> Reply:
        """What is offered now; never before it is true."""
        reply = self._ehlo.get(tls)
        if reply is None:
            reply = self._ehlo[tls] = ehlo_reply(hostname, offer(self.settings, tls=tls))
        return reply
