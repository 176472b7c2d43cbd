"""What is counted, for Prometheus: every event of the log that has a number, and how long commits take.

Counting hangs on the log, so that log and metrics cannot tell two stories. An event costs a lookup and
an addition, under a third of a microsecond; nothing is formatted before somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Fields = Mapping[str, object]


def _server(fields: Fields) -> tuple[str, ...]:
    return (str(fields.get("virtual_server", "")),)


def _refusal(fields: Fields) -> tuple[str, ...]:
    return str(fields.get("virtual_server", "")), _word(fields.get("reason"))


def _reason(fields: Fields) -> tuple[str, ...]:
    return (_word(fields.get("reason")),)


def _word(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value or "")


def _always(*values: str) -> Callable[[Fields], tuple[str, ...]]:
    return lambda fields: values


# Event of the log: the family it counts in, and the values of that family's labels.
_COUNTED: Final[dict[str, tuple[str, Callable[[Fields], tuple[str, ...]]]]] = {
    "accepted": ("messages_accepted", _server),
    "refused": ("refusals", _refusal),
    "session-closed": ("sessions", _server),
    "login": ("logins", _always("welcome")),
    "login-refused": ("logins", _reason),
    "login-not-decided": ("logins", _always("directory-unavailable")),
    "message-delivered": ("attempts", _always("delivered")),
    "message-relayed": ("attempts", _always("relayed")),
    "message-deferred": ("attempts", _always("deferred")),
    "message-failed": ("attempts", _always("failed")),
}
_DIRECTORY: Final = {"directory-server-failed": 0, "directory-server-back": 1}


class Meter:
    """The counts of one process since it began."""

    __slots__ = ("_commits", "_commits_sum", "_counts", "_directories")

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], int] = {}
        self._commits = [0] * (len(COMMIT_SECONDS) + 1)
        self._commits_sum = 0.0
        self._directories: dict[tuple[str, str], int] = {}

    def hear(self, name: str, fields: Fields) -> None:
        """An event of the log counts, when it is one of those that do."""
        counted = _COUNTED.get(name)
        if counted is not None:
            family, labels = counted
            key = (family, *labels(fields))
            counts = self._counts
            counts[key] = counts.get(key, 0) + 1
        elif name in _DIRECTORY:
            place = str(fields.get("directory", "")), str(fields.get("server", ""))
            self._directories[place] = _DIRECTORY[name]

    def committed(self, seconds: float) -> None:
        """A message was on the disk so long after it was whole."""
        self._commits[bisect_left(COMMIT_SECONDS, seconds)] += 1
        self._commits_sum += seconds

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "counts": [[list(key), count] for key, count in self._counts.items()],
            "commits": list(self._commits),
            "commits_sum": self._commits_sum,
            "directories": [[*place, answers] for place, answers in self._directories.items()],
        }
