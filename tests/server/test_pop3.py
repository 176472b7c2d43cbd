"""POP3 over real sockets: every command, every way in, and everything that is refused."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from patience import PATIENCE_SECONDS
from server.collecting import BOB, MESSAGES, TABLES, House, play
from server.gate import PASSWORD

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts" / "pop3_server"
FILES = sorted(TRANSCRIPTS.glob("*.txt"))


# conversations


def turns(path: Path) -> Iterator[tuple[bytes, list[str]]]:
    """What is said in one go, and the lines that must come back. `*` stands for any run of characters."""
    said, wanted = b"", list[str]()
    for line in path.read_text().splitlines():
        mark, _colon, rest = line.partition(":")
        text = rest.removeprefix(" ")
        if mark == "S":
            wanted.append(text)
        elif mark == "C":
            if wanted:
                yield said, wanted
                said, wanted = b"", []
            said += text.encode().decode("unicode_escape").encode("latin-1") + b"\r\n"
    yield said, wanted


def matches(line: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), line) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("step", [None, 1])
def test_a_conversation_goes_as_written(path: Path, step: int | None, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.dial("mail-tls" if path.stem.endswith("_tls") else "clear")
        for said, wanted in turns(path):
            for start in range(0, len(said), step or len(said) or 1):
                await client.send(said[start : start + (step or len(said))])
            for pattern in wanted:
                line = await client.line()
                assert matches(line, pattern), (said, line, pattern)
        await client.close()

    play(tmp_path, story)


def test_there_are_conversations() -> None:
    assert len(FILES) >= 4


# the mailbox


def test_deleting_is_done_by_quit(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        await client.say("DELE 1")
        await client.say("DELE 3")
        assert home.left() == 3
        assert (await client.say("QUIT")).startswith("+OK")
        assert home.left() == 1
        again = await home.enter()
        assert (await again.say("STAT")) == "+OK 1 40"

    play(tmp_path, story)


@pytest.mark.parametrize("ending", ["drop", "close", "drain"])
def test_a_session_that_ends_otherwise_deletes_nothing(ending: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        assert (await client.say("DELE 1")).startswith("+OK")
        session = next(iter(home.gate.shard.sessions))
        if ending == "drop":
            client.writer.transport.abort()
        elif ending == "close":
            session.close("by the operator")
        else:
            session.drain()
            answer = await client.line()
            assert answer.startswith("-ERR [SYS/TEMP] Service is shutting down, try later [stopping ")
        await asyncio.wait_for(home.gate.shard.sessions.all_ended(), PATIENCE_SECONDS)
        assert home.left() == 3
        again = await home.enter()
        assert (await again.say("STAT")).startswith("+OK 3 ")

    play(tmp_path, story)


def test_a_message_that_somebody_took_away_is_told_as_gone(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        for file in (home.mailboxes.folder(BOB) / "new").iterdir():
            file.unlink()
        assert (await client.say("RETR 1")).startswith("-ERR that message is gone [no-such-message ")
        assert (await client.say("DELE 2")).startswith("+OK")
        assert (await client.say("QUIT")).startswith("+OK")

    play(tmp_path, story)


def test_a_renamed_message_is_found(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        before = await client.ask("UIDL")
        mailbox = home.mailboxes.folder(BOB)
        for file in list((mailbox / "new").iterdir()):
            file.rename(mailbox / "cur" / f"{file.name}:2,S")
        assert (await client.ask("RETR 1")).endswith("first\r\n..dot\r\n...two\r\n.\r\n")
        await client.say("DELE 2")
        await client.say("QUIT")
        assert home.left() == 2
        again = await home.enter()
        after = await again.ask("UIDL")
        assert [line.split()[1] for line in after.splitlines()[1:-1]] == [
            line.split()[1] for line in before.splitlines()[1:-1] if not line.startswith("2 ")
        ]

    play(tmp_path, story)


def test_a_mailbox_that_cannot_be_opened_is_a_temporary_matter(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        (home.mailboxes.folder(BOB) / "cur").rmdir()
        client = await home.dial()
        await client.say("USER bob")
        answer = await client.say(f"PASS {PASSWORD}")
        assert answer.startswith(
            "-ERR [SYS/TEMP] Mailbox is not available now, try later [mailbox-unavailable "
        )
        assert (await client.say("STAT")).startswith("-ERR log in first")
        assert "mailbox-failed" in home.logged()

    play(tmp_path, story)


def test_a_failed_update_says_what_rfc_1939_says(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        await client.say("DELE 1")
        (home.mailboxes.folder(BOB) / "gatepost-expunge").mkdir()
        answer = await client.say("QUIT")
        assert answer.startswith("-ERR [SYS/TEMP] some deleted messages not removed [mailbox-unavailable ")
        assert await client.line() == ""

    play(tmp_path, story)


@pytest.mark.parametrize("command", ["RETR 1", "TOP 1 7", "TOP 1 100000000"])
def test_a_large_message_comes_whole(command: str, tmp_path: Path) -> None:
    body = b"".join(b".%d\n" % number if number % 3 else b"x" * 70 + b"\n" for number in range(200_000))
    message = b"Subject: large\n\n" + body
    lines = message.split(b"\n")[:-1]
    if command == "TOP 1 7":
        lines = lines[:9]
    wanted = b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"

    async def story(home: House) -> None:
        home.put(message, MESSAGES[0])
        client = await home.enter("mail-tls")
        assert (await client.say(command)).startswith("+OK")
        assert await client.reader.readexactly(len(wanted)) == wanted
        assert (await client.say("NOOP")) == "+OK"

    play(tmp_path, story)


def test_who_asks_for_much_and_reads_nothing_costs_little(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*(b"Subject: %d\n\n" % n + b"x" * 100_000 + b"\n" for n in range(20)))
        client = await home.enter()
        await client.send(b"".join(b"RETR %d\r\n" % (n % 20 + 1) for n in range(2_000)))  # 200 MB of answers
        session = next(iter(home.gate.shard.sessions))
        for _round in range(200):
            await asyncio.sleep(0.005)
        assert session._connection._transport.get_write_buffer_size() < 2_000_000  # type: ignore[attr-defined]
        assert session._core.buffered_bytes < 200_000  # type: ignore[attr-defined]
        assert len(await client.body()) > 100_000
        await client.close()

    play(tmp_path, story)


def test_many_short_questions_at_once_are_answered_as_they_are_read(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*(b"x\n" for _n in range(300)))
        client = await home.enter()
        count = 5_000
        sending = asyncio.create_task(client.send(b"LIST\r\n" * count))
        for _reply in range(count):
            assert (await client.line()).startswith("+OK 300 ")
            await client.reader.readuntil(b"\r\n.\r\n")
        await sending

    play(tmp_path, story)


def test_a_long_listing_comes_whole(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*(b"x\n" for _n in range(3_000)))
        client = await home.enter()
        assert (await client.say("LIST")).startswith("+OK 3000 messages")
        assert await client.body() == b"".join(b"%d 3\r\n" % n for n in range(1, 3_001)) + b".\r\n"
        assert await client.say("UIDL") == "+OK"
        assert len(set((await client.body()).split(b"\r\n"))) == 3_002

    play(tmp_path, story)


def test_messages_come_in_any_order(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*(b"Subject: %d\n\nbody\n" % n for n in range(40)))
        client = await home.enter()
        for number in [*range(1, 41), 7, 7, 39, 40, 1, *range(40, 0, -1)]:
            assert f"Subject: {number - 1}\r\n" in await client.ask(f"RETR {number}")
        await client.send(b"RETR 1\r\nDELE 1\r\nRETR 1\r\nRETR 2\r\nSTAT\r\n")
        assert await client.line() == "+OK 20 octets"
        await client.body()
        assert await client.line() == "+OK message 1 deleted"
        assert "that message is deleted [no-such-message " in await client.line()
        await client.line()
        await client.body()
        assert (await client.line()).startswith("+OK 39 ")

    play(tmp_path, story)


# bad input


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("XYZZY", "unknown-command"),
        ("LANG tlh", "unknown-parameter"),
        ("", "unknown-command"),
        ("RETR", "syntax-error"),
        ("RETR x", "syntax-error"),
        ("RETR -1", "syntax-error"),
        ("RETR 0", "no-such-message"),
        ("RETR 99999999999999999999", "no-such-message"),
        ("TOP 1", "syntax-error"),
        ("TOP 1 -1", "syntax-error"),
        ("LIST 4", "no-such-message"),
        ("UIDL 4", "no-such-message"),
        ("DELE 4", "no-such-message"),
        ("USER bob", "bad-sequence"),
        ("STLS", "bad-sequence"),
        ("NOOP " + "x" * 2_000, "syntax-error"),
        ("RETR " + "9" * 900, "no-such-message"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(line: str, reason: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        answer = await client.say(line)
        assert answer.startswith("-ERR ")
        assert f" [{reason} " in answer
        assert (await client.say("NOOP")) == "+OK"
        assert f"reason={reason}" in home.logged()

    play(tmp_path, story)


def test_rubbish_ends_the_session(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial()
        await client.send(os.urandom(300).replace(b"\n", b"") + b"\r\n" + b"\xff\xfe\r\n" * 100)
        answers = []
        while line := await client.line():
            answers.append(line)
        assert all(answer.startswith("-ERR ") for answer in answers)
        assert "[too-many-errors " in answers[-1]

    play(tmp_path, story)


def test_silence_ends_the_session_without_a_word(tmp_path: Path) -> None:
    table = TABLES.replace('tls = "off"', 'tls = "off"\nidle_seconds = 1')

    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.enter()
        await client.say("DELE 1")
        assert await client.line() == ""  # RFC 1939 §3
        assert home.left() == 3

    play(tmp_path, story, table)
