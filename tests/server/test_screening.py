"""A message meets the content check: every answer, every silence, and what becomes of the message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncresolver
import pytest

from gatepost.wire.dots import stuff
from patience import PATIENCE_SECONDS
from server.gate import Dialogue, Gate, gate
from server.scanner import Act, ScriptedScanner, body, drip, flood, raw, says, scripted_scanner, silence

LETTER = b"From: x@else.example\r\nSubject: letter\r\n\r\n..dot\r\nend\r\n"
RELAY = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""


@asynccontextmanager
async def screened(folder: Path, *acts: Act, rules: str = "") -> AsyncIterator[tuple[Gate, ScriptedScanner]]:
    async with scripted_scanner(*acts) as scanner:
        table = f'[smtp.smtp.scan]\nurl = "http://127.0.0.1:{scanner.port}"\n{rules}'
        nobody = dns.asyncresolver.Resolver(configure=False)
        async with gate(folder, RELAY + table, resolver=nobody) as here:
            here.add("ann")
            here.add("bob")
            yield here, scanner


async def hand_in(here: Gate, content: bytes = LETTER) -> str:
    client = await here.dial()
    await client.reply()
    await client.hello()
    answer = await client.hand_in("x@else.example", "ann@example.org", "bob@example.org", content=content)
    await client.close()
    return answer


async def kept(here: Gate) -> bytes:
    """The one message in the spool."""
    (job,) = await here.queued()
    return b"".join([chunk async for chunk in job.chunks()])


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "rules", "answer", "marked"),
    [
        ("no action", "", "250 2.0.0", False),
        ("reject", "", "554 5.7.1 Message refused by the content check [scan-rejected ", False),
        ("reject", 'on_reject = "mark"', "250", True),
        ("reject", 'on_reject = "accept"', "250", False),
        ("discard", "", "554 5.7.1", False),
        ("add header", "", "250", True),
        ("add header", 'on_add_header = "accept"', "250", False),
        ("rewrite subject", "", "250", True),
        ("quarantine", "", "250", True),
        ("greylist", "", "451 4.7.1 Message put off by the content check, try later [scan-deferred ", False),
        ("greylist", 'on_greylist = "accept"', "250", False),
        ("soft reject", "", "451 4.7.1", False),
        ("soft reject", 'on_greylist = "accept"', "250", False),
    ],
)
def test_each_action_is_treated_as_the_settings_say(
    tmp_path: Path, action: str, rules: str, answer: str, marked: bool
) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, says(action), rules=rules) as (here, _):
            assert (await hand_in(here)).startswith(answer)
            if answer.startswith("250"):
                content = await kept(here)
                assert content.endswith(LETTER)
                assert (b"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.12\r\n" in content) is marked
            else:
                assert await here.queued() == []

    run(scenario())


BAD: dict[str, Act] = {
    "silent": silence,
    "slow": drip,
    "without end": flood,
    "garbage": body(b"\xff\xfe no json"),
    "a list": body(b"[]"),
    "deep": body(b"[" * 100_000),
    "an unknown action": says("explode"),
    "no action at all": body(b"{}"),
    "500": says("no action", status="500 Internal Server Error"),
    "no HTTP": raw(b"\x00\x01\x02 what?\r\n\r\n"),
    "closes": raw(b""),
    "closes within": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
    "redirects": raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", BAD)
def test_without_an_answer_the_sender_tries_again(tmp_path: Path, fault: str) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, BAD[fault], rules="deadline_seconds = 1") as (here, _):
            answer = await asyncio.wait_for(hand_in(here), PATIENCE_SECONDS)
            assert answer.startswith(
                "451 4.7.1 The content check does not answer, try later [scan-unavailable "
            )
            assert await here.queued() == []
            assert "scan-unavailable" in here.logged()

    run(scenario())


@pytest.mark.parametrize("fault", ["silent", "garbage", "500", "closes"])
def test_or_the_mail_is_taken_unchecked_where_the_administrator_said_so(tmp_path: Path, fault: str) -> None:
    async def scenario() -> None:
        rules = 'deadline_seconds = 1\nwhen_silent = "accept"'
        async with screened(tmp_path, BAD[fault], rules=rules) as (here, _):
            assert (await hand_in(here)).startswith("250")
            assert (await kept(here)).endswith(LETTER)

    run(scenario())


def test_nobody_listening_is_silence(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scripted_scanner(silence) as scanner:
            gone = f'[smtp.smtp.scan]\nurl = "http://127.0.0.1:{scanner.port}"\n'
        async with gate(tmp_path, RELAY + gone, resolver=dns.asyncresolver.Resolver(configure=False)) as here:
            here.add("ann")
            assert (await hand_in(here)).startswith("451 4.7.1")

    run(scenario())


def test_rspamd_is_told_what_it_needs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, says("no action")) as (here, scanner):
            assert (await hand_in(here)).startswith("250")
            (asked,) = scanner.asked
            assert asked.line == "POST /checkv2 HTTP/1.1"
            assert asked.body == b"From: x@else.example\r\nSubject: letter\r\n\r\n.dot\r\nend\r\n"
            assert asked.fields["ip"] == ["127.0.0.1"]
            assert asked.fields["helo"] == ["client.test"]
            assert asked.fields["from"] == ["<x@else.example>"]
            assert asked.fields["rcpt"] == ["<ann@example.org>", "<bob@example.org>"]
            assert asked.fields["mta-name"] == ["mail.example.org"]
            assert "user" not in asked.fields
            (job,) = await here.queued()
            assert asked.fields["queue-id"] == [job.id]

    run(scenario())


def test_a_strange_greeting_and_the_null_sender_are_passed_on_harmlessly(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, says("no action")) as (here, scanner):
            client = await here.dial()
            await client.reply()
            assert (await client.say("HELO %00_[::1]:x")).startswith("250")
            assert (await client.hand_in("", "ann@example.org", content=LETTER)).startswith("250")
            await client.close()
            assert scanner.asked[0].fields["from"] == ["<>"]

    run(scenario())


def test_what_rspamd_adds_goes_on_top_and_what_it_removes_goes(tmp_path: Path) -> None:
    milter = {
        "add_headers": {
            "Authentication-Results": {"value": "mail.example.org;\n\tspf=pass\n\tdkim=none", "order": 1},
            "X-Spamd-Bar": "+++",
            "X-Many": [{"value": "1"}, {"value": "2\x00\r\nInjected: yes"}],
            "Received": "from nowhere",
            "Bad Name": "x",
            "X-List": [1, None, {}],
        },
        "remove_headers": {"X-Old": 0, "X-Kept": 1},
    }
    letter = (
        b"X-Old: a\r\n b\r\nX-Kept: k\r\nX-Spam-Flag: NO\r\nSubject: s\r\nx-old: c\r\n\r\nX-Old: body\r\n"
    )

    async def scenario() -> None:
        async with screened(tmp_path, says("no action", milter=milter)) as (here, _):
            assert (await hand_in(here, letter)).startswith("250")
            content = await kept(here)
            top, received, rest = content.partition(b"Received: ")
            assert top == (
                b"Authentication-Results: mail.example.org;\r\n\tspf=pass\r\n\tdkim=none\r\n"
                b"X-Spamd-Bar: +++\r\nX-Many: 1\r\nX-Many: 2\r\n\tInjected: yes\r\nX-List: 1\r\n"
            )
            assert received
            assert rest.endswith(b"\r\nX-Kept: k\r\nSubject: s\r\n\r\nX-Old: body\r\n")

    run(scenario())


def test_a_subject_is_rewritten(tmp_path: Path) -> None:
    async def scenario() -> None:
        act = says("rewrite subject", subject="*** SPAM *** gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n")
        async with screened(tmp_path, act) as (here, _):
            assert (await hand_in(here)).startswith("250")
            content = await kept(here)
            assert b"Subject: =?utf-8?" in content
            assert b"Subject: letter" not in content

    run(scenario())


@pytest.mark.parametrize("size", [200_000, 400_000, 3_000_000])
def test_a_large_message_is_checked_whole(tmp_path: Path, size: int) -> None:
    plain = b"Subject: large\r\nX-Old: x\r\n\r\n" + b".line of some length\r\n" * (size // 22)

    async def scenario() -> None:
        milter = {"remove_headers": {"X-Old": 0}}
        async with screened(tmp_path, says("add header", milter=milter)) as (here, scanner):
            assert (await hand_in(here, stuff(plain))).startswith("250")
            assert scanner.asked[0].body == plain
            content = await kept(here)
            assert content.startswith(b"X-Spam-Flag: YES\r\n")
            assert content.endswith(b"\r\n" + stuff(plain.replace(b"X-Old: x\r\n", b"")))

    run(scenario())


def test_past_a_size_nobody_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, says("reject"), rules="skip_over_bytes = 100_000") as (here, scanner):
            assert (await hand_in(here, LETTER + b"x\r\n" * 50_000)).startswith("250")
            assert scanner.asked == []
            assert "scan-skipped" in here.logged()
            assert (await hand_in(here)).startswith("554")

    run(scenario())


def test_a_kept_connection_that_was_closed_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        acts = [says("no action"), says("no action"), raw(b""), says("no action")]
        async with screened(tmp_path, *acts) as (here, scanner):
            for _ in range(3):
                assert (await hand_in(here)).startswith("250")
            assert scanner.connections == 2
            assert len(scanner.asked) == 4

    run(scenario())


def test_who_hangs_up_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with screened(tmp_path, silence) as (here, scanner):
            client = await here.dial()
            await client.reply()
            await client.hello()
            await client.say("MAIL FROM:<x@else.example>")
            await client.say("RCPT TO:<ann@example.org>")
            await client.say("DATA")
            await client.send(LETTER + b"x\r\n" * 200_000 + b".\r\n")
            await scanner.was_asked.wait()
            await client.close()
            await here.shard.sessions.all_ended()
            assert await here.queued() == []
        spool = tmp_path / "state" / "spool"
        assert all(path.stat().st_size < 500_000 for path in spool.rglob("*") if path.is_file())

    run(scenario())


def test_sessions_and_others_go_on_while_one_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        acts = [silence, says("no action")]
        async with screened(tmp_path, *acts, rules="deadline_seconds = 4") as (here, scanner):
            waiting = asyncio.create_task(hand_in(here))
            await scanner.was_asked.wait()
            assert (await hand_in(here)).startswith("250")
            assert not waiting.done()
            assert (await waiting).startswith("451")

    run(scenario())


async def transaction(client: Dialogue, content: bytes) -> str:
    return await client.hand_in("x@else.example", "ann@example.org", content=content)


def test_a_forged_authentication_results_does_not_get_in_with_or_without_a_check(tmp_path: Path) -> None:
    forged = b"Authentication-Results: mail.example.org; spf=pass\r\n"
    header = b"Received: x\r\n" + forged + b"Authentication-Results: else.example; spf=fail\r\n"

    async def scenario() -> None:
        tables = RELAY + (
            '[smtp.users]\nlisten = ["127.0.0.1:0"]\ntls = "off"\nauth = ["PLAIN"]\nauth_in_clear = true\n'
            'access = [ { allow = ["connect", "submit", "any-sender"], to = "net:127.0.0.0/8" } ]\n'
        )
        async with gate(tmp_path, tables) as here:
            here.add("ann")
            client = await here.dial()
            await client.reply()
            await client.hello()
            assert (await transaction(client, header + b"\r\n" + forged)).startswith("250")
            assert (await transaction(client, forged)).startswith("250")  # a header and nothing else
            # BDAT, cut within the field
            await client.say("MAIL FROM:<x@else.example>")
            await client.say("RCPT TO:<ann@example.org>")
            whole, cut = header + b"\r\nbody\r\n", header.index(b"spf=pass")
            await client.send(b"BDAT %d\r\n%b" % (cut, whole[:cut]))
            assert (await client.reply()).startswith("250")
            await client.send(b"BDAT %d LAST\r\n%b" % (len(whole) - cut, whole[cut:]))
            assert (await client.reply()).startswith("250")
            await client.close()
            first, second, third = [job.content() for job in await here.queued()]
            assert first.count(forged) == 1
            assert first.endswith(
                b"Received: x\r\nAuthentication-Results: else.example; spf=fail\r\n\r\n" + forged
            )
            assert forged not in second
            assert third.endswith(b"else.example; spf=fail\r\n\r\nbody\r\n")
            assert b"spf=pass" not in third
            users = await here.dial("users")
            await users.reply()
            await users.hello()
            assert (await users.log_in("ann@example.org")).startswith("235")
            assert (await transaction(users, header + b"\r\nx\r\n")).startswith("250")
            await users.close()
            (own,) = [job.content() for job in await here.queued()]
            assert forged in own

    run(scenario())
