"""SCRAM over POP3, whole and byte by byte: a login by each mechanism, and every way it goes wrong."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from gatepost.secret import Secret
from gatepost.wire.scram_client import ScramClient
from server.collecting import MESSAGES, Client, House, play
from server.gate import PASSWORD


async def said(client: Client, line: str, step: int | None) -> str:
    """The reply to the line, sent whole or in pieces."""
    data = line.encode() + b"\r\n"
    for start in range(0, len(data), step or len(data)):
        await client.send(data[start : start + (step or len(data))])
    return await client.line()


async def proven(client: Client, scram: ScramClient, *, initial: bool, step: int | None = None) -> str:
    """The last reply of the exchange."""
    first = b64encode(scram.start()).decode()
    if initial:
        answer = await said(client, f"AUTH SCRAM-SHA-256 {first}", step)
    else:
        assert await said(client, "AUTH SCRAM-SHA-256", step) == "+ "
        answer = await said(client, first, step)
    while answer.startswith("+ "):
        response = scram.step(b64decode(answer[2:]))
        answer = await said(client, b64encode(response).decode(), step)
    return answer


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("step", [None, 1])
def test_a_login_by_scram(initial: bool, step: int | None, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(*MESSAGES)
        client = await home.dial("mail-tls")
        scram = ScramClient("bob", Secret(PASSWORD), nonce=b"n" * 18)
        answer = await proven(client, scram, initial=initial, step=step)
        assert answer == "+OK 3 messages (118 octets)"
        scram.finish()  # the server knows the password's keys
        assert await client.say("STAT") == "+OK 3 118"
        assert await client.say("QUIT") == "+OK Goodbye"

    play(tmp_path, story)


@pytest.mark.parametrize(("name", "password"), [("bob", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_proof_and_a_name_nobody_has_look_the_same(name: str, password: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("mail-tls")
        answer = await proven(client, ScramClient(name, Secret(password), nonce=b"n" * 18), initial=True)
        assert answer.startswith("-ERR [AUTH] Authentication credentials invalid [bad-credentials ")
        assert (await client.say("STAT")).startswith("-ERR log in first")
        # and the right one is heard afterwards
        right = await proven(client, ScramClient("bob", Secret(PASSWORD), nonce=b"m" * 18), initial=False)
        assert right.startswith("+OK 0 messages")

    play(tmp_path, story)


@pytest.mark.parametrize("line", ["*", "!!", "", b64encode(b"c=biws,r=other,p=AAAA").decode()])
def test_an_exchange_that_breaks_off_leaves_nobody_logged_in(line: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        client = await home.dial("mail-tls")
        first = b64encode(ScramClient("bob", Secret(PASSWORD), nonce=b"n" * 18).start()).decode()
        assert (await client.say(f"AUTH SCRAM-SHA-256 {first}")).startswith("+ ")
        assert (await client.say(line)).startswith("-ERR ")
        assert (await client.say("STAT")).startswith("-ERR log in first")
        assert (await client.say("USER bob")) == "+OK"
        assert (await client.say(f"PASS {PASSWORD}")).startswith("+OK 0 messages")

    play(tmp_path, story)
