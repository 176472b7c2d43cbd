"""WHICH LIMIT HOLDS OF A USER, AND BY WHOSE WORD: the rules of `[limits]` as a page tells them. Pure.

What is counted is counted over all virtual servers, but each asks with its own numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from gatepost.config.allotments import SharedLimits, everybody
from gatepost.config.servers import Limits
from gatepost.policy.allotment import NOTHING_SAID, Allotment

KEYS: Final = tuple(one.name for one in fields(Allotment) if one.init)
_SIZE: Final = "message_size_bytes"


class Origin(Enum):
    """Whose word it is."""

    OWN = "own"
    GROUP = "group"
    EVERYBODY = "everybody"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class InForce:
    """`value` None: no limit. `server` empty: wherever no other row says more. `groups`: whose word it is."""

    key: str
    value: int | None
    origin: Origin
    server: str = ""
    groups: tuple[str, ...] = ()


def in_force(
    shared: SharedLimits, servers: Mapping[str, Limits], names: Collection[str], groups: frozenset[str]
) -> Iterator[InForce]:
    """One for each key, and one more for each virtual server that has another.

    `names` and `groups` are in lower case.
    """
    said = shared.allotments()
    own = said.of(names, frozenset(), NOTHING_SAID)
    of_groups = {name: one for name, one in said.groups.items() if name in groups}
    for key in KEYS:
        usual = _of(key, own, of_groups, everybody(shared), Origin.EVERYBODY, "")
        yield usual
        for name, limits in servers.items():
            there = _of(key, own, of_groups, everybody(limits), Origin.SERVER, name)
            if there.value != usual.value:
                yield there


def _of(
    key: str, own: Allotment, of_groups: Mapping[str, Allotment], all_: Allotment, origin: Origin, server: str
) -> InForce:
    most: int | None = getattr(all_, key)
    found = InForce(key, most, origin, server)
    value: int | None = getattr(own, key)
    numbers = {name: number for name, one in of_groups.items() if (number := getattr(one, key)) is not None}
    if value is not None:
        found = InForce(key, value, Origin.OWN, server)
    elif numbers:
        least = min(numbers.values())
        whose = tuple(name for name, number in numbers.items() if number == least)
        found = InForce(key, least, Origin.GROUP, server, whose)
    if key == _SIZE and most is not None and found.value is not None and found.value > most:
        return InForce(key, most, origin, server)  # never more than the virtual server takes
    return found
