"""Devices over the wire: who they are to the log, as whom they may send, and when they may not any more."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from gatepost.policy.allotment import Allotment
from gatepost.secret import Secret
from gatepost.store.app_password import NewAppPassword, grouped, networks_of, senders_of
from gatepost.store.tracking import Question
from gatepost.wire.scram_client import ScramClient
from server.gate import PASSWORD, Dialogue, Gate, gate

SERVERS = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
auth_in_clear = true
access = [
  { allow = ["connect"], to = "net:127.0.0.0/8" },
  { allow = ["submit", "relay"], to = "group:POP3 Relay" },
  { allow = ["any-sender"], to = "user:any@example.org" },
]
"""
ELSE = "x@else.example"


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test, run to its end."""

    @wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Gate]:
    async with gate(folder, SERVERS) as here:
        for name in ("bob", "any"):
            here.add(name, groups=("POP3 Relay",))
        here.accounts.users.set_addresses(
            "bob@example.org", ["scan@example.org"], domains=["example.org"], by="test"
        )
        yield here


def issue(here: Gate, new: NewAppPassword, name: str = "bob") -> str:
    return grouped(here.accounts.app_passwords.add(f"{name}@example.org", new, by="test")[1])


async def logged_in(here: Gate, secret: str, name: str = "bob") -> Dialogue:
    client = await here.dial()
    await client.reply()
    await client.hello()
    assert (await client.log_in(name, secret)).startswith("235")
    return client


@in_a_loop
async def test_the_device_stands_wherever_its_account_does(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        client = await logged_in(here, issue(here, NewAppPassword("Scanner 2")))
        assert "queued" in await client.hand_in("bob@example.org", ELSE)
        assert "sender-not-own" in await client.hand_in("ann@example.org", ELSE)
        (session,) = here.shard.sessions
        assert (session.report().user, session.report().device) == ("bob@example.org", "Scanner 2")
        await client.close()
        log = here.logged()
        assert 'user=bob@example.org device="Scanner 2"' in log
        assert log.count('device="Scanner 2"') >= 3  # login, accepted, refused
    found = here.shard.tracking.search(Question(user="bob@example.org"))
    assert [message.device for message in found.messages] == ["Scanner 2"]
    assert [refusal.device for refusal in found.refusals] == ["Scanner 2"]


@in_a_loop
async def test_auth_login_with_its_two_prompts(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        secret = issue(here, NewAppPassword("x"))
        client = await here.dial()
        await client.reply()
        await client.hello()
        assert await client.say("AUTH LOGIN") == "334 VXNlcm5hbWU6\r\n"
        assert await client.say(b64encode(b"bob")) == "334 UGFzc3dvcmQ6\r\n"
        assert (await client.say(b64encode(secret.encode()))).startswith("235")
        await client.close()


@pytest.mark.parametrize(
    ("sender", "from_field", "reply"),
    [
        ("scan@example.org", "scan@example.org", "queued"),
        ("Scan+page@example.org", "scan@example.org", "queued"),
        ("", "scan@example.org", "queued"),
        ("bob@example.org", "scan@example.org", "device-sender"),
        ("scan@example.org", "bob@example.org", "device-sender"),
        ("scan@example.org", "scan@example.org, bob@example.org", "device-sender"),
        ("ann@example.org", "scan@example.org", "device-sender"),
        ("", "bob@example.org", "device-sender"),
    ],
)
@in_a_loop
async def test_a_device_sends_as_what_it_was_given(
    tmp_path: Path, sender: str, from_field: str, reply: str
) -> None:
    async with office(tmp_path) as here:
        client = await logged_in(
            here, issue(here, NewAppPassword("x", senders=senders_of(["scan@example.org"])))
        )
        content = f"From: {from_field}\r\n\r\nx\r\n".encode()
        assert reply in await client.hand_in(sender, ELSE, content=content)
        await client.close()


@pytest.mark.parametrize(
    ("sender", "reply"), [("any@other.example", "device-sender"), ("a@b.example", "queued")]
)
@in_a_loop
async def test_who_may_be_anybody_is_narrowed_too(tmp_path: Path, sender: str, reply: str) -> None:
    async with office(tmp_path) as here:
        secret = issue(here, NewAppPassword("x", senders=senders_of(["a@b.example"])), "any")
        client = await logged_in(here, secret, "any")
        assert reply in await client.hand_in(sender, ELSE, content=f"From: {sender}\r\n\r\n".encode())
        await client.close()


@in_a_loop
async def test_a_sender_that_is_not_the_accounts_stays_so(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        client = await logged_in(here, issue(here, NewAppPassword("x", senders=senders_of(["a@b.example"]))))
        assert "sender-not-own" in await client.hand_in("a@b.example", ELSE)
        await client.close()


@in_a_loop
async def test_an_open_session_ends_with_its_secret_and_no_other(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        first = await logged_in(here, issue(here, NewAppPassword("first")))
        other = await logged_in(here, issue(here, NewAppPassword("other")))
        own = await logged_in(here, PASSWORD)
        here.accounts.app_passwords.revoke("bob@example.org", "first", by="test")
        here.shard.directories.refresh()  # as workers do each second
        assert (await first.say("MAIL FROM:<bob@example.org>")).startswith("530")
        for client in (other, own):
            assert (await client.say("MAIL FROM:<bob@example.org>")).startswith("250")
        for client in (first, other, own):
            await client.close()


@in_a_loop
async def test_an_open_session_ends_when_its_time_is_over(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        for seconds in (2, 10, 50):  # over before it began, where the machine is busy
            expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
            client = await here.dial()
            await client.reply()
            await client.hello()
            await client.log_in("bob", issue(here, NewAppPassword(f"{seconds}", expires=expires)))
            if (await client.say("MAIL FROM:<bob@example.org>")).startswith("250"):
                break
            assert datetime.now(UTC) > expires
        await asyncio.sleep(expires.timestamp() - time.time())
        await client.say("RSET")
        assert (await client.say("MAIL FROM:<bob@example.org>")).startswith("530")
        await client.close()


@in_a_loop
async def test_all_refusals_sound_alike(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        revoked = issue(here, NewAppPassword("revoked"))
        here.accounts.app_passwords.revoke("bob@example.org", "revoked", by="test")
        far = issue(here, NewAppPassword("far", networks=networks_of(["192.0.2.0/24"])))
        answers = set()
        for secret in (revoked, far, "wrong", "abcd-efgh-jkmn-pqrs"):
            client = await here.dial()
            await client.reply()
            await client.hello()
            answers.add((await client.log_in("bob", secret)).partition("[")[0])
            await client.close()
        assert answers == {"535 5.7.8 Authentication credentials invalid "}
        log = here.logged()
        for reason in ("app-password-revoked", "app-password-elsewhere", "wrong-password"):
            assert f"reason={reason}" in log


@in_a_loop
async def test_each_device_has_an_allowance_within_its_accounts(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        secrets = [issue(here, NewAppPassword(name, limits=Allotment(1))) for name in ("a", "b")]
        for secret in secrets:
            client = await logged_in(here, secret)
            assert "queued" in await client.hand_in("bob@example.org", ELSE)
            assert "rate-limited" in await client.hand_in("bob@example.org", ELSE)
            await client.close()


async def by_scram(here: Gate, secret: str) -> str:
    """The reply to a login of bob by SCRAM; the client is content with the server's own proof."""
    client = await here.dial()
    await client.reply()
    await client.hello()
    scram = ScramClient("bob", Secret(secret), nonce=b"n" * 18)
    reply = await client.say(f"AUTH SCRAM-SHA-256 {b64encode(scram.start()).decode()}")
    while reply.startswith("334"):
        reply = await client.say(b64encode(scram.step(b64decode(reply[4:]))))
    if reply.startswith("235"):
        scram.finish()
        assert "queued" in await client.hand_in("bob@example.org", ELSE)
    await client.close()
    return reply


@in_a_loop
async def test_scram_serves_every_device_and_the_account_itself(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        first, second, old = (issue(here, NewAppPassword(name)) for name in ("first", "second", "old"))
        for secret in (PASSWORD, first, second.replace("-", ""), second):
            assert (await by_scram(here, secret)).startswith("235")
        here.accounts.app_passwords.revoke("bob@example.org", "old", by="test")
        said = {(await by_scram(here, secret)).partition("[")[0] for secret in (old, "wrong", first.upper())}
        assert said == {"535 5.7.8 Authentication credentials invalid "}
        log = here.logged()
        for known in (
            "device=first",
            "device=second",
            "reason=app-password-revoked",
            "reason=wrong-password",
        ):
            assert known in log
