"""The self-test finds what is open, and finds nothing where nothing is."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from authority import ClientAuthority
from gatepost.admin.probe import SMUGGLED_ENDS, Announce, Guest, Result, relay_forms
from gatepost.admin.selftest import selftest
from gatepost.admin.selftest_round import announced, coming
from gatepost.admin.shard import ShardVerbs
from gatepost.directory.visitor import Visitor
from server.gate import Gate, gate, written

INTERNET = """[smtp.internet]
listen = ["127.0.0.1:0"]
tls = "offer"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""
LISTED = INTERNET.replace(" ] }", " ] }").replace(
    'to = "anyone" }', 'to = "anyone" }, { allow = ["relay"], to = "net:127.0.0.0/8" }'
)


def test_a_closed_server_passes_every_try(tmp_path: Path) -> None:
    async def story() -> None:
        async with gate(tmp_path, INTERNET) as here:
            here.add("postmaster")
            ends = {"smtp.internet": [f"127.0.0.1:{here.ports['internet']}"]}
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(here.shard.settings, ends)))
            assert {probe.result for probe in found} == {Result.PASSED}
            assert len(found) == 1 + len(relay_forms("example.org", "127.0.0.1")) + 1 + len(SMUGGLED_ENDS)
            assert await here.queued() == []

    asyncio.run(story())


def test_there_are_seventeen_forms_and_twelve_ends() -> None:
    assert len(set(relay_forms("example.org", "127.0.0.1"))) == 17
    assert len(set(SMUGGLED_ENDS)) == 12


ANSWERS = {b"DATA": b"354 go\r\n", b"EHLO": b"250-hello\r\n250 AUTH PLAIN\r\n"}


class Gullible:
    """A server that says yes to everything."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.end = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        # the tester may be gone before it has heard everything
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 hello\r\n")
            for line in lines:
                word = line[:4].upper()
                answer = {b"DATA": b"354 go\r\n", b"EHLO": b"250-hello\r\n250 AUTH PLAIN\r\n"}.get(
                    word, b"250 yes\r\n"
                )
                connection.sendall(answer)

    def close(self) -> None:
        self._listening.close()


def test_a_server_that_says_yes_fails(tmp_path: Path) -> None:
    gullible = Gullible()
    settings = written(tmp_path, INTERNET)
    found = list(selftest(settings, {"smtp.internet": [gullible.end]}))
    gullible.close()
    failed = [probe.name for probe in found if probe.result is Result.FAILED]
    assert "no AUTH in clear" in failed
    assert sum(name.startswith("relay from") for name in failed) == 17
    assert sum(name.startswith("no end of DATA") for name in failed) == 12


def test_a_server_that_is_not_there_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        end = f"127.0.0.1:{closed.getsockname()[1]}"
    found = list(selftest(written(tmp_path, INTERNET), {"smtp.internet": [end]}))
    assert [probe.result for probe in found] == [Result.FAILED]


def test_where_this_host_may_relay_that_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with gate(tmp_path, LISTED) as here:
            ends = {"smtp.internet": [f"127.0.0.1:{here.ports['internet']}"]}
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(here.shard.settings, ends)))
            skipped = [probe for probe in found if probe.result is Result.SKIPPED]
            assert [probe.name for probe in skipped] == ["relay"]
            assert not any(probe.result is Result.FAILED for probe in found)

    asyncio.run(story())


SUBMISSION = """[smtp.submission]
listen = ["127.0.0.1:0"]
tls = "require"
auth = ["PLAIN"]
access = [ { allow = ["connect"], to = "anyone" }, { allow = ["submit"], to = "authenticated" } ]
"""
ALL_WHO_LOG_IN = SUBMISSION.replace('["submit"]', '["submit", "relay"]')


def as_the_daemon(here: Gate) -> Announce:
    """The worker is told of a connection, as the daemon tells it."""
    spools, sessions = [here.shard.spool], here.shard.sessions
    verbs = ShardVerbs(spools, sessions, lambda: None, here.shard.meter)
    loop = asyncio.get_running_loop()

    def announce(host: str, port: int, guest: Guest | None) -> None:
        told = verbs.answer("selftest-from", {"round": "1", **coming(host, port, guest)})
        asyncio.run_coroutine_threadsafe(told, loop).result(60)

    return announce


@pytest.mark.parametrize("file", [SUBMISSION, ALL_WHO_LOG_IN])
def test_an_account_is_tried_and_nobody_else_can_use_it(tmp_path: Path, file: str) -> None:
    """The server is closed; the second time the test believes so, and finds that it is not."""

    async def story() -> None:
        async with gate(tmp_path, file) as here:
            ends = {"smtp.submission": [f"127.0.0.1:{here.ports['submission']}"]}
            believed, announce = written(tmp_path, SUBMISSION), as_the_daemon(here)
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(believed, ends, announce)))
            tried = [probe for probe in found if probe.name.startswith("relay as an account from")]
            assert len(tried) == 17
            through = [probe.name for probe in tried if probe.result is Result.FAILED]
            if file is SUBMISSION:
                assert through == []
            else:
                assert len(through) > 3
            guest = Guest.new("example.org")
            ours = Visitor(guest.name, guest.password)
            here.shard.sessions.ours["127.0.0.1", 1] = ours
            seen = await here.shard.directories.identity(guest.name)
            assert seen is None  # of the self-test's own connections alone
            assert here.shard.facing(("127.0.0.1", 2)) is here.shard
            assert await here.shard.facing(("127.0.0.1", 1)).directories.identity(guest.name) is not None

    asyncio.run(story())


@pytest.mark.parametrize("mechanism", ["LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_the_account_logs_in_by_what_there_is(tmp_path: Path, mechanism: str) -> None:
    async def story() -> None:
        async with gate(tmp_path, ALL_WHO_LOG_IN.replace("PLAIN", mechanism)) as here:
            ends = {"smtp.submission": [f"127.0.0.1:{here.ports['submission']}"]}
            believed, announce = (
                written(tmp_path, SUBMISSION.replace("PLAIN", mechanism)),
                as_the_daemon(here),
            )
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(believed, ends, announce)))
            through = [probe for probe in found if probe.result is Result.FAILED]
            assert len(through) > 3
            assert all(probe.name.startswith("relay as an account") for probe in through)

    asyncio.run(story())


def test_where_there_are_no_passwords_that_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        ClientAuthority(tmp_path / "ca")
        file = SUBMISSION.replace("PLAIN", "EXTERNAL") + 'client_ca_file = "ca/ca.pem"\n'
        async with gate(tmp_path, file) as here:
            ends = {"smtp.submission": [f"127.0.0.1:{here.ports['submission']}"]}
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(here.shard.settings, ends)))
            skipped = {probe.name: probe.detail for probe in found if probe.result is Result.SKIPPED}
            assert skipped["relay as an account"] == "nobody logs in with a password here, only by EXTERNAL"

    asyncio.run(story())


def test_a_run_that_ends_leaves_the_other_its_connections(tmp_path: Path) -> None:
    async def story() -> None:
        async with gate(tmp_path, SUBMISSION) as here:
            sessions, asked = here.shard.sessions, list[tuple[str, dict[str, object]]]()
            verbs = ShardVerbs([here.shard.spool], sessions, lambda: None, here.shard.meter)
            with announced(lambda verb, **fields: asked.append((verb, fields))) as one:
                one("127.0.0.1", 1, None)
                with announced(lambda verb, **fields: asked.append((verb, fields))) as other:
                    other("127.0.0.1", 2, Guest.new("example.org"))
            for verb, fields in asked[:-1]:
                assert await verbs.answer(verb, fields) is True  # else the daemon finds that nobody was asked
            assert list(sessions.ours) == [("127.0.0.1", 1)]
            await verbs.answer(*asked[-1])
            assert not sessions.ours

    asyncio.run(story())


def test_where_everybody_who_logs_in_relays_that_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with gate(tmp_path, ALL_WHO_LOG_IN) as here:
            ends = {"smtp.submission": [f"127.0.0.1:{here.ports['submission']}"]}
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(None, lambda: list(selftest(here.shard.settings, ends)))
            skipped = {probe.name: probe.detail for probe in found if probe.result is Result.SKIPPED}
            assert "everybody who logs in" in skipped["relay as an account"]
            assert not any(probe.result is Result.FAILED for probe in found)

    asyncio.run(story())


CERTIFIED = """[smtp.devices]
listen = ["127.0.0.1:0"]
tls = "implicit"
client_ca_file = "ca/ca.pem"
access = [ { allow = ["connect", "submit", "relay"], to = "certificate:scanner7" } ]
"""


def test_where_certificates_are_demanded_no_other_test_is_needed(tmp_path: Path) -> None:
    async def story() -> None:
        ClientAuthority(tmp_path / "ca")
        async with gate(tmp_path, CERTIFIED) as here:
            ends = {"smtp.devices": [f"127.0.0.1:{here.ports['devices']}"]}
            loop = asyncio.get_running_loop()
            (found,) = await loop.run_in_executor(None, lambda: list(selftest(here.shard.settings, ends)))
            assert (found.result, found.name) == (Result.PASSED, "nobody without a certificate is heard")

    asyncio.run(story())
