"""Spans of time as they are typed: 30m, 2h, 3d."""

from __future__ import annotations

import re

from gatepost.cli.context import USAGE, Failure

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def seconds(text: str) -> float:
    """Raises Failure for what is no span."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise Failure(f"--for: {text!r} is no span of time; write 30m, 2h or 3d", USAGE)
    return float(int(found[1]) * _SECONDS[found[2]])
