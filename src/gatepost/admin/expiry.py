"""Certificates that are about to end are spoken of 30, 14, 7 and 1 days before, and from then on daily."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gatepost.config.certificates import leaf_of
from gatepost.config.schema import Settings
from gatepost.log import Log

_DAYS: Final = (30, 14, 7, 1, 0)


def stage(left: timedelta) -> int | None:
    """The smallest of the days that are left at most; None while there are more than 30."""
    return next((days for days in reversed(_DAYS) if left <= timedelta(days=days)), None)


class Expiry:
    """Tells each stage of each certificate once; a new certificate begins anew."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: dict[tuple[str, int], int] = {}

    def look(self, settings: Settings, now: datetime) -> None:
        """Every certificate that has come to a new stage is in the log."""
        for name, certificate in settings.certificates.items():
            leaf = leaf_of(certificate)
            if leaf is None:
                continue
            left = leaf.not_valid_after_utc - now
            found, key = stage(left), (name, leaf.serial_number)
            if found is None or self._told.get(key) == found:
                continue
            self._told[key] = found
            event = "certificate-ended" if left <= timedelta() else "certificate-ends-soon"
            say = self._log.error if found <= 7 else self._log.warning
            say(event, certificate=name, ends=leaf.not_valid_after_utc.isoformat(), days_left=left.days)
