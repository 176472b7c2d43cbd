"""Where everything lies in the state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """The files and folders below `state`."""

    state: Path

    @property
    def accounts(self) -> Path:
        return self.state / "accounts.sqlite3"

    @property
    def tracking(self) -> Path:
        return self.state / "tracking.sqlite3"

    @property
    def history(self) -> Path:
        """Numbers over time, for the console."""
        return self.state / "history.sqlite3"

    @property
    def guard(self) -> Path:
        return self.state / "guard.sqlite3"

    @property
    def attempts(self) -> Path:
        return self.state / "attempts.sqlite3"

    @property
    def console(self) -> Path:
        """Sessions of the console."""
        return self.state / "console.sqlite3"

    @property
    def spool(self) -> Path:
        return self.state / "spool"

    @property
    def mailboxes(self) -> Path:
        return self.state / "mail"

    @property
    def control(self) -> Path:
        """The socket at which the daemon answers the operator."""
        return self.state / "control.sock"

    @property
    def api(self) -> Path:
        """The socket at which programs of this machine ask, as over HTTP."""
        return self.state / "api.sock"

    @property
    def generations(self) -> Path:
        """Every configuration that was taken over."""
        return self.state / "generations"

    @property
    def acme(self) -> Path:
        """The key of the account at the ACME authority."""
        return self.state / "acme" / "account.key"

    @property
    def servers(self) -> Path:
        """Which virtual servers were stopped or paused."""
        return self.state / "servers.json"

    @property
    def password_trials(self) -> Path:
        """Which stored passwords the audit has tried, by digest."""
        return self.state / "password-trials.json"
