"""Webhook, command and mail are told, signed and in full; what fails is said."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import pytest

from config.files import secret
from gatepost.admin.alarms import Alarms, signature
from gatepost.config.load import ConfigError, load_text
from gatepost.guard.event import Event, EventKind
from gatepost.log import Log, LogWriter
from patience import becomes

_HEAD = 'hostname = "mail.example.org"\nstate = "state"\n[domains."example.org"]\n'
EVENT = Event(EventKind.CONTAINED, "ann", "ann is contained: \u00fc; $(reboot)")


def alarms(folder: Path, text: str) -> Alarms:
    secret(folder / "key", b"secret\n")
    settings = load_text(_HEAD + text, folder / "gatepost.toml")
    writer = LogWriter(os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    return Alarms(settings, Log(writer), wall=lambda: 1_000.0)


class Heard:
    """A server that answers each connection with `lines` and keeps what it got."""

    def __init__(self, *answers: bytes) -> None:
        self.data = b""
        self._answers = list(answers)

    async def __aenter__(self) -> Heard:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *rest: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = list(self._answers)
        if answers and answers[0].startswith(b"220"):
            writer.write(answers.pop(0))
        in_content = False
        while chunk := await reader.read(65_536):
            self.data += chunk
            if b"HTTP/1.1" in self.data:
                if self.data.rstrip().endswith(b"}"):
                    writer.write(answers[0])
                    break
                continue
            for line in chunk.split(b"\r\n")[:-1]:
                if in_content and line != b".":
                    continue
                in_content = line.upper() == b"DATA"
                said = {b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}
                writer.write(said.get(line.upper(), b"250 ok\r\n"))
        writer.close()


def test_a_webhook_gets_signed_json(tmp_path: Path) -> None:
    async def facts() -> None:
        async with Heard(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as heard:
            url = f"http://127.0.0.1:{heard.port}/x"
            here = alarms(tmp_path, f'[alarms.hook]\nwebhook = "{url}"\nsecret_file = "key"\n')
            here.happened(EVENT)
            await becomes(lambda: heard.data.rstrip().endswith(b"}"))
            head, _, body = heard.data.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
            said = json.loads(body)
            assert (said["event"], said["about"], said["text"]) == ("contained", "ann", EVENT.text)
            assert (said["hostname"], said["left_out"]) == ("mail.example.org", 0)
            expected = signature(b"secret", fields["x-gatepost-timestamp"], body)
            assert fields["x-gatepost-signature"] == expected

    asyncio.run(facts())


def test_a_command_gets_the_event_in_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    here = alarms(
        tmp_path, f"""[alarms.run]\ncommand = ["/bin/sh", "-c", 'echo "$GATEPOST_EVENT" > {out}']\n"""
    )
    (report,) = asyncio.run(here.test())
    assert report.problem is None
    assert out.read_text() == "test\n"


def test_mail_goes_straight_to_its_own_way(tmp_path: Path) -> None:
    async def facts() -> None:
        async with Heard(b"220 there\r\n") as heard:
            text = f'[alarms.mail]\nmail_to = "chief@else.example"\nvia = "smtp://127.0.0.1:{heard.port}"\n'
            (report,) = await alarms(tmp_path, text).test("mail")
            assert report.problem is None
            assert b"Subject: Gatepost on mail.example.org: test" in heard.data
            assert b"Auto-Submitted: auto-generated" in heard.data
            assert b"\nDate: " in heard.data
            assert re.search(rb"\nMessage-ID: <[^>]+@mail\.example\.org>", heard.data)

    asyncio.run(facts())


def test_what_fails_is_said_and_stops_nothing(tmp_path: Path) -> None:
    async def facts() -> None:
        async with Heard(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as heard:
            text = f"""[alarms.all]
webhook = "http://127.0.0.1:{heard.port}/"
secret_file = "key"
command = ["/bin/false"]
mail_to = "chief@else.example"
via = "smtp://127.0.0.1:1"
"""
            here = alarms(tmp_path, text)
            reports = {report.way: report.problem for report in await here.test()}
            assert reports["webhook"] is not None
            assert "answered 500" in reports["webhook"]
            assert reports["command"] == "/bin/false ended with exit code 1"
            assert reports["mail"] is not None
            with pytest.raises(KeyError):
                await here.test("nobody")

    asyncio.run(facts())
    assert (tmp_path / "log").read_text().count("alarm-failed") == 3


def test_only_the_events_asked_for_are_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = f'[alarms.run]\ncommand = ["/usr/bin/touch", "{out}"]\nevents = ["attack"]\n'

    async def facts() -> None:
        here = alarms(tmp_path, text)
        here.happened(EVENT)
        await asyncio.sleep(0.2)
        assert not out.exists()

    asyncio.run(facts())


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("", "nobody is told"),
        ('webhook = "http://127.0.0.1/"\n', "a webhook is signed"),
        ('mail_to = "a@b.example"\n', "goes by another way"),
        ('command = ["x"]\nevents = ["atack"]\n', "'atack' is not known here"),
        ("command = []\n", ""),
    ],
)
def test_an_alarm_that_reaches_nobody_is_a_fault(tmp_path: Path, table: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(_HEAD + "[alarms.x]\n" + table, tmp_path / "gatepost.toml")
    assert problem in str(caught.value)
