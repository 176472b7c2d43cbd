"""The ways into a mailbox, and those that are closed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gatepost.server.admission import Running
from server.collecting import BOB, MESSAGES, TABLES, House, play
from server.gate import PASSWORD


@pytest.mark.parametrize(
    "line", ["USER bob", "AUTH PLAIN", "AUTH PLAIN AGJvYgB4", "AUTH", "AUTH SCRAM-SHA-256"]
)
def test_nothing_leads_to_a_password_in_clear_where_tls_is_required(line: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("mail")
        answer = await client.say(line)
        assert answer.startswith("-ERR Must issue a STLS command first")
        assert "[tls-required " in answer
        capabilities = await client.ask("CAPA")
        assert "STLS" in capabilities
        assert "USER\r\n" not in capabilities.replace("UTF8 USER", "")
        assert "SASL" not in capabilities

    play(tmp_path, story)


def test_stls_opens_the_way(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.dial("mail")
        await client.start_tls()
        capabilities = await client.ask("CAPA")
        assert "SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN" in capabilities
        assert "STLS" not in capabilities
        assert "[bad-sequence " in await client.say("STLS")
        assert (await client.plain("bob")).startswith("+OK 3 messages")
        assert (await client.say("STAT")).startswith("+OK 3 ")
        assert (await client.say("QUIT")).startswith("+OK")
        assert await client.line() == ""

    play(tmp_path, story)


@pytest.mark.parametrize("behind", [b"USER bob\r\n", b"\x16\x03\x01", b"x"])
def test_bytes_in_clear_behind_stls_close_the_connection(behind: bytes, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("mail")
        await client.send(b"STLS\r\n" + behind)
        assert await client.line() == ""
        assert "plaintext-after-starttls" in home.logged()

    play(tmp_path, story)


def test_stls_is_not_there_without_tls(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("clear")
        assert "[not-implemented " in await client.say("STLS")

    play(tmp_path, story)


def test_every_failed_login_looks_the_same(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("mail-tls")
        answers = set()
        for name, password in (("bob", "wrong"), ("nobody", PASSWORD)):
            await client.say(f"USER {name}")
            answers.add(re.sub(r" \w+\]$", "", await client.say(f"PASS {password}")))
            answers.add(re.sub(r" \w+\]$", "", await client.plain(name, password + "x")))
        assert answers == {"-ERR [AUTH] Authentication credentials invalid [bad-credentials"}
        assert "reason=wrong-password" in home.logged()
        assert "reason=unknown-user" in home.logged()

    play(tmp_path, story)


def test_who_may_not_collect_is_told_so_and_nothing_stays_open(tmp_path: Path) -> None:
    table = TABLES.replace(
        'allow = ["collect"], to = "authenticated"', 'allow = ["collect"], to = "group:readers"'
    )

    async def story(home: House) -> None:
        client = await home.dial("mail-tls")
        answer = await client.plain("bob")
        assert answer.startswith("-ERR [AUTH] You may not collect mail here [collect-denied ")
        assert (await client.say("STAT")).startswith("-ERR log in first [bad-sequence ")
        home.gate.join("readers", BOB)
        home.gate.shard.directories.refresh()
        other = await home.dial("mail-tls")
        assert (await other.plain("bob")).startswith("+OK 0 messages")

    play(tmp_path, story, table)


def test_who_may_not_connect_is_told_so(tmp_path: Path) -> None:
    table = TABLES.replace('"net:127.0.0.0/8"', '"net:192.0.2.0/24"')

    async def story(home: House) -> None:
        client = await home.connect()
        assert (await client.line()).startswith(
            "-ERR [SYS/PERM] Connections from your address are not accepted ["
        )
        assert await client.line() == ""

    play(tmp_path, story, table)


@pytest.mark.parametrize("running", [Running.PAUSED, Running.DRAINING])
def test_a_paused_server_says_to_come_later(running: Running, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.servers["clear"].running = running
        client = await home.connect()
        assert (await client.line()).startswith("-ERR [SYS/TEMP] ")
        assert await client.line() == ""

    play(tmp_path, story)


def test_connections_are_counted(tmp_path: Path) -> None:
    table = TABLES.replace('tls = "off"', 'tls = "off"\nconnections_per_peer = 1')

    async def story(home: House) -> None:
        first = await home.dial()
        second = await home.connect()
        assert "[too-many-connections-from-peer " in await second.line()
        await first.say("QUIT")
        assert await first.line() == ""
        third = await home.dial()
        assert (await third.say("NOOP")).startswith("-ERR log in first")

    play(tmp_path, story, table)


def test_a_mailbox_has_one_session(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        first = await home.enter()
        second = await home.dial()
        await second.say("USER bob")
        answer = await second.say(f"PASS {PASSWORD}")
        assert answer.startswith("-ERR [IN-USE] Mailbox is in use by another session [mailbox-in-use ")
        assert (await first.say("QUIT")).startswith("+OK")
        await second.say("USER bob")
        assert (await second.say(f"PASS {PASSWORD}")).startswith("+OK")

    play(tmp_path, story)


def test_logins_too_close_are_told_to_wait(tmp_path: Path) -> None:
    table = TABLES.replace('tls = "off"', 'tls = "off"\nlogin_delay_seconds = 600\nexpire_days = 30')

    async def story(home: House) -> None:
        first = await home.enter()
        capabilities = await first.ask("CAPA")
        assert "LOGIN-DELAY 600\r\n" in capabilities
        assert "EXPIRE 30\r\n" in capabilities
        await first.say("QUIT")
        second = await home.dial()
        await second.say("USER bob")
        answer = await second.say(f"PASS {PASSWORD}")
        assert answer.startswith("-ERR [LOGIN-DELAY] Too soon after the last login, wait ")
        os.utime(home.mailboxes.folder(BOB) / "gatepost-login", (1, 1))
        await second.say("USER bob")
        assert (await second.say(f"PASS {PASSWORD}")).startswith("+OK")

    play(tmp_path, story, table)


def test_whoever_guesses_on_is_let_go(tmp_path: Path) -> None:
    table = TABLES.replace('tls = "off"', 'tls = "off"\nerrors_per_session = 3')

    async def story(home: House) -> None:
        client = await home.dial()
        for _try in range(3):
            assert "[bad-credentials " in await client.plain("bob", "wrong")
        assert await client.line() == ""

    play(tmp_path, story, table)
