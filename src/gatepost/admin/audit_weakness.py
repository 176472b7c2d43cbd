"""A weak point of the house: what it is, how bad, where, why it matters, and what to do about it.

Not to be confused with `store/audit.py`, the list of who changed what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from gatepost.admin.audit_meanings import MEANINGS, Weak

Row = dict[str, Any]


class Grade(Enum):
    """How bad, worst first. CRITICAL: strangers send through here, or need one guess to."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


_ORDER: Final = {grade: rank for rank, grade in enumerate(Grade)}


@dataclass(frozen=True, slots=True)
class Weakness:
    """One weak point. `where` are places in the file (`gatepost.toml:12`), accounts, or files."""

    weak: Weak
    grade: Grade
    text: str
    where: tuple[str, ...] = ()
    remedy: str = ""

    def row(self) -> Row:
        meaning = MEANINGS[self.weak]
        return {
            "severity": self.grade.value,
            "weakness": self.weak.value,
            "text": self.text,
            "where": list(self.where),
            "why": meaning.why,
            "remedy": self.remedy or meaning.remedy,
        }


def worst_first(found: Iterable[Weakness]) -> tuple[Weakness, ...]:
    """Each once, by grade, those of one grade by kind as the table has them."""
    kinds = {weak: rank for rank, weak in enumerate(Weak)}
    return tuple(
        sorted(dict.fromkeys(found), key=lambda one: (_ORDER[one.grade], kinds[one.weak], one.where))
    )
