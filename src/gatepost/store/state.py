"""How far a message has come: what the outcome file keeps of it between two attempts."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from gatepost.mail.outcome import Disposition, Outcome

_FIXED = struct.Struct("<dHBHH")  # retry at, attempts, flags, remaining, distinct errors
_TEXT_LIMIT = 500
_WARNED = 1
_HELD = 2
_NO_ERROR = 0xFFFF


@dataclass(frozen=True, slots=True)
class State:
    """`remaining` are indexes into the envelope's recipients. `errors` are the latest outcomes of
    those of them that were tried. `retry_at` is Unix seconds, 0 for at once.
    """

    remaining: tuple[int, ...]
    retry_at: float = 0.0
    attempts: int = 0
    warned: bool = False
    held: bool = False
    errors: tuple[Outcome, ...] = ()


def encode_state(state: State) -> bytes:
    """Compact bytes; an error that several recipients share stands there once."""
    distinct: dict[bytes, int] = {}
    error_of: dict[int, int] = {}
    for outcome in state.errors:
        error_of[outcome.recipient] = distinct.setdefault(_encode_error(outcome), len(distinct))
    flags = (_WARNED if state.warned else 0) | (_HELD if state.held else 0)
    numbers = array("H", state.remaining)
    numbers.extend(error_of.get(index, _NO_ERROR) for index in state.remaining)
    fixed = _FIXED.pack(
        state.retry_at, min(state.attempts, 0xFFFF), flags, len(state.remaining), len(distinct)
    )
    return fixed + numbers.tobytes() + b"".join(distinct)


def decode_state(data: bytes) -> State:
    """The state again. Raises: struct.error, IndexError or ValueError when `data` is none."""
    retry_at, attempts, flags, remaining_count, error_count = _FIXED.unpack_from(data)
    middle = _FIXED.size + 4 * remaining_count
    numbers = array("H", data[_FIXED.size : middle])
    remaining = tuple(numbers[:remaining_count])
    errors: list[Outcome] = []
    at = middle
    for _ in range(error_count):
        error, at = _decode_error(data, at)
        errors.append(error)
    return State(
        remaining,
        retry_at,
        attempts,
        bool(flags & _WARNED),
        bool(flags & _HELD),
        tuple(
            _for_recipient(errors[error], recipient)
            for recipient, error in zip(remaining, numbers[remaining_count:], strict=True)
            if error != _NO_ERROR
        ),
    )


def decode_due(data: bytes | memoryview, at: int) -> float | None:
    """When the message with the state at `at` is to be tried; None when it is held."""
    retry_at, _, flags, _, _ = _FIXED.unpack_from(data, at)
    return None if flags & _HELD else retry_at


def _encode_error(outcome: Outcome) -> bytes:
    texts = [outcome.enhanced, outcome.text, outcome.host or ""]
    encoded = [text[:_TEXT_LIMIT].encode("utf-8", "surrogateescape") for text in texts]
    head = struct.pack("<H3H", outcome.code, *map(len, encoded))
    return head + b"".join(encoded)


def _decode_error(data: bytes, at: int) -> tuple[Outcome, int]:
    code, *sizes = struct.unpack_from("<H3H", data, at)
    at += 8
    texts: list[str] = []
    for size in sizes:
        texts.append(data[at : at + size].decode("utf-8", "surrogateescape"))
        at += size
    return Outcome(0, Disposition.DEFERRED, code, texts[0], texts[1], texts[2] or None), at


def _for_recipient(error: Outcome, recipient: int) -> Outcome:
    return Outcome(recipient, error.disposition, error.code, error.enhanced, error.text, error.host)
