"""A ledger that is kept part by part, by a clock that is given once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gatepost.guard.ledger import Ledger


class Remembered:
    """`clock` counts seconds, as everything that is asked of the ledger does."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock

    def changed(self, most: int) -> Mapping[str, Any]:
        return self._ledger.changed(self._clock(), most)

    def not_kept(self, keys: Iterable[str]) -> None:
        self._ledger.not_kept(keys)

    def restore(self, key: str, part: Any, elapsed_seconds: float) -> None:
        """Raises ValueError for rubbish."""
        self._ledger.restore(key, part, self._clock(), elapsed_seconds)
