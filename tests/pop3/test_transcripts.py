"""Every conversation, three ways: whole, byte by byte, and with the next commands behind.

A file has `C:` lines (sent with CRLF), `S:` lines (expected), `TLS` (the handshake is done), `CLOSED` (the
session is over), `INTRUSION`, and `#` comments. `\\xNN` escapes stand for bytes in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pop3.maildrop import Maildrop

FOLDER = Path(__file__).parent.parent / "transcripts" / "pop3"
FILES = sorted(FOLDER.glob("*.txt"))


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        word, _colon, rest = line.partition(":")
        text = rest.removeprefix(" ").encode().decode("unicode_escape").encode("latin-1")
        yield word, text + b"\r\n"


def _turns(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Turns: what happens, what is sent, what must come back."""
    word, sent, expected = "START", b"", b""
    for mark, text in _lines(path):
        if mark == "S":
            expected += text
        elif mark == "C" and word == "C" and not expected:
            sent += text
        else:
            yield word, sent, expected
            word, sent, expected = mark, text, b""
    yield word, sent, expected


def _play(path: Path, step: int | None) -> None:
    drop = Maildrop()
    for word, sent, expected in _turns(path):
        if word == "START":
            assert drop.greet() == expected
        elif word == "C":
            pieces = [sent] if step is None else [sent[i : i + step] for i in range(0, len(sent), step)]
            assert b"".join(drop.give(piece) for piece in pieces) == expected, sent
        elif word == "TLS":
            drop.start_tls()
        elif word == "INTRUSION":
            assert drop.intruded
        else:
            assert word == "CLOSED"
            assert drop.give(b"NOOP\r\n") == b""
            assert drop.closed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("step", [None, 1, 7])
def test_a_conversation_goes_as_written(path: Path, step: int | None) -> None:
    _play(path, step) if step is None or not path.stem.startswith("intrusion") else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_commands_sent_ahead_get_the_same_answers(path: Path) -> None:
    """All lines up to a TLS handshake in one read (RFC 2449 §6.6)."""
    if path.stem.startswith("intrusion"):
        return
    drop = Maildrop()
    sent = expected = b""
    out = b""
    for word, more, back in _turns(path):
        if word == "START":
            assert drop.greet() == back
            continue
        if word == "TLS":
            out += drop.give(sent)
            drop.start_tls()
            sent = b""
        elif word == "C":
            sent += more
        expected += back
    assert out + drop.give(sent) == expected


def test_there_are_conversations() -> None:
    assert len(FILES) >= 10
