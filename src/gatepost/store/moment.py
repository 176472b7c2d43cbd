"""When something was: after a restart it is known how long ago that is, whatever was done to the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is Unix time; `boot` names the start of the machine, `since_boot` are the seconds since then."""

    at: float
    boot: str
    since_boot: float

    def seconds_since(self, before: Moment) -> float:
        """While the machine runs as its own clock counts, else by the clock on the wall; never below 0."""
        if self.boot and self.boot == before.boot:
            return max(0.0, self.since_boot - before.since_boot)
        return max(0.0, self.at - before.at)


def moment() -> Moment:
    """Now."""
    return Moment(time.time(), _boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot() -> str:
    """Empty where nobody says."""
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
