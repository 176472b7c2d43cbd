"""The numbers of all workers together, in Prometheus' text format (version 0.0.4).

Own code rather than prometheus-client: its sums over several processes go through files that every
worker maps and writes, and a metric costs it more than a message may. The format is a few lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from gatepost.config.certificates import leaf_of
from gatepost.config.schema import Settings
from gatepost.meter import COMMIT_SECONDS

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Family: its name, its labels, what it counts.
_COUNTERS: Final = {
    "messages_accepted": (("virtual_server",), "Messages taken in and on the disk."),
    "attempts": (("outcome",), "Attempts at a message, by the worst outcome among its recipients."),
    "refusals": (("virtual_server", "reason"), "What was refused, by the reason the peer was told."),
    "sessions": (("virtual_server",), "Sessions that have ended."),
    "logins": (("outcome",), "Logins: welcome, or the reason they were refused for."),
}
Key = tuple[str, ...]


@dataclass(slots=True)
class _Life:
    """What one worker process has counted, as far as it was asked."""

    counts: dict[Key, int] = field(default_factory=dict)
    commits: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_SECONDS) + 1))
    commits_sum: float = 0.0


class Totals:
    """Sums over workers that never go down: what a worker had counted stays when it ends."""

    def __init__(self) -> None:
        self._ended = _Life()
        self._lives: dict[tuple[int, int], _Life] = {}

    def hear(self, worker: int, life: int, snapshot: Mapping[str, Any]) -> None:
        """`life` tells one process of the worker from the next."""
        self._lives[worker, life] = _Life(
            {tuple(key): count for key, count in snapshot["counts"]},
            snapshot["commits"],
            snapshot["commits_sum"],
        )
        for other in [key for key in self._lives if key[0] == worker and key[1] != life]:
            self._ended = _sum([self._ended, self._lives.pop(other)])

    def all(self) -> _Life:
        return _sum([self._ended, *self._lives.values()])


def _sum(lives: Iterable[_Life]) -> _Life:
    whole, counts = _Life(), Counter[Key]()
    for life in lives:
        counts.update(life.counts)
        whole.commits = [one + other for one, other in zip(whole.commits, life.commits, strict=True)]
        whole.commits_sum += life.commits_sum
    whole.counts = dict(counts)
    return whole


@dataclass(frozen=True, slots=True)
class House:
    """What the daemon knows by itself."""

    generation: int
    workers: int
    restarts: int
    started_at: float


Ends = Mapping[str, datetime]


def certificate_ends(settings: Settings) -> Ends:
    """When each certificate ends. Reads files, and PKCS#12 takes its time to open: run it off the loop."""
    found = ((name, leaf_of(one)) for name, one in settings.certificates.items())
    return {name: leaf.not_valid_after_utc for name, leaf in found if leaf is not None}


def exposition(
    house: House, totals: Totals, answers: Sequence[Mapping[str, Any]], ends: Ends, now: datetime
) -> str:
    """The whole page. `answers` are those of the workers that run now."""
    return "".join(f"{line}\n" for line in _lines(house, totals, answers, ends, now))


def _lines(
    house: House, totals: Totals, answers: Sequence[Mapping[str, Any]], ends: Ends, now: datetime
) -> Iterator[str]:
    whole = totals.all()
    for family, (labels, meaning) in _COUNTERS.items():
        rows = [
            (dict(zip(labels, key[1:], strict=True)), n)
            for key, n in whole.counts.items()
            if key[0] == family
        ]
        yield from _family(f"gatepost_{family}_total", "counter", meaning, sorted(rows, key=str))
    yield from _histogram(whole)
    yield from _gauges(house, answers, now)
    left = [({"certificate": name}, round((end - now).total_seconds())) for name, end in ends.items()]
    name, meaning = "gatepost_certificate_remaining_seconds", "Time until the certificate ends."
    yield from _family(name, "gauge", meaning, left)


def _gauges(house: House, answers: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    def one(name: str, kind: str, meaning: str, value: float) -> Iterator[str]:
        return _family(f"gatepost_{name}", kind, meaning, [({}, value)])

    opened: Counter[str] = Counter()
    queue: Counter[str] = Counter()
    directories: dict[tuple[str, str], int] = {}
    for answer in answers:
        opened.update(answer["sessions"])
        queue.update(answer["queue"])
        for name, server, answers_now in answer["directories"]:
            directories[name, server] = min(directories.get((name, server), 1), answers_now)
    yield from _family(
        "gatepost_sessions_open", "gauge", "Sessions open now.",
        [({"virtual_server": name}, count) for name, count in sorted(opened.items())],
    )  # fmt: skip
    yield from _family(
        "gatepost_queue_messages", "gauge", "Messages in the queue.",
        [({"state": state}, queue[state]) for state in ("active", "deferred", "held")],
    )  # fmt: skip
    yield from one("queue_bytes", "gauge", "Size of the messages in the queue.", queue["size_bytes"])
    oldest = min((answer["oldest"] for answer in answers if answer["oldest"]), default=None)
    age = max(0.0, now.timestamp() - oldest) if oldest else 0.0
    yield from one("queue_oldest_seconds", "gauge", "Age of the oldest message in the queue.", round(age, 3))
    yield from _family(
        "gatepost_directory_up", "gauge", "Whether a directory server answered when last asked.",
        [({"directory": name, "server": server}, up) for (name, server), up in sorted(directories.items())],
    )  # fmt: skip
    yield from one("workers", "gauge", "Workers that run now.", house.workers)
    yield from one("worker_restarts_total", "counter", "Workers that ended by themselves.", house.restarts)
    yield from one("generation", "gauge", "The generation of the configuration in force.", house.generation)
    yield from one("start_time_seconds", "gauge", "When Gatepost was started, Unix time.", house.started_at)


def _histogram(whole: _Life) -> Iterator[str]:
    name = "gatepost_commit_seconds"
    yield f"# HELP {name} From the end of a message to its being on the disk."
    yield f"# TYPE {name} histogram"
    bounds = [*map(_number, COMMIT_SECONDS), "+Inf"]
    for bound, count in zip(bounds, accumulate(whole.commits), strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {_number(whole.commits_sum)}"
    yield f"{name}_count {sum(whole.commits)}"


def _family(
    name: str, kind: str, meaning: str, rows: Sequence[tuple[Mapping[str, str], float]]
) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    for labels, value in rows:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
