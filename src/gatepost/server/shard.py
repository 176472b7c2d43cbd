"""What all conversations of one worker share."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

import dns.asyncresolver

from gatepost.config.allotments import everybody
from gatepost.config.schema import Pop3Server, Settings, SmtpServer, TlsMode
from gatepost.directory.directory import Directories
from gatepost.directory.elsewhere import NextServers
from gatepost.directory.visitor import Visitor
from gatepost.guard.conduct import Conduct
from gatepost.guard.guard import Guard
from gatepost.guard.post import Post
from gatepost.log import Level, Log
from gatepost.login import Login
from gatepost.meter import Meter
from gatepost.policy.allotment import NOBODY_APART, Allotment, Allotments
from gatepost.policy.login import Channel, LoginRules, offered
from gatepost.pop3.capability import Capabilities
from gatepost.server.admission import Running
from gatepost.server.blocklists import BlockLists
from gatepost.server.maildrop import Maildrops
from gatepost.server.offer import offer
from gatepost.server.room import Room
from gatepost.server.screening import Scanner
from gatepost.server.sessions import Sessions
from gatepost.server.tls import TlsServer
from gatepost.server.watch import Watch
from gatepost.smtp.extension import ehlo_reply
from gatepost.smtp.reply import Reply
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking

_ALL_IPV4, _ALL_IPV6 = ip_network("0.0.0.0/0"), ip_network("::/0")


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
    guard: Post
    conduct: Conduct
    room: Room | None = None  # None: nobody has a quota
    next_servers: NextServers | None = None  # None: nobody is asked ahead
    meter: Meter = field(default_factory=Meter)
    clock: Callable[[], float] = time.time

    def facing(self, peer_name: tuple[str, int]) -> Shard:
        """Itself. For a connection of the self-test one that leaves no trace and suspects nobody."""
        ours = self.sessions.ours
        return self._unmoved(ours[peer_name]) if ours and peer_name in ours else self

    def _unmoved(self, visitor: Visitor | None) -> Shard:
        log = self.log.apart(Level.ERROR)
        trusting = self.settings.guard.model_copy(update={"trusted": (_ALL_IPV4, _ALL_IPV6)})
        guard = Guard(trusting, clock=time.monotonic, wall=self.clock)
        alone = Post(guard, clock=time.monotonic, wall=self.clock)
        nowhere = Tracking(Path(os.devnull), notes_at_most=0)
        here = replace(self, log=log, guard=alone, tracking=nowhere, meter=Meter())
        if visitor is None:
            return here
        known = Directories([visitor, self.directories])
        login = Login(known, alone, log, decoy_key=secrets.token_bytes(32))
        return replace(here, directories=known, login=login)


@dataclass(slots=True)
class SmtpVirtualServer:
    """One [smtp.NAME] as it runs. `allotments`: whom the file gives more or less than everybody."""

    settings: SmtpServer
    tls: TlsServer | None
    allotments: Allotments = NOBODY_APART
    running: Running = Running.RUNNING
    name: str = field(init=False)
    everybody: Allotment = field(init=False)
    scanner: Scanner | None = field(init=False, default=None)
    watch: Watch | None = field(init=False, default=None)
    block_lists: BlockLists | None = field(init=False, default=None)
    _ehlo: dict[Channel, Reply] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.settings.name
        self.everybody = everybody(self.settings)
        if self.settings.scan is not None:
            # Its HTTP client is 15 MB that a worker without a content check does not need.
            from gatepost.server.rspamd import Rspamd

            self.scanner = Rspamd(self.settings.scan)

    def inherit(self, before: SmtpVirtualServer) -> None:
        """What was begun goes on."""
        if self.settings.scan == before.settings.scan:
            self.scanner = before.scanner

    def ehlo(self, hostname: str, channel: Channel) -> Reply:
        """What is offered now; never before it is true."""
        reply = self._ehlo.get(channel)
        if reply is None:
            reply = self._ehlo[channel] = ehlo_reply(hostname, offer(self.settings, channel))
        return reply

    def help(self, channel: Channel) -> Reply:
        """The commands that are of use now."""
        offered = offer(self.settings, channel)
        more = ("STARTTLS " if offered.starttls else "") + ("AUTH " if offered.auth else "")
        return Reply(214, "2.0.0", (f"EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY {more}QUIT",))


@dataclass(slots=True)
class Pop3VirtualServer:
    """One [pop3.NAME] as it runs. `key` is its name where SMTP's virtual servers are counted too."""

    settings: Pop3Server
    tls: TlsServer | None
    maildrops: Maildrops
    running: Running = Running.RUNNING
    name: str = field(init=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.settings.name
        self.key = f"pop3.{self.name}"

    def capabilities(self, channel: Channel, *, logged_in: bool) -> Capabilities:
        """What is offered now; never before it is true."""
        settings, tls = self.settings, channel.tls
        rules = LoginRules(settings.auth, settings.auth_in_clear)
        may_log_in = tls or (settings.auth_in_clear and settings.tls is not TlsMode.REQUIRE)
        return Capabilities(
            user=settings.user_pass and may_log_in,
            stls=not tls and not logged_in and settings.tls in (TlsMode.OFFER, TlsMode.REQUIRE),
            mechanisms=offered(rules, channel) if may_log_in else (),
            login_delay_seconds=settings.login_delay_seconds,
            expire_days=settings.expire_days,
            implementation="Gatepost",
        )
