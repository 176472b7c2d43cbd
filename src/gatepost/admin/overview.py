"""Numbers over time as the console draws them. Works whether a Gatepost runs or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gatepost.admin.metrics import Key
from gatepost.store.history import Sample

# Family of the metrics: the word before the last label in `counts`.
_FAMILIES: Final = {"messages_accepted": "in", "attempts": "out", "refusals": "refused", "logins": "login"}
Row = dict[str, Any]


def sampled(
    at: float, counts: Mapping[Key, int], before: Mapping[Key, int], answers: Sequence[Mapping[str, Any]]
) -> Sample:
    """What was counted since `before`, over all virtual servers, and how the queue stands."""
    since: Counter[str] = Counter()
    for key, count in counts.items():
        word = _FAMILIES.get(key[0])
        if word is not None and count > before.get(key, 0):
            since[word if word == "in" else f"{word} {key[-1]}"] += count - before.get(key, 0)
    oldest = min((answer["oldest"] for answer in answers if answer["oldest"]), default=None)
    levels: dict[str, float] = {
        name: sum(answer["queue"][name] for answer in answers) for name in ("active", "deferred", "held")
    }
    levels["oldest"] = max(0.0, round(at - oldest, 1)) if oldest else 0.0
    levels["sessions"] = sum(sum(answer["sessions"].values()) for answer in answers)
    return Sample(at, dict(since), levels)


@dataclass(slots=True)
class Step:
    """What was counted in the time that begins at `begins`, and the highest levels in it."""

    begins: float
    counts: Counter[str] = field(default_factory=Counter)
    levels: dict[str, float] = field(default_factory=dict)


def steps(samples: Iterable[Sample], since: float, until: float, *, count: int) -> list[Step]:
    """`count` steps of equal length; one without a sample has no levels: nothing ran, or it was not told."""
    width = (until - since) / count
    found = [Step(since + number * width) for number in range(count)]
    for sample in samples:
        step = found[max(0, min(int((sample.at - since) / width), count - 1))]
        step.counts.update(sample.counts)
        for name, level in sample.levels.items():
            step.levels[name] = max(level, step.levels.get(name, 0.0))
    return found


def total(found: Iterable[Step], word: str) -> Counter[str]:
    """By what follows `word`: total(steps, "refused") counts reasons."""
    sums: Counter[str] = Counter()
    for step in found:
        for name, number in step.counts.items():
            first, _, rest = name.partition(" ")
            if first == word:
                sums[rest] += number
    return sums
