"""Names that nobody here has and attackers try: one try is an attack. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.store import naming


def bare(name: str) -> str:
    """The name without its domain, however it was given: `bob`, `bob@example.org`, `CORP\\bob`."""
    return naming.canonical(name.strip()).rpartition("\\")[2].partition("@")[0]


class Decoys:
    """Of `guessable` and `decoys`, each a bare name or one with its domain."""

    def __init__(self, guessable: Iterable[str], decoys: Iterable[str]) -> None:
        self._names = frozenset(naming.canonical(name.strip()) for name in (*guessable, *decoys))

    def lures(self, name: str) -> bool:
        """Whether the name, given that no account has it, is a decoy."""
        return naming.canonical(name.strip()) in self._names or bare(name) in self._names
