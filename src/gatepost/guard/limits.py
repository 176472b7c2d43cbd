"""WHAT FOLLOWS FROM COUNTS: how long to wait, whom to refuse and for how long. Pure.

The source is slowed and refused, never the victim: a name has a state of its own only to keep
strangers from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.ledger import Offence, Scope
from gatepost.guard.source import Source


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done with a peer: it waits, or is refused.

    `later`: as many tries as may still fail are under way, ask again when one of them is decided.
    """

    delay_seconds: float = 0.0
    refused: bool = False
    later: bool = False

    @property
    def word(self) -> str:
        """For records and the operator."""
        if self.refused:
            return "refused"
        return "slowed" if self.delay_seconds else "none"


OPEN: Final = Treatment()
LATER: Final = Treatment(later=True)


class Bound:
    """At how many distinct wrong passwords something is refused. Plain, for four are made with each try."""

    __slots__ = ("key", "most", "place", "scope")

    def __init__(self, scope: Scope, key: bytes, most: int) -> None:
        self.scope = scope
        self.key = key
        self.most = most
        self.place = (scope, key)


def windows(settings: GuardSettings) -> dict[Offence, float]:
    """How long each kind of offence adds up."""
    short = float(settings.offence_window_seconds)
    return {
        Offence.WRONG_PASSWORD: float(settings.window_seconds),
        Offence.DECOY: float(settings.window_seconds),
        Offence.AUTH_NOT_OFFERED: short,
        Offence.UNKNOWN_RECIPIENT: float(settings.harvest.window_seconds),
        Offence.RUBBISH: short,
        Offence.SILENT: short,
    }


def source_bounds(settings: GuardSettings, source: Source, *, spray: bool) -> tuple[Bound, ...]:
    """What wrong passwords from `source` are measured by; a spray leaves each machine less."""
    per_host = settings.wrong_passwords_per_address
    if spray:
        per_host = min(per_host, settings.spray_wrong_passwords_per_address)
    return (
        Bound(Scope.HOST, source.host, per_host),
        Bound(Scope.SMALL, source.small, settings.wrong_passwords_per_small_network),
        Bound(Scope.LARGE, source.large, settings.wrong_passwords_per_network),
    )


def most_of(settings: GuardSettings, offence: Offence) -> int:
    """How often a machine may do it; at the next it is refused."""
    return {
        Offence.WRONG_PASSWORD: settings.wrong_passwords_per_address,
        Offence.DECOY: 0,
        Offence.AUTH_NOT_OFFERED: settings.auth_not_offered_per_address,
        Offence.UNKNOWN_RECIPIENT: settings.harvest.refuse_after,
        Offence.RUBBISH: settings.rubbish_per_address,
        Offence.SILENT: settings.silent_per_address,
    }[offence]


def refuse_seconds(settings: GuardSettings, offence: Offence) -> float:
    """How long the first refusal lasts."""
    if offence is Offence.UNKNOWN_RECIPIENT:
        return float(settings.harvest.refuse_seconds)
    return float(settings.refuse_seconds)


def login_delay_seconds(settings: GuardSettings, count: int) -> float:
    """How long the next try waits after `count` wrong passwords: doubling from a quarter of a second."""
    over = count - settings.slow_after
    if over < 0:
        return 0.0
    return min(float(settings.delay_most_seconds), 0.25 * 2.0 ** min(over, 20))


def harvest_delay_seconds(settings: GuardSettings, count: int) -> float:
    """How long the answer to an unknown recipient waits."""
    over = count - settings.harvest.slow_after
    return 0.0 if over <= 0 else min(float(settings.delay_most_seconds), float(over))
