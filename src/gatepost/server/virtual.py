"""All virtual servers of one configuration, as they run in one worker."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from gatepost.config.schema import Settings, SmtpServer, VirtualServer
from gatepost.directory.directory import Directories
from gatepost.guard.bans import Networks
from gatepost.server.admission import Running
from gatepost.server.balancers import Balancers
from gatepost.server.blocklists import BlockLists
from gatepost.server.connection import Conversation
from gatepost.server.listener import Target
from gatepost.server.maildrop import Maildrops
from gatepost.server.pop3 import Pop3Conversation
from gatepost.server.porter import Porter
from gatepost.server.shard import Pop3VirtualServer, Shard, SmtpVirtualServer
from gatepost.server.smtp import SmtpConversation
from gatepost.server.tls import TlsServer, tls_server
from gatepost.server.watch import watch_of


class VirtualServers:
    """By `smtp.NAME` and `pop3.NAME`. `off` are those that are stopped."""

    def __init__(self, shard: Shard, off: Collection[str]) -> None:
        self._shard = shard
        self.off = frozenset(off)
        self.servers: dict[str, SmtpVirtualServer | Pop3VirtualServer] = {}
        self.targets: dict[str, Target] = {}

    @property
    def settings(self) -> Settings:
        return self._shard.settings

    @property
    def directories(self) -> Directories:
        return self._shard.directories

    @property
    def tls_servers(self) -> list[TlsServer]:
        return [server.tls for server in self.servers.values() if server.tls is not None]

    def inherit(self, before: VirtualServers) -> None:
        """What was counted goes on being counted."""
        for key, server in self.servers.items():
            old = before.servers.get(key)
            if isinstance(server, SmtpVirtualServer) and isinstance(old, SmtpVirtualServer):
                server.inherit(old)

    def set_running(self, running: Running) -> None:
        for server in self.servers.values():
            server.running = running


def virtual_servers(
    shard: Shard, maildrops: Maildrops, *, off: Collection[str] = (), paused: Collection[str] = ()
) -> VirtualServers:
    """The virtual servers of the shard's settings. Raises OSError, ValueError for their certificates."""
    made = VirtualServers(shard, off)
    certificates = shard.settings.certificates
    allotments = shard.settings.limits.allotments()
    for name, settings in shard.settings.smtp.items():
        smtp = SmtpVirtualServer(settings, tls_server(settings, certificates), allotments)
        smtp.watch = watch_of(settings, shard.settings.guard.devices, shard.conduct.sightings)
        smtp.block_lists = _block_lists(shard, settings)
        made.servers[f"smtp.{name}"] = smtp
        made.targets[f"smtp.{name}"] = _target(
            shard, settings, smtp.tls, partial(SmtpConversation, shard, smtp), "smtp"
        )
    for name, collecting in shard.settings.pop3.items():
        pop3 = Pop3VirtualServer(collecting, tls_server(collecting, certificates), maildrops)
        made.servers[f"pop3.{name}"] = pop3
        made.targets[f"pop3.{name}"] = _target(
            shard, collecting, pop3.tls, partial(Pop3Conversation, shard, pop3), "pop3"
        )
    for key in paused:
        if key in made.servers:
            made.servers[key].running = Running.PAUSED
    return made


def _target(
    shard: Shard,
    settings: VirtualServer,
    tls: TlsServer | None,
    conversation: Callable[[], Conversation],
    protocol: str,
) -> Target:
    """Where connections to this virtual server lead."""
    name = settings.name if protocol == "smtp" else f"pop3.{settings.name}"
    sessions, log, clock = shard.sessions, shard.log, shard.clock
    porter = Porter(shard.guard, sessions, log, name, clock)
    balancers = Balancers(settings.proxies, sessions, log, name, clock) if settings.proxies else None
    return Target(settings, tls, conversation, porter.way(protocol, settings.tls), balancers, porter.rubbish)


def _block_lists(shard: Shard, settings: SmtpServer) -> BlockLists | None:
    trusted = Networks(shard.settings.watching.trusted)
    if not settings.block_lists:
        return None
    return BlockLists(settings.block_lists, trusted, shard.resolver, shard.log, shard.clock)
