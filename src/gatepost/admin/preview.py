"""A text that might become the configuration, looked at before it does."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gatepost.admin.relay_groups import relay_group_doubts
from gatepost.config.check import check
from gatepost.config.fault import ConfigError, Fault
from gatepost.config.finding import Finding, Findings
from gatepost.config.load import load_text
from gatepost.config.schema import DirectoryKind, Settings
from gatepost.store.accounts import Accounts

_MEMBERS: Final = 500  # a preview is waited for


@dataclass(frozen=True, slots=True)
class Preview:
    """`settings` None: the text is not valid, and `faults` says why."""

    text: str
    settings: Settings | None
    faults: tuple[Fault, ...] = ()
    findings: Findings = field(default_factory=lambda: Findings(()))

    @property
    def may_be_applied(self) -> bool:
        """Valid, and closed to strangers."""
        return self.settings is not None and self.findings.is_safe

    def line(self, number: int) -> str:
        """What stands in that line of the text."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def preview(text: str, file: Path, accounts: Accounts) -> Preview:
    """Faults, and what is dangerous or doubtful. Raises DatabaseError."""
    try:
        settings = load_text(text, file)
    except ConfigError as error:
        return Preview(text, None, error.faults)
    return Preview(text, settings, (), _findings(settings, accounts))


def _findings(settings: Settings, accounts: Accounts) -> Findings:
    # what is not a local name may be in another directory, which is not asked here
    alone = all(one.kind is DirectoryKind.LOCAL for one in settings.directory.values())
    domains = tuple(settings.domains)
    found = check(
        settings,
        group_exists=(lambda name: accounts.groups.find(name) is not None) if alone else None,
        user_exists=(lambda name: accounts.users.find(name, domains) is not None) if alone else None,
    )
    return Findings((*found.items, *relay_group_doubts(settings, accounts, most=_MEMBERS)))


def in_the_file(before: str, after: str) -> list[str]:
    """The unified difference, three lines around each change; empty when there is none."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return list(found)[2:]  # without the two names


def new_ones(findings: Findings, before: Findings) -> tuple[Finding, ...]:
    """Those that were not found before, wherever they stand."""
    known = {one.text for one in before.items}
    return tuple(one for one in findings.items if one.text not in known)
