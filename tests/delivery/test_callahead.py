"""The server that keeps a domain is asked before anything is taken for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from delivery.peer import GREETING, PIPELINING, ScriptedPeer, scripted_peer
from gatepost.config.load import load_text
from gatepost.delivery.callahead import Callahead
from gatepost.delivery.mx import Exchangers
from gatepost.delivery.opening import Opener
from gatepost.delivery.own import OwnAddresses
from gatepost.delivery.route import routing
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.tls import Contexts
from gatepost.directory.elsewhere import Standing
from gatepost.log import Log, LogWriter
from gatepost.mail.address import Address
from patience import PATIENCE_SECONDS

KNOWN, UNKNOWN = Standing.KNOWN, Standing.UNKNOWN
REFUSED, SILENT = Standing.REFUSED, Standing.SILENT
ANN, BOB = Address("ann", "kept.example"), Address("bob", "kept.example")
ASKED = PIPELINING + "C: MAIL FROM:<>\nS: 250 2.1.0 ok\nC: RCPT TO:<ann@kept.example>\n"


class Times:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


Story = Callable[[Callahead, Times, ScriptedPeer], Coroutine[Any, Any, None]]


def play(
    tmp_path: Path,
    story: Story,
    *scripts: str,
    domain: str = 'deliver = "{hop}"',
    deadline: float = PATIENCE_SECONDS,
) -> None:
    async def whole() -> None:
        async with scripted_peer(*scripts) as peer:
            hop = f"smtp://127.0.0.1:{peer.port}"
            text = f"""
hostname = "us.test"
state = "state"
[domains."kept.example"]
{domain.replace("{hop}", hop)}
[smtp.internet]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ {{ allow = ["connect", "submit"], to = "anyone" }} ]
"""
            settings = load_text(text, tmp_path / "gatepost.toml")
            times = Times()
            with (tmp_path / "log").open("wb", buffering=0) as log:
                ahead = Callahead(
                    routing(settings),
                    Exchangers(None, OwnAddresses("us.test", ()), clock=time.monotonic),  # type: ignore[arg-type]
                    Opener("us.test", Contexts(), Timeouts(tick_seconds=0.02)),
                    Log(LogWriter(log.fileno())),
                    clock=times,
                    deadline_seconds=deadline,
                )
                await story(ahead, times, peer)
            assert peer.faults == []

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("reply", "standing"),
    [
        ("250 2.1.5 ok", KNOWN),
        ("252 2.0.0 cannot verify", KNOWN),
        ("550 5.1.1 no such user", UNKNOWN),
        ("550 nobody", UNKNOWN),
        ("553 no such name", UNKNOWN),
        ("550 5.7.1 relaying denied", REFUSED),
        ("552 5.2.2 full", REFUSED),
        ("554 no", REFUSED),
        ("450 4.2.0 greylisted", SILENT),
        ("452 4.2.2 full for now", SILENT),
    ],
)
def test_what_is_said_to_rcpt(tmp_path: Path, reply: str, standing: Standing) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(ANN) is standing
        await peer.until(lambda: peer.heard[-1] == "QUIT")
        assert peer.contents == []

    play(tmp_path, story, ASKED + f"S: {reply}\nC: QUIT\nS: 221 bye\n")


def test_an_answer_is_kept_for_a_while(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert [await ahead.standing(ANN) for _ in range(3)] == [KNOWN] * 3
        assert peer.connections == 1
        times.now += 601
        assert await ahead.standing(ANN) is UNKNOWN
        times.now += 119
        assert await ahead.standing(ANN) is UNKNOWN
        assert peer.connections == 2

    play(tmp_path, story, ASKED + "S: 250 ok\nC: QUIT\n", ASKED + "S: 550 5.1.1 gone\nC: QUIT\n")


def test_many_who_ask_the_same_ask_once(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert set(await asyncio.gather(*(ahead.standing(ANN) for _ in range(50)))) == {KNOWN}
        assert peer.connections == 1

    play(tmp_path, story, ASKED + "S: 250 ok\nC: QUIT\n")


def test_one_who_goes_away_does_not_end_the_question(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        impatient = asyncio.create_task(ahead.standing(ANN))
        patient = asyncio.create_task(ahead.standing(ANN))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient is KNOWN

    play(tmp_path, story, ASKED + "S: 250 ok\nC: QUIT\n")


@pytest.mark.parametrize(
    "script",
    ["SILENCE\n", "S: 421 go away\nCLOSE\n", "S: 554 no\nCLOSE\n", "CLOSE\n", GREETING + "SILENCE\n"],
)
def test_a_server_that_is_away_is_silent_for_a_moment(tmp_path: Path, script: str) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(ANN) is SILENT
        assert await ahead.standing(BOB) is SILENT
        assert peer.connections == 1  # not asked for everybody
        times.now += 11
        assert await ahead.standing(ANN) is KNOWN

    play(tmp_path, story, script, ASKED + "S: 250 ok\nC: QUIT\n", deadline=2.0)


def test_a_server_against_null_senders_cannot_say(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(ANN) is SILENT

    play(tmp_path, story, PIPELINING + "C: MAIL\nS: 550 5.7.1 who are you\nC: QUIT\n")


def test_an_address_it_cannot_carry_is_refused(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(Address("änn", "kept.example")) is REFUSED

    play(tmp_path, story, PIPELINING + "C: QUIT\n")


def test_the_server_of_unresolved_recipients_is_asked(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(ANN) is UNKNOWN

    play(tmp_path, story, ASKED + "S: 550 5.1.1 no\nC: QUIT\n", domain='unknown = "{hop}"')


def test_who_keeps_its_mail_here_asks_nobody(tmp_path: Path) -> None:
    async def story(ahead: Callahead, times: Times, peer: ScriptedPeer) -> None:
        assert await ahead.standing(ANN) is KNOWN
        assert peer.connections == 0

    play(tmp_path, story, "SILENCE\n", domain="")
