"""Where each name has logged in from before. Pure; `store.guarddb` keeps it.

A source is known exactly (the machine) or by its network; times are Unix seconds.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gatepost.guard.source import source_of

_SOURCES_A_NAME: Final = 64
_REFRESH_SECONDS: Final = 86_400.0


class Familiarity(Enum):
    """How well a source is known for a name."""

    HOST = "host"
    NETWORK = "network"
    STRANGE = "strange"


@dataclass(frozen=True, slots=True)
class KnownSource:
    """`name` is the guard's form of it; `at` when it was last seen there."""

    name: str
    host: bytes
    at: float


class KnownSources:
    """At most `names` names, the longest unused forgotten first, and 64 sources of each."""

    def __init__(self, *, names: int = 100_000) -> None:
        self._names_at_most = names
        self._names: OrderedDict[str, OrderedDict[bytes, float]] = OrderedDict()
        self._hosts: Counter[bytes] = Counter()

    def familiarity(self, name: str, host: bytes) -> Familiarity:
        hosts = self._names.get(name)
        if hosts is None:
            return Familiarity.STRANGE
        if host in hosts:
            return Familiarity.HOST
        large = source_of(host).large
        near = any(len(one) == len(host) and one.startswith(large) for one in hosts)
        return Familiarity.NETWORK if near else Familiarity.STRANGE

    def is_anybodys(self, host: bytes) -> bool:
        """Whether anybody logged in from the machine."""
        return host in self._hosts

    def has_name(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str, host: bytes, at: float) -> bool:
        """The name is known there; whether that is worth keeping, being new or a day newer."""
        hosts = self._names.setdefault(name, OrderedDict())
        self._names.move_to_end(name)
        before = hosts.get(host)
        if before is not None and at - before < _REFRESH_SECONDS:
            return False
        if before is None:
            self._hosts[host] += 1
        hosts[host] = at
        hosts.move_to_end(host)
        if len(hosts) > _SOURCES_A_NAME:
            self._gone(hosts.popitem(last=False)[0])
        if len(self._names) > self._names_at_most:
            for one in self._names.popitem(last=False)[1]:
                self._gone(one)
        return True

    def forget_before(self, at: float) -> None:
        """Sources nobody came from since `at` are strange again."""
        for name, hosts in list(self._names.items()):
            for host in [host for host, seen in hosts.items() if seen < at]:
                del hosts[host]
                self._gone(host)
            if not hosts:
                del self._names[name]

    def load(self, known: Iterable[KnownSource]) -> None:
        for one in sorted(known, key=lambda known: known.at):
            self.add(one.name, one.host, one.at)

    def hosts(self) -> Iterator[bytes]:
        return iter(tuple(self._hosts))

    def of(self, name: str) -> list[KnownSource]:
        return [KnownSource(name, host, at) for host, at in self._names.get(name, {}).items()]

    def _gone(self, host: bytes) -> None:
        self._hosts[host] -= 1
        if self._hosts[host] <= 0:
            del self._hosts[host]
