"""Tells whom `[alarms]` names. An alarm that fails is in the log; nothing waits for it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import smtplib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Final
from urllib.parse import urlsplit

from gatepost.config.alarms import Alarm
from gatepost.config.schema import Settings
from gatepost.guard.event import Event, EventKind
from gatepost.guard.pace import Pace
from gatepost.log import Log

_SECONDS: Final = 20.0
_RECENT: Final = 200
SIGNATURE: Final = "X-Gatepost-Signature"
TIMESTAMP: Final = "X-Gatepost-Timestamp"


class AlarmFailed(Exception):
    """Nobody was told; the text says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one way of one alarm. `problem` None: it was told."""

    alarm: str
    way: str
    problem: str | None

    def row(self) -> dict[str, Any]:
        return {"alarm": self.alarm, "way": self.way, "told": self.problem is None, "problem": self.problem}


class Alarms:
    """`happened` tells whom it concerns, some time soon; `test` all, now. `recent`: oldest first."""

    def __init__(self, settings: Settings, log: Log, *, wall: Callable[[], float] = time.time) -> None:
        self._log = log
        self._wall = wall
        self._tasks: set[asyncio.Task[Any]] = set()
        self.recent: deque[dict[str, Any]] = deque(maxlen=_RECENT)
        self.change(settings)

    def change(self, settings: Settings) -> None:
        self._hostname = settings.hostname
        self._alarms = dict(settings.alarms)
        self._paces = {
            name: Pace(one.quiet_seconds, one.at_most_per_hour) for name, one in self._alarms.items()
        }

    def happened(self, event: Event) -> None:
        """It is among the recent ones, and whom it concerns is told some time soon."""
        self.recent.append({"at": self._wall(), "event": event.kind.value, "about": event.about,
                            "text": event.text})  # fmt: skip
        for name, alarm in self._alarms.items():
            if event.kind.value in alarm.events:
                left_out = self._paces[name].left_out(event, self._wall())
                if left_out is not None:
                    task = asyncio.ensure_future(self._tell(name, alarm, event, left_out))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def test(self, name: str | None = None) -> list[Report]:
        """A test event to the alarm named, or to all; what came of it. Raises KeyError."""
        event = Event(EventKind.TEST, "test", "This is a test of the alarm; nothing is wrong.")
        chosen = self._alarms if name is None else {name: self._alarms[name]}
        parts = await asyncio.gather(*(self._tell(one, alarm, event, 0) for one, alarm in chosen.items()))
        return [report for part in parts for report in part]

    async def _tell(self, name: str, alarm: Alarm, event: Event, left_out: int) -> list[Report]:
        ways = {"webhook": _post, "command": _start, "mail": _mail}
        wanted = {"webhook": alarm.webhook, "command": alarm.command, "mail": alarm.mail_to}
        fields = self._fields(event, left_out)
        reports = []
        for way, tell in ways.items():
            if wanted[way] is None:
                continue
            problem = None
            try:
                await asyncio.wait_for(tell(alarm, fields), _SECONDS)
            except Exception as fault:  # the top of a task: whatever fails, nothing else does
                problem = str(fault) or type(fault).__name__
                self._log.error("alarm-failed", alarm=name, way=way, problem=problem)
            reports.append(Report(name, way, problem))
        return reports

    def _fields(self, event: Event, left_out: int) -> dict[str, Any]:
        return {
            "hostname": self._hostname,
            "event": event.kind.value,
            "about": event.about,
            "text": event.text,
            "at": datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="seconds"),
            "left_out": left_out,
        }


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a dot and the body."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def _post(alarm: Alarm, fields: dict[str, Any]) -> None:
    import httpx  # 15 MB that a Gatepost without a webhook does not need

    assert alarm.webhook is not None
    assert alarm.secret_file is not None
    secret = (await asyncio.to_thread(alarm.secret_file.read_bytes)).strip()
    body, timestamp = json.dumps(fields).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: signature(secret, timestamp, body),
    }
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        answer = await client.post(alarm.webhook, content=body, headers=headers)
    if not answer.is_success:
        raise AlarmFailed(f"{alarm.webhook} answered {answer.status_code}")


async def _start(alarm: Alarm, fields: dict[str, Any]) -> None:
    """The event stands in the environment: nothing of it is read by a shell."""
    assert alarm.command is not None
    said = {f"GATEPOST_{key.upper()}": str(value).replace("\0", "?") for key, value in fields.items()}
    process = await asyncio.create_subprocess_exec(
        *alarm.command,
        env={**os.environ, **said},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = await process.wait()
    except BaseException:
        process.kill()
        raise
    if code:
        raise AlarmFailed(f"{alarm.command[0]} ended with exit code {code}")


async def _mail(alarm: Alarm, fields: dict[str, Any]) -> None:
    await asyncio.to_thread(_hand_in, alarm, _message(alarm, fields))


def _message(alarm: Alarm, fields: dict[str, Any]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"postmaster@{fields['hostname']}"
    message["To"] = alarm.mail_to
    message["Subject"] = f"Gatepost on {fields['hostname']}: {fields['event']}"
    message["Date"] = format_datetime(datetime.fromisoformat(fields["at"]))
    message["Message-ID"] = make_msgid(domain=fields["hostname"])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    more = f"\n\n{fields['left_out']} further events were not told." if fields["left_out"] else ""
    message.set_content(f"{fields['text']}\n\n{fields['at']}{more}\n")
    return message


def _hand_in(alarm: Alarm, message: EmailMessage) -> None:
    """Straight to `via`: our own queue may be what is wrong."""
    assert alarm.via is not None
    place = urlsplit(alarm.via)
    kind = smtplib.SMTP_SSL if place.scheme == "smtps" else smtplib.SMTP
    port = place.port or (465 if place.scheme == "smtps" else 25)
    with kind(place.hostname or "", port, timeout=_SECONDS / 2) as client:
        client.send_message(message)
