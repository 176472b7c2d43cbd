"""The configuration as a text that somebody wants to put in force: judged, compared, written."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gatepost.admin.concerned import concerned
from gatepost.admin.difference import Change, difference
from gatepost.config.check import check
from gatepost.config.fault import Fault
from gatepost.config.finding import Finding, Findings
from gatepost.config.load import load_text, read_text
from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts

Row = dict[str, Any]
_ASKED: Final = 2_000


class Stale(Exception):
    """The file is not what the change began from: somebody else was faster."""


class Unsafe(Exception):
    """The text is valid, but a stranger could relay; `findings` says through what."""

    def __init__(self, findings: Findings) -> None:
        super().__init__("; ".join(str(finding) for finding in findings.errors))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Written:
    """The file as it stands. `digest` tells two texts apart."""

    text: str
    digest: str


def written(file: Path) -> Written:
    """Raises ConfigError where it cannot be read."""
    text = read_text(file)
    return Written(text, digest(text))


def digest(text: str) -> str:
    """A name for the text: the same for the same one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def judged(text: str, file: Path) -> tuple[Settings, Findings]:
    """What the text would be as the file. Raises ConfigError with every fault."""
    settings = load_text(text, file)
    return settings, check(settings)


def safe(text: str, file: Path) -> Settings:
    """The settings, if no stranger could relay by them. Raises ConfigError, Unsafe."""
    settings, findings = judged(text, file)
    if not findings.is_safe:
        raise Unsafe(findings)
    return settings


def changes(before: Settings, after: Settings, accounts: Accounts) -> list[Change]:
    """What `after` changes, asked for the local users, some of them, whom one of the two means."""
    servers = [*before.smtp.values(), *after.smtp.values()]
    return difference(before, after, concerned(after, servers, accounts, limit=_ASKED))


def finding_row(finding: Finding) -> Row:
    return {
        "severity": finding.severity.value,
        "line": finding.line,
        "text": finding.text,
        "remedy": finding.remedy,
    }


def fault_row(fault: Fault) -> Row:
    row = asdict(fault)
    del row["file"]
    return row
