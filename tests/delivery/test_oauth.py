"""A route logs in with a token of the issuer; the next hop is our own server, which checks it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from delivery.rig import Rig, rig
from gatepost.config.oauth import OAuth
from gatepost.directory.clienttoken import ClientTokens
from gatepost.directory.issuer import IssuerSilent
from gatepost.log import Log, LogWriter
from gatepost.mail.outcome import Disposition
from gatepost.secret import Secret
from issuer import CLIENT, SECRET, Issuer, rsa_key
from patience import becomes
from server.gate import Gate, gate

SMART_HOST = """[smtp.smart]
listen = ["127.0.0.1:0"]
tls = "require"
auth = ["{}"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit", "any-sender", "relay"], to = "authenticated" }},
]
"""


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    made = Issuer(tmp_path)
    yield made
    made.close()


def ours(issuer: Issuer, folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "secret").write_text(SECRET + "\n")
    return {
        "issuer": issuer.url, "ca_file": str(issuer.ca_file), "client_id": CLIENT,
        "client_secret_file": str(folder / "secret"), "request_scopes": ["mail"], **more,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Both:
    sender: Rig
    next_hop: Gate


@asynccontextmanager
async def both(folder: Path, issuer: Issuer, mechanism: str = "XOAUTH2") -> AsyncIterator[Both]:
    (folder / "next").mkdir()
    (folder / "out").mkdir()
    tables = SMART_HOST.format(mechanism) + issuer.settings(scopes='["mail"]')
    async with gate(folder / "next", tables) as next_hop:
        next_hop.add("relay")
        route = {
            "via": f"smtp://127.0.0.1:{next_hop.ports['smart']}",
            "tls": "require",
            "login": {"user": "relay@example.org", "oauth": "house"},
        }
        oauth = {"house": ours(issuer, folder)}
        async with rig(folder / "out", {"*": route}, oauth=oauth) as sender:
            yield Both(sender, next_hop)


def fetched(issuer: Issuer) -> int:
    return issuer.asked.count("/tenant/token")


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_mail_goes_to_the_smart_host_with_a_token(tmp_path: Path, issuer: Issuer, mechanism: str) -> None:
    async def run() -> None:
        async with both(tmp_path, issuer, mechanism) as there:
            await there.sender.put("you@there.test")
            assert (await there.sender.outcome()).disposition is Disposition.RELAYED
            await there.sender.put("they@elsewhere.test")
            await there.sender.outcomes(2)
            assert len(await there.next_hop.queued()) == 2
            logged = there.next_hop.logged()
            assert f"mechanism={mechanism} tls=True name=relay@example.org user=relay@example.org" in logged
            assert fetched(issuer) == 1
            assert "token-fetched issuer=house seconds=35" in there.sender.log_text()

    asyncio.run(run())


def test_a_token_that_is_refused_defers_with_the_next_hop_s_words(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        issuer.token_claims = {"preferred_username": "relay@example.org", "aud": "another"}
        async with both(tmp_path, issuer) as there:
            await there.sender.put("you@there.test")
            outcome = await there.sender.outcome()
            assert (outcome.disposition, outcome.enhanced) == (Disposition.DEFERRED, "4.7.8")
            assert "535 5.7.8" in outcome.text
            assert '"status": "401"' in outcome.text
            assert "reason=token-not-for-us" in there.next_hop.logged()

    asyncio.run(run())


def test_without_a_token_mail_waits(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        async with both(tmp_path, issuer) as there:
            (tmp_path / "secret").write_text("wrong")
            await there.sender.put("you@there.test")
            outcome = await there.sender.outcome()
            assert (outcome.disposition, outcome.enhanced) == (Disposition.DEFERRED, "4.7.8")
            assert "invalid_client: who is that" in outcome.text
            assert SECRET not in there.sender.log_text()

    asyncio.run(run())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens(issuer: Issuer, folder: Path, clock: Clock, **more: Any) -> ClientTokens:
    log = Log(LogWriter(os.open(os.devnull, os.O_WRONLY)))
    settings = OAuth.model_validate(ours(issuer, folder, **more))
    return ClientTokens({"house": settings}, log, clock)


async def settle(issuer: Issuer, count: int) -> None:
    await becomes(lambda: fetched(issuer) >= count)


def test_a_token_is_kept_and_renewed_ahead(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        clock = Clock()
        source = tokens(issuer, tmp_path, clock)
        said = await asyncio.gather(*(source.token("house") for _ in range(20)))
        first = said[0].reveal()
        assert {one.reveal() for one in said} == {first}
        assert fetched(issuer) == 1
        clock.now += 2900
        assert (await source.token("house")).reveal() == first
        assert fetched(issuer) == 1
        issuer.keys = [rsa_key("second")]
        clock.now += 150  # within the last ten minutes: the old one goes on while the new one is fetched
        assert (await source.token("house")).reveal() == first
        await settle(issuer, 2)
        for _ in range(3_000):
            if (await source.token("house")).reveal() != first:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("the new one is not used")
        assert fetched(issuer) == 2

    asyncio.run(run())


def test_an_issuer_in_trouble_is_not_asked_at_once_again(tmp_path: Path, issuer: Issuer) -> None:
    async def run() -> None:
        clock = Clock()
        source = tokens(issuer, tmp_path, clock, timeout_seconds=4)
        issuer.answer["/token"] = (400, {"error": "invalid_scope", "error_description": "no such scope"})
        for _ in range(3):
            with pytest.raises(IssuerSilent, match="invalid_scope: no such scope"):
                await source.token("house")
        assert fetched(issuer) == 1
        issuer.answer["/token"] = (200, {"access_token": "a", "token_type": "mac"})
        clock.now += 31
        with pytest.raises(IssuerSilent, match="of the type 'mac'"):
            await source.token("house")
        issuer.answer.clear()
        issuer.hangs.set()
        clock.now += 31
        with pytest.raises(IssuerSilent, match="no answer within 4"):
            await source.token("house")
        issuer.hangs.clear()
        clock.now += 31
        token = await source.token("house")
        assert not source.refused("house", token)  # just fetched: another would be no better
        with pytest.raises(IssuerSilent, match="did not take"):
            await source.token("house")
        clock.now += 31
        token = await source.token("house")
        clock.now += 31
        assert source.refused("house", token)
        assert not source.refused("house", await source.token("house"))
        assert source.refused("house", Secret("another"))

    asyncio.run(run())
