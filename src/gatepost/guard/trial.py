"""One try as the guard measures it: computed when it is admitted, and used again when it is decided. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gatepost.guard.ledger import Scope
from gatepost.guard.limits import Bound
from gatepost.guard.source import Source
from gatepost.guard.sources import Familiarity

TAG_BYTES: Final = 4
Place = tuple[Scope, bytes]


@dataclass(slots=True)
class Trial:
    """`given` and `proof` as they came. `tag` is the name's part of `mark`, which tells guesses apart.

    `bounds` are what wrong passwords count by: the first is the machine, or the name on its own machine.
    """

    given: str
    proof: bytes | None
    name: str
    key: bytes
    there: Source
    tag: bytes
    mark: bytes
    familiarity: Familiarity
    trusted: bool
    bounds: tuple[Bound, ...]
    at: float

    def is_of(self, name: str, proof: bytes | None) -> bool:
        return proof == self.proof and name == self.given


@lru_cache(maxsize=8_192)
def tag_of(key: bytes) -> bytes:
    """What marks of wrong passwords for this name begin with."""
    return hashlib.blake2b(key, digest_size=TAG_BYTES).digest()
