"""Tokens instead of passwords: SMTP and POP3, with a real issuer; curl is the client of the second half."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer import Issuer, rsa_key
from server.collecting import house
from server.gate import Dialogue, Gate, gate

TABLES = """[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "offer"
auth = ["OAUTHBEARER", "XOAUTH2"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"], to = "authenticated" },
  { allow = ["relay"], to = "group:POP3 Relay" },
]
"""
POP3 = """[pop3.mail]
listen = ["127.0.0.1:0"]
tls = "implicit"
auth = ["OAUTHBEARER", "XOAUTH2"]
access = [ { allow = ["connect", "collect"], to = "anyone" } ]
"""
BOB = "bob@example.org"
BOTH = '"OAUTHBEARER", "XOAUTH2"'


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    made = Issuer(tmp_path)
    yield made
    made.close()


def settings(issuer: Issuer, seconds: int = 10) -> str:
    return TABLES + issuer.settings(groups_claim='"groups"', timeout_seconds=str(seconds))


def standard(token: str, user: str = BOB) -> str:
    return b64encode(f"n,a={user},\x01auth=Bearer {token}\x01\x01".encode()).decode()


def pairs(token: str, user: str = BOB) -> str:
    return b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()


async def secured(here: Gate) -> Dialogue:
    client = await here.dial()
    await client.reply()
    await client.hello()
    await client.start_tls()
    return client


async def refused(client: Dialogue, line: str) -> dict[str, str]:
    """What is said against the token, before the 535."""
    said = await client.say(line)
    assert said.startswith("334 "), said
    assert (await client.say("AQ==")).startswith("535 5.7.8 Authentication credentials invalid")
    found: dict[str, str] = json.loads(b64decode(said[4:]))
    return found


def test_a_token_logs_in_and_its_groups_count(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        async with gate(tmp_path, settings(issuer)) as here:
            here.add("bob")
            client = await here.dial()
            await client.reply()
            assert "AUTH" not in await client.hello()
            assert (await client.say(f"AUTH XOAUTH2 {pairs(issuer.token())}")).startswith("538")
            await client.start_tls()
            assert "AUTH OAUTHBEARER XOAUTH2" in await client.hello()
            token = issuer.token(groups=["POP3 Relay"])
            assert (await client.say("AUTH OAUTHBEARER")).startswith("334 ")
            assert (await client.say(standard(token))).startswith("235")
            here.accounts.groups.add("new", by="test")  # facts are learnt anew at the next MAIL
            here.shard.directories.refresh()
            assert (await client.hand_in(BOB, "x@else.example")).startswith("250")
            assert len(await here.queued()) == 1
            other = await secured(here)
            assert (await other.say(f"AUTH XOAUTH2 {pairs(issuer.token())}")).startswith("235")
            await other.say(f"MAIL FROM:<{BOB}>")
            assert "relay-denied" in await other.say("RCPT TO:<x@else.example>")
            for one in (client, other):
                await one.close()

    asyncio.run(run())


def test_what_is_wrong_is_said_to_the_client_then_refused_and_counted(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        quick = "[guard]\ndelay_most_seconds = 0\nwrong_passwords_per_address = 6\n"
        async with gate(tmp_path, settings(issuer) + quick) as here:
            here.add("bob")
            here.add("ann")
            client = await secured(here)
            advice = {"openid-configuration": f"{issuer.url}/.well-known/openid-configuration"}
            found = await refused(client, f"AUTH OAUTHBEARER {standard('rubbish')}")
            assert found == {"status": "invalid_token", **advice}
            found = await refused(client, f"AUTH XOAUTH2 {pairs(issuer.token(exp=1))}")
            assert found == {"status": "401", "schemes": "bearer", **advice}
            await refused(client, f"AUTH OAUTHBEARER {standard('')}")  # only asking
            for token, user, reason in (
                (issuer.token("ann@example.org"), BOB, "authorization-identity"),
                (issuer.token("carl@example.org"), "carl@example.org", "unknown-user"),
                (issuer.token(key=rsa_key("first")), BOB, "token-refused"),
                (issuer.token(aud="x"), BOB, "token-not-for-us"),
            ):
                await client.close()
                client = await secured(here)
                await refused(client, f"AUTH XOAUTH2 {pairs(token, user)}")
                assert f"reason={reason}" in here.logged()
            assert (await client.say(f"AUTH OAUTHBEARER {standard(issuer.token(), '')}")).startswith("235")
            await client.close()
            logged = here.logged()
            assert 'problem="no key of the issuer has signed it"' in logged
            assert issuer.token() not in logged
            attempts = logged.count(" login-refused ")
            assert attempts == 6
            for number in range(30):  # no end of different ones: the source is shut out
                client = await here.dial()
                if not (await client.reply()).startswith("220"):
                    break
                await client.hello()
                await client.start_tls()
                await client.say(f"AUTH XOAUTH2 {pairs(f'rubbish{number}')}")
                await client.close()
                if "reason=login-refused-by-guard" in here.logged():
                    break
            else:
                raise AssertionError("the guard counts nothing")

    asyncio.run(run())


def test_a_silent_issuer_is_no_no(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        async with gate(tmp_path, settings(issuer, 1)) as here:
            here.add("bob")
            client = await secured(here)
            issuer.hangs.set()
            said = await client.say(f"AUTH XOAUTH2 {pairs(issuer.token())}")
            assert said.startswith("454 4.7.0 Temporary authentication failure [issuer-unavailable")
            issuer.hangs.clear()
            assert "no answer within 1" in here.logged()
            await client.close()

    asyncio.run(run())


curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def curled(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return await asyncio.to_thread(
        subprocess.run,
        ["curl", "-sSk", "-m", "20", "-u", f"{BOB}:", *arguments],
        capture_output=True,
        timeout=240,
    )


@curl
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_curl_sends_with_a_token(tmp_path: Path, issuer: Issuer, mechanism: str) -> None:
    async def run() -> None:
        (tmp_path / "letter").write_bytes(b"Subject: x\r\n\r\nx\r\n")
        tables = settings(issuer).replace(BOTH, f'"{mechanism}"')
        async with gate(tmp_path, tables) as here:
            here.add("bob")
            line = (
                "--ssl-reqd", "--url", f"smtp://127.0.0.1:{here.ports['smtp']}", "--mail-from", BOB,
                "--mail-rcpt", BOB, "-T", str(tmp_path / "letter"),
            )  # fmt: skip
            done = await curled(*line, "--oauth2-bearer", issuer.token())
            assert done.returncode == 0, done.stderr
            (job,) = await here.queued()
            assert f"mechanism={mechanism}" in here.logged()
            assert job.id
            done = await curled(*line, "--oauth2-bearer", issuer.token(exp=1))
            assert done.returncode == 67, done.stderr  # login denied

    asyncio.run(run())


@curl
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_curl_collects_with_a_token(tmp_path: Path, issuer: Issuer, mechanism: str) -> None:
    async def run() -> None:
        async with house(tmp_path, POP3.replace(BOTH, f'"{mechanism}"') + issuer.settings()) as here:
            line = ("--url", f"pop3s://127.0.0.1:{here.ports['mail']}/1")
            here.put(b"Subject: one\n\nfirst\n")
            done = await curled(*line, "--oauth2-bearer", issuer.token())
            assert done.returncode == 0, done.stderr
            assert b"Subject: one" in done.stdout
            done = await curled(*line, "--oauth2-bearer", issuer.token(key=rsa_key("first")))
            assert done.returncode == 67, done.stderr

    asyncio.run(run())
