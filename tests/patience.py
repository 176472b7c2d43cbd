"""How long a test waits for what has to come: longer than the slowest machine needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""What holds is seen at once, so nobody waits this out when all is well."""

_STEP_SECONDS = 0.02

T = TypeVar("T")


def until(look: Callable[[], T], *, seconds: float = PATIENCE_SECONDS, why: Callable[[], object] = str) -> T:
    """What `look` gave when it first was true.

    Raises: AssertionError when the time is up; it holds what `look` gave last, and what `why` says.
    """
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"{found!r} {why()}"
        time.sleep(_STEP_SECONDS)
    return found


async def becomes(holds: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """`holds` is true, after other tasks had their turns.

    Raises: AssertionError when the time is up.
    """
    for _ in range(int(seconds / _STEP_SECONDS)):
        if holds():
            return
        await asyncio.sleep(_STEP_SECONDS)
    raise AssertionError("it never became so")
