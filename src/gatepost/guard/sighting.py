"""What is watched: a device with its own secret, an account that is one, an address without login. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class DeviceKind(Enum):
    """By what a device is known, in the word of file and list."""

    APP_PASSWORD = "app-password"  # noqa: S105 - a kind, not a password
    ACCOUNT = "account"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Watched:
    """`of` is a canonical account name, or an address; `label` is of app passwords alone."""

    kind: DeviceKind
    of: str
    label: str = ""

    @property
    def names(self) -> frozenset[str]:
        """By what the file may mean the account: whole, or without its domain."""
        return frozenset((self.of, self.of.partition("@")[0]))

    def __str__(self) -> str:
        """As an operator writes it."""
        return f"{self.of}/{self.label}" if self.label else self.of


@dataclass(frozen=True, slots=True)
class Sighting:
    """It handed in mail, or (`sent` false) logged in, from `source` at `at`, Unix seconds."""

    what: Watched
    source: str
    at: float
    sent: bool = True
