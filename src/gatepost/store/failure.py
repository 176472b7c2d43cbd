"""What may go wrong in the spool, and how it is told to whoever runs it."""

from __future__ import annotations

import errno
import logging
from typing import Protocol

_log = logging.getLogger("gatepost.store")

# EFBIG: a file size limit of the process (RLIMIT_FSIZE) is a full disk for us.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolError(Exception):
    """The spool could not do what was asked."""


class SpoolFull(SpoolError):
    """There is no room: answer 452 4.3.1. Nothing of the message was kept."""


class SpoolFailed(SpoolError):
    """The disk failed: answer 451 4.3.0. Nothing of the message may be taken as kept."""


class SpoolLocked(SpoolError):
    """Another process has this spool open."""


class SpoolCorrupt(SpoolError):
    """Stored bytes do not match their checksum; what was there is kept in a `.corrupt` file."""


class Report(Protocol):
    """Takes an event name and its fields, such as `spool-record-corrupt`."""

    def __call__(self, event: str, /, **fields: object) -> None: ...


def log_report(event: str, /, **fields: object) -> None:
    """The event stands in the log as a warning."""
    _log.warning("%s %s", event, " ".join(f"{name}={value}" for name, value in fields.items()))


def refusal(error: BaseException) -> SpoolError:
    """What a failed write means for those who waited for it."""
    if isinstance(error, SpoolError):
        return error
    if isinstance(error, OSError) and error.errno in _FULL:
        return SpoolFull(str(error))
    return SpoolFailed(str(error))
