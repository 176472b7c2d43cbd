"""Every conversation, three ways: whole, byte by byte, and with everything behind it in one read.

A file has `C:` lines (sent with CRLF), `S:` lines (expected), `R:` raw bytes (sent as they are), `M:` a
message that must have been taken, `TLS` (the handshake is done), `CLOSED` (the session is over),
`INTRUSION` (bytes in clear behind STARTTLS were seen), and `#` comments. `\\xNN` escapes stand for
bytes; `ERRORS n` and `GREETING code` at the top set up the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from smtp.office import Office

FOLDER = Path(__file__).parent.parent / "transcripts" / "smtp"
FILES = sorted(FOLDER.glob("*.txt"))


class Turn(NamedTuple):
    """What is sent or happens, and what must come back."""

    mark: str
    sent: bytes
    expected: bytes


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        mark, _colon, rest = line.partition(":")
        text = rest.removeprefix(" ").encode("latin-1").decode("unicode_escape").encode("latin-1")
        # `{x*2000}`: many of one character.
        text = re.sub(rb"\{(.)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)
        yield mark, text if mark in ("R", "M") else text + b"\r\n"


def _turns(path: Path) -> list[Turn]:
    turns = [Turn("START", b"", b"")]
    for mark, text in _lines(path):
        last = turns[-1]
        if mark == "S":
            turns[-1] = last._replace(expected=last.expected + text)
        elif mark in ("C", "R") and last.mark == "C" and not last.expected:
            turns[-1] = last._replace(sent=last.sent + text)
        elif mark in ("C", "R"):
            turns.append(Turn("C", text, b""))
        elif not mark.startswith(("ERRORS", "GREETING")):
            turns.append(Turn(mark, text, b""))
    return turns


def _office(path: Path) -> tuple[Office, bytes]:
    text = path.read_text(encoding="utf-8")
    errors, greeting = re.search(r"^ERRORS (\d+)", text, re.M), re.search(r"^GREETING (\d+)", text, re.M)
    office = Office(error_limit=int(errors[1]) if errors else 20)
    return office, office.greet(int(greeting[1]) if greeting else 220)


def _check(office: Office, turn: Turn, messages: Iterator[bytes]) -> None:
    if turn.mark == "TLS":
        office.start_tls()
    elif turn.mark == "INTRUSION":
        assert office.intruded
    elif turn.mark == "M":
        assert next(messages) == turn.sent
    else:
        assert turn.mark == "CLOSED"
        assert office.give(b"NOOP\r\n") == b""
        assert office.core.closed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("step", [None, 1, 7])
def test_a_conversation_goes_as_written(path: Path, step: int | None) -> None:
    if step is not None and path.stem.startswith("intrusion"):
        return  # bytes that come after the reply belong to TLS
    if step == 1 and path.stem == "endless":
        return  # a million reads
    office, greeting = _office(path)
    messages = iter(office.messages)
    for turn in _turns(path):
        if turn.mark == "START":
            assert greeting == turn.expected
        elif turn.mark == "C":
            size = step or len(turn.sent)
            pieces = [turn.sent[at : at + size] for at in range(0, len(turn.sent), size)]
            assert b"".join(office.give(piece) for piece in pieces) == turn.expected, turn.sent[:100]
        else:
            _check(office, turn, messages)
    assert list(messages) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_sent_ahead_gets_the_same_answers(path: Path) -> None:
    """All up to a TLS handshake in one read (RFC 2920), whatever the client should have waited for."""
    if path.stem.startswith("intrusion"):
        return
    office, out = _office(path)
    sent = expected = b""
    for turn in _turns(path):
        expected += turn.expected
        if turn.mark == "C":
            sent += turn.sent
        elif turn.mark == "TLS":
            out += office.give(sent)
            office.start_tls()
            sent = b""
    assert out + office.give(sent) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_end_of_the_connection_ends_every_conversation(path: Path) -> None:
    office, _ = _office(path)
    for turn in _turns(path):
        if turn.mark == "C":
            office.give(turn.sent)
        elif turn.mark == "TLS":
            office.start_tls()
    assert office.give(b"") == b""
    assert office.core.closed


def test_there_are_conversations() -> None:
    assert len(FILES) >= 20
