"""Block lists are asked of a real name server, about strangers alone, and never block by guess."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from delivery.nameserver import NameServer, name_server
from server.dialling import dialled
from server.doors import House, doors
from server.gate import Dialogue

TABLES = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
proxies = ["127.0.0.1"]
block_lists = ["first.example=127.0.0.2-3", "second.example"]
access = [
  { allow = ["connect", "submit"], to = "net:192.0.2.0/24" },
  { allow = ["connect", "submit"], to = "net:10.0.0.0/8" },
  { allow = ["connect", "submit"], to = "net:2001:db8::/32" },
  { allow = ["connect", "submit", "relay"], to = "net:198.51.100.0/24" },
]
[guard]
trusted = ["192.0.2.200"]
"""
V6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
Story = Callable[[House, NameServer], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    async def whole() -> None:
        async with name_server() as (server, resolver), doors(folder, TABLES, resolver=resolver) as here:
            here.gate.add("ann")
            await story(here, server)
            assert "internal-fault" not in here.gate.logged()

    asyncio.run(whole())


async def handed_in(here: House, peer: str, name: str = "", *, to: str = "ann@example.org") -> str:
    """What is said to the recipient; with a name, that logs in before."""
    ends = await dialled("127.0.0.1", here.ports["smtp.smtp"])
    client = Dialogue(*ends)
    family, other = ("TCP6", "::1") if ":" in peer else ("TCP4", "10.0.0.7")
    await client.send(f"PROXY {family} {peer} {other} 51000 25\r\n".encode())
    assert (await client.reply()).startswith("220")
    await client.hello()
    sender = "x@else.example"
    if name:
        assert (await client.log_in(f"{name}@example.org")).startswith("235")
        sender = f"{name}@example.org"
    assert (await client.say(f"MAIL FROM:<{sender}>")).startswith("250") or name
    said = await client.say(f"RCPT TO:<{to}>")
    await client.close()
    return said


def test_a_stranger_in_a_list_is_told_which_and_why(tmp_path: Path) -> None:
    async def story(here: House, server: NameServer) -> None:
        server.zone["1.2.0.192.second.example", "A"] = ["127.0.0.9"]
        server.zone["1.2.0.192.second.example", "TXT"] = ['"see https://second.example/?q=192.0.2.1"']
        server.zone[f"{V6}.first.example", "A"] = ["127.0.0.3"]
        said = await handed_in(here, "192.0.2.1")
        assert said.startswith(
            "550 5.7.1 Your address stands in a block list; "
            "second.example: see https://second.example/?q=192.0.2.1 [block-listed "
        )
        assert "first.example [block-listed" in await handed_in(here, "2001:db8::1")
        assert (await handed_in(here, "192.0.2.1", to="postmaster@example.org")).startswith("250")
        assert (await handed_in(here, "192.0.2.2")).startswith("250")
        assert "reason=block-listed" in here.gate.logged()

    play(tmp_path, story)


def test_answers_are_kept_and_only_the_codes_that_count_do(tmp_path: Path) -> None:
    async def story(here: House, server: NameServer) -> None:
        server.zone["1.2.0.192.first.example", "A"] = ["127.0.0.10"]
        for _ in range(3):
            assert (await handed_in(here, "192.0.2.1")).startswith("250")
        assert server.asked["1.2.0.192.first.example"] == 1
        server.zone["2.2.0.192.first.example", "A"] = ["127.0.0.2"]
        answers = await asyncio.gather(*(handed_in(here, "192.0.2.2") for _ in range(5)))
        assert all(answer.startswith("550") for answer in answers)
        assert server.asked["2.2.0.192.first.example"] == 2  # the address, and the text

    play(tmp_path, story)


def test_nobody_is_asked_about_our_own(tmp_path: Path) -> None:
    async def story(here: House, server: NameServer) -> None:
        for peer, name in (("10.1.1.1", ""), ("192.0.2.200", ""), ("198.51.100.1", ""), ("192.0.2.1", "ann")):
            await handed_in(here, peer, name)
        assert not server.asked

    play(tmp_path, story)


def test_a_list_that_is_silent_broken_or_sold_blocks_nobody(tmp_path: Path) -> None:
    async def story(here: House, server: NameServer) -> None:
        server.silent.add("1.2.0.192.first.example")
        server.zone["1.2.0.192.second.example", "A"] = ["203.0.113.7"]
        assert (await handed_in(here, "192.0.2.1")).startswith("250")
        server.zone["2.2.0.192.first.example", "A"] = ["127.0.0.2"]
        assert (await handed_in(here, "192.0.2.2")).startswith("250")  # it is left alone for a minute
        assert server.asked["2.2.0.192.first.example"] == 0
        said = [line for line in here.gate.logged().splitlines() if "block-list-silent" in line]
        assert len(said) == 2
        assert any("list=first.example" in line for line in said)

    play(tmp_path, story)


def test_one_list_that_answers_is_enough(tmp_path: Path) -> None:
    async def story(here: House, server: NameServer) -> None:
        server.broken.add("1.2.0.192.first.example")
        server.zone["1.2.0.192.second.example", "A"] = ["127.0.0.2"]
        assert "second.example" in await handed_in(here, "192.0.2.1")

    play(tmp_path, story)
