"""The guard as the posts of all workers see it: their questions answered, its decisions told to all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from gatepost.guard import told
from gatepost.guard.bans import Ban, network
from gatepost.guard.event import Event
from gatepost.guard.guard import Guard, Listener
from gatepost.guard.ledger import Offence
from gatepost.guard.source import network_of, peer_of

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Knocking:
    """Refused hosts with the seconds that are left, and banned networks, that may knock too fast."""

    hosts: Mapping[bytes, float]
    networks: Sequence[IPv4Network]


class Seat(Listener):
    """`broadcast` reaches every post; `happened` and `known` go to whom they concern."""

    def __init__(
        self,
        broadcast: Callable[[Fields], None],
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        on_known: Callable[[str, bytes, float], None] = lambda name, host, at: None,
        on_knocks: Callable[[Knocking], None] = lambda knocking: None,
    ) -> None:
        self._broadcast = broadcast
        self._on_event = on_event
        self._on_known = on_known
        self.on_knocks = on_knocks
        self._sessions: defaultdict[Hashable, set[str]] = defaultdict(set)

    def seated(self, guard: Guard) -> None:
        self._guard = guard

    # the guard's side

    def refused(self, host: bytes, seconds: float) -> None:
        self._broadcast({"hosts": [[host.hex(), seconds]]})

    def pair_refused(self, name: str, host: bytes) -> None:
        self._broadcast({"pairs": [[name, host.hex()]]})

    def known(self, name: str, host: bytes, at: float) -> None:
        self._on_known(name, host, at)

    def happened(self, event: Event) -> None:
        self._on_event(event)

    # the posts' side

    def everything(self) -> Fields:
        """What a post has to know when it joins."""
        hosts = [[key.hex(), seconds] for key, seconds in self._guard.refused_hosts()]
        return {"all": True, "hosts": hosts, "bans": self._bans()}

    def hear(self, post: Hashable, verb: str, fields: Fields) -> Any:
        """The answer to a post. Raises KeyError for a verb that is none of the guard's."""
        return _VERBS[verb](self, post, fields)

    def post_gone(self, post: Hashable) -> None:
        """The worker is dead, and what its sessions tried is not to be decided."""
        for session in self._sessions.pop(post, set()):
            self._guard.gone(f"{post}/{session}")

    def ban(self, bans: Iterable[Ban]) -> None:
        for ban in bans:
            self._guard.bans.add(ban)
        self._broadcast({"bans": self._bans()})

    def pardon(self, source: str) -> bool:
        """Neither banned nor refused any more; whether it was. Raises NotASource."""
        there = network(source)
        was_banned = self._guard.bans.remove(there)
        was_refused = self._guard.pardon(there.network_address)
        self._broadcast({"bans": self._bans()})
        return was_banned or was_refused

    def _bans(self) -> list[list[Any]]:
        return [[str(ban.network), ban.until] for ban in self._guard.bans]

    def _named(self, post: Hashable, fields: Fields) -> Fields:
        """Session ids of two workers may be the same."""
        return fields | {"session": f"{post}/{fields['session']}"}

    def _admit(self, post: Hashable, fields: Fields) -> Any:
        self._sessions[post].add(fields["session"])
        attempt = told.attempt_of(self._named(post, fields))
        return told.treatment_fields(self._guard.admit(attempt, fields["name"], told.proof_of(fields)))

    def _tried(self, post: Hashable, fields: Fields) -> None:
        self._sessions[post].discard(fields["session"])
        self._guard.note(told.tried_of(self._named(post, fields)))

    def _gone(self, post: Hashable, fields: Fields) -> None:
        self._sessions[post].discard(fields["session"])
        self._guard.gone(f"{post}/{fields['session']}")

    def _knocks(self, post: Hashable, fields: Fields) -> None:
        """In a flood all that are refused are told of: who knocks is often gone before it is known who."""
        hosts = dict(self._refused_still(map(bytes.fromhex, fields["hosts"])))
        networks = []
        if fields["flood"]:
            hosts = dict(self._guard.refused_hosts()) | hosts
            for ban in self._guard.bans:
                if isinstance(ban.network, IPv4Network) and not self._guard.trusts_any_of(ban.network):
                    networks.append(ban.network)
        self.on_knocks(Knocking(hosts, networks))

    def _refused_still(self, hosts: Iterable[bytes]) -> Iterator[tuple[bytes, float]]:
        """Those that are refused now, with the seconds that are left."""
        for key in hosts:
            seconds = self._guard.refused_seconds(network_of(key).network_address)
            if seconds > 0:
                yield key, seconds

    def _offence(self, post: Hashable, fields: Fields) -> None:
        self._guard.offend(Offence(fields["offence"]), peer_of(fields["peer"]))

    def _unknown_recipient(self, post: Hashable, fields: Fields) -> Any:
        treatment = self._guard.offend(Offence.UNKNOWN_RECIPIENT, peer_of(fields["peer"]))
        return told.treatment_fields(treatment)


_VERBS: dict[str, Callable[[Seat, Hashable, Fields], Any]] = {
    "guard-admit": Seat._admit,
    "guard-tried": Seat._tried,
    "guard-gone": Seat._gone,
    "guard-offence": Seat._offence,
    "guard-knocks": Seat._knocks,
    "guard-unknown-recipient": Seat._unknown_recipient,
    "guard-everything": lambda self, post, fields: self.everything(),
}
