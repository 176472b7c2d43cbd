"""What `check` finds in a file that is valid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from gatepost.config.source import KeyPath, Source
from gatepost.mail.address import Address
from gatepost.policy.facts import Peer


class Severity(Enum):
    """With an ERROR nothing starts and nothing is reloaded."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody nobody knows, who would get mail through to somewhere else."""

    server: str
    peer: Peer
    tls: bool
    sender: Address
    recipient: Address


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    file: Path
    line: int
    text: str
    remedy: str
    stranger: Stranger | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity.value}: {self.text}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, errors first, each part in the file's order."""

    items: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(item for item in self.items if item.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(item for item in self.items if item.severity is Severity.WARNING)

    @property
    def is_safe(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class Doubt:
    """A warning that has not been given its file yet; `line` where an access entry is meant."""

    path: KeyPath
    text: str
    remedy: str
    line: int | None = None

    def placed(self, source: Source) -> Finding:
        line = source.line(self.path) if self.line is None else self.line
        return Finding(Severity.WARNING, source.path, line, self.text, self.remedy)
