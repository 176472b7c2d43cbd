"""Tables of the file as pieces of its text: taken out, put in another order, named otherwise.

Whatever is written around them stays as it is: a comment right above a header belongs to what it heads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.config.source import KeyPath, KeySpan, key_lines, key_spans

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_HEADER: Final = re.compile(r"\s*\[")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines from `begin` to before `end`, the comments above the header among them; lines count from 0."""

    begin: int
    end: int


def without_table(text: str, path: KeyPath) -> str | None:
    """The text without the table; None where it does not stand in one piece with a header of its own."""
    lines = text.splitlines(keepends=True)
    piece = _piece(text, lines, path, with_comments=False)
    return None if piece is None else "".join(lines[: piece.begin] + lines[piece.end :])


def reordered(text: str, table: str, names: Sequence[str]) -> str | None:
    """The tables `[TABLE.NAME]` in this order, in the places where they stood.

    None where one of them does not stand in one piece with a header of its own.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    pieces = [_piece(text, lines, (table, name)) for name in names]
    found = [piece for piece in pieces if piece is not None]
    if len(found) != len(names):
        return None
    there = sorted(found, key=lambda piece: piece.begin)
    result, at = [], 0
    for place, piece in zip(there, found, strict=True):
        result += lines[at : place.begin]
        result += _spaced(lines[piece.begin : piece.end], lines[place.begin : place.end])
        at = place.end
    return "".join([*result, *lines[at:]])


def renamed(text: str, path: KeyPath, name: str) -> str:
    """Wherever the key of this path is written, `name` stands for its last part."""
    spans = [span for span in key_spans(text) if span.path == path]
    return _replaced(text, spans, _written(name))


def _replaced(text: str, spans: Sequence[KeySpan], word: str) -> str:
    for span in reversed(spans):
        text = text[: span.begin] + word + text[span.end :]
    return text


def _written(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _piece(text: str, lines: Sequence[str], path: KeyPath, *, with_comments: bool = True) -> _Piece | None:
    placed = key_lines(text)
    own = sorted({line - 1 for key, line in placed.items() if key[: len(path)] == path})
    if not own or not _HEADER.match(lines[own[0]]):
        return None
    others = {line - 1 for key, line in placed.items() if key[: len(path)] != path[: len(key)]}
    after = min((line for line in others if line > own[0]), default=len(lines))
    if own[-1] >= after:
        return None
    begin = _with_comments(lines, own[0]) if with_comments else own[0]
    return _Piece(begin, after if after == len(lines) else _with_comments(lines, after))


def _with_comments(lines: Sequence[str], header: int) -> int:
    """The first of the lines of comment right above the header."""
    while header > 0 and lines[header - 1].lstrip().startswith("#"):
        header -= 1
    return header


def _spaced(piece: Sequence[str], place: Sequence[str]) -> list[str]:
    """The piece with as many empty lines behind it as what stood in its place."""
    bare = len(piece)
    while bare and not piece[bare - 1].strip():
        bare -= 1
    blank = len(place)
    while blank and not place[blank - 1].strip():
        blank -= 1
    return [*piece[:bare], *place[blank:]]
