"""HOW MUCH ONE SENDER MAY SEND, put together from what the file says of everybody, groups and users. Pure.

Who sends without a login is counted only where the file speaks of its certificate or its network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from gatepost.policy.principal import Network
from gatepost.policy.quota import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS, Limit


@dataclass(frozen=True, slots=True)
class Allotment:
    """What a user, a member of a group, a device or a host may send; None: nothing is said of it."""

    messages_per_minute: int | None = None
    recipients_per_hour: int | None = None
    recipients_per_day: int | None = None
    domains_per_day: int | None = None
    message_size_bytes: int | None = None
    message_limits: tuple[Limit, ...] = field(init=False, repr=False, compare=False)
    recipient_limits: tuple[Limit, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The limits are made once: they are looked at with every message. The hour's is before the day's."""
        minute = (self.messages_per_minute, MINUTE_SECONDS)
        hour, day = (self.recipients_per_hour, HOUR_SECONDS), (self.recipients_per_day, DAY_SECONDS)
        object.__setattr__(self, "message_limits", _limits(minute))
        object.__setattr__(self, "recipient_limits", _limits(hour, day))

    def or_else(self, other: Allotment) -> Allotment:
        """What is not said here is as `other` says."""
        return _joined(self, other, lambda mine, theirs: mine)

    def strictest(self, other: Allotment) -> Allotment:
        """The smaller of both, each by itself."""
        return _joined(self, other, min)


def _joined(one: Allotment, other: Allotment, both: Callable[[int, int], int]) -> Allotment:
    values: dict[str, int | None] = {}
    for each in (one for one in fields(Allotment) if one.init):
        mine, theirs = getattr(one, each.name), getattr(other, each.name)
        if mine is None or theirs is None:
            values[each.name] = theirs if mine is None else mine
        else:
            values[each.name] = both(mine, theirs)
    return Allotment(**values)


def _limits(*numbers: tuple[int | None, float]) -> tuple[Limit, ...]:
    return tuple(Limit(most, span) for most, span in numbers if most is not None)


NOTHING_SAID: Final = Allotment()


@dataclass(frozen=True, slots=True)
class Allotments:
    """What is said of single users and of members of groups, by names in lower case.

    And of those who do not log in: of each address in a network, and of certificates.
    """

    users: Mapping[str, Allotment] = field(default_factory=dict)
    groups: Mapping[str, Allotment] = field(default_factory=dict)
    networks: Mapping[Network, Allotment] = field(default_factory=dict)
    certificates: Mapping[str, Allotment] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing is said of any who log in."""
        return not self.users and not self.groups

    @property
    def spares_hosts(self) -> bool:
        """Nothing is said of any who do not log in."""
        return not self.networks and not self.certificates

    def of_address(self, peer: IPv4Address | IPv6Address) -> Allotment:
        """What is said of the smallest network it is in stands over what is said of larger ones."""
        around = [one for one in self.networks if one.version == peer.version and peer in one]
        said = NOTHING_SAID
        for network in sorted(around, key=lambda one: one.prefixlen, reverse=True):
            said = said.or_else(self.networks[network])
        return said

    def of_certificate(self, names: frozenset[str]) -> Allotment:
        """The smallest of what is said of any of its names."""
        said = NOTHING_SAID
        for name, allotment in self.certificates.items():
            if name in names:
                said = said.strictest(allotment)
        return said

    def of(self, names: Iterable[str], groups: frozenset[str] | None, everybody: Allotment) -> Allotment:
        """A user's own word stands over its groups', and theirs over everybody's.

        Of several groups the smallest number holds. `groups` None: nobody can tell now, so it may be a
        member of any.
        """
        if groups is None and self.groups:
            return self._own(names).or_else(self._theirs(None).strictest(everybody))
        return self.given(names, groups).or_else(everybody)

    def given(self, names: Iterable[str], groups: frozenset[str] | None) -> Allotment:
        """What was said of the user or its groups alone."""
        return self._own(names).or_else(self._theirs(groups))

    def _own(self, names: Iterable[str]) -> Allotment:
        own = NOTHING_SAID
        for name in names:
            own = own.or_else(self.users.get(name, NOTHING_SAID))
        return own

    def _theirs(self, groups: frozenset[str] | None) -> Allotment:
        theirs = NOTHING_SAID
        for group, allotment in self.groups.items():
            if groups is None or group in groups:
                theirs = theirs.strictest(allotment)
        return theirs


NOBODY_APART: Final = Allotments()
