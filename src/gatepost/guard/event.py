"""What an administrator is told of at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EventKind(Enum):
    """The kinds of event an alarm may ask for, by the word that stands in the file."""

    ATTACK = "attack"
    LOGIN_AFTER_FAILURES = "login-after-failures"
    LOGIN_FROM_NEW_NETWORK = "login-from-new-network"
    CONTAINED = "contained"
    QUEUE_GROWING = "queue-growing"
    CERTIFICATE_ENDING = "certificate-ending"
    DISK_NEARLY_FULL = "disk-nearly-full"
    DEVICE_SILENT = "device-silent"
    DEVICE_BACK = "device-back"
    DIRECTORY_DOWN = "directory-down"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Event:
    """`about` is what it happened to (a name, an address): the same is not told again at once."""

    kind: EventKind
    about: str
    text: str
