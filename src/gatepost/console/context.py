"""What every page of the console is built with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from gatepost.admin.actor import Actor
from gatepost.admin.acts import Acts
from gatepost.admin.house import House
from gatepost.console.drafts import Drafts
from gatepost.console.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Context:
    """The house, who looks at it, and how. `parameters` and `query` are those of the address.

    `zone` is the reader's time zone as its IANA name.
    """

    house: House
    visitor: Visitor
    drafts: Drafts
    zone: str = "UTC"
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Whoever acts, as of now. Raises SignedOut."""
        return self.visitor.actor()

    @property
    def acts(self) -> Acts:
        """What whoever acts may do, as of now. Raises SignedOut."""
        return Acts(self.house, self.actor)

    @property
    def settings_path(self) -> Path:
        return self.house.file

    def local_time(self, at: datetime | float | str) -> str:
        """The moment in the reader's zone, to the second: 2026-11-24 10:20:33."""
        return moment(at).astimezone(_zone(self.zone)).strftime("%Y-%m-%d %H:%M:%S")


def moment(at: datetime | float | str) -> datetime:
    """An aware time of what stands for one: seconds since 1970, or ISO 8601 (UTC where it says none)."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    elif not isinstance(at, datetime):
        at = datetime.fromtimestamp(at, UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def is_zone(name: str) -> bool:
    """Whether it names a time zone that is known here."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        return False
    return True


def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if is_zone(name) else UTC
