"""What single users and members of groups may send: `[limits.users]` and `[limits.groups]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field

from gatepost.config.fault import Complaint
from gatepost.config.model import Model
from gatepost.config.servers import Limits
from gatepost.config.value import Bytes, Count, Name
from gatepost.policy.allotment import Allotment, Allotments


class Allotted(Model):
    """`[limits.users."NAME"]`, `[limits.groups."NAME"]`: what is left out is as for everybody."""

    messages_per_minute: Count | None = None
    recipients_per_hour: Count | None = None
    recipients_per_day: Count | None = None
    domains_per_day: Count | None = None
    message_size_bytes: Bytes | None = None

    def allotment(self) -> Allotment:
        return Allotment(
            self.messages_per_minute,
            self.recipients_per_hour,
            self.recipients_per_day,
            self.domains_per_day,
            self.message_size_bytes,
        )


class SharedLimits(Limits):
    """`[limits]`."""

    users: dict[Name, Allotted] = Field(default_factory=dict)
    groups: dict[Name, Allotted] = Field(default_factory=dict)

    def allotments(self) -> Allotments:
        return Allotments(
            {name: one.allotment() for name, one in self.users.items()},
            {name: one.allotment() for name, one in self.groups.items()},
        )


def everybody(limits: Limits) -> Allotment:
    """What a user of a virtual server may send of whom nothing else is said."""
    return Allotment(
        limits.messages_per_minute_per_user,
        limits.recipients_per_hour_per_user,
        limits.recipients_per_day_per_user,
        limits.domains_per_day_per_user,
        limits.message_size_bytes,
    )


def allotment_complaints(raw: Mapping[str, object]) -> Iterator[Complaint]:
    """Two spellings of one name would leave one of the two tables without effect."""
    limits = raw.get("limits")
    for kind in ("users", "groups"):
        tables = limits.get(kind) if isinstance(limits, Mapping) else None
        taken: dict[str, str] = {}
        for name in tables if isinstance(tables, Mapping) else ():
            folded = name.lower()
            if folded in taken:
                yield Complaint(("limits", kind, name), f"is {taken[folded]!r} again", "keep one of the two")
            taken.setdefault(folded, name)
