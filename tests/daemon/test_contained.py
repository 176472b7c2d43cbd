"""A stolen account is contained by itself while it sends, in real processes; a release loses nothing."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest

from daemon.house import DOMAIN, PASSWORD, SUBMISSION, House, submission
from live.gate import command
from patience import until
from sessions import Smtp

ANN = f"ann@{DOMAIN}"
MORE = """
[guard.habits]
new_recipients_per_day = 30
[alarms.file]
command = ["/bin/sh", "-c", "echo $GATEPOST_EVENT $GATEPOST_ABOUT >> alarms"]
events = ["contained"]
"""


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """The next hop is away."""
    house = make_house(workers=2)
    house.write(submission(), more=MORE)
    house.file.write_text(house.file.read_text().replace("capture:outbox", "smtp://127.0.0.1:1"))
    house.start()
    return house


@contextmanager
def session(house: House) -> Iterator[smtplib.SMTP]:
    with Smtp(house.host, SUBMISSION) as session:
        session.login(ANN, PASSWORD)
        yield session


def sent(house: House, thread: int) -> list[str]:
    """The subjects that were accepted, until the sender is stopped."""
    accepted = []
    with session(house) as client:
        for number in range(150):
            subject, to = f"{thread}-{number}", f"r{thread}-{number}@far.example"
            try:
                client.sendmail(ANN, [to], f"From: {ANN}\r\nSubject: {subject}\r\n\r\nx\r\n")
            except (smtplib.SMTPException, OSError):
                break
            accepted.append(subject)
    return accepted


def test_whoever_is_connected_hears_why(house: House) -> None:
    with session(house) as one, session(house) as other:
        here, *_ = [row["id"] for row in house.ask("sessions") if row["user"] == ANN]
        assert command(house.folder, "sessions", "close", here).returncode == 0
        assert command(house.folder, "contain", ANN).returncode == 0
        said = str(one.getreply()) + str(other.getreply())
    assert "4.3.2 An administrator ended this session [session-ended " in said
    assert "4.7.0 This account is contained, ask your administrator [session-contained " in said
    assert until(
        lambda: [line for line in house.log_lines("session-closed") if "account is contained" in line]
    )
    number = said.partition("[session-contained ")[2][:6]
    assert until(lambda: "session-contained" in command(house.folder, "trace", number).stdout)


def states(house: House) -> list[str]:
    return [row["state"] for row in house.ask("queue-list", filter={"user": ANN}, limit=10_000)]


def test_it_ends_holds_and_gives_back(house: House) -> None:
    with ThreadPoolExecutor(6) as together:
        accepted = [
            one for part in together.map(lambda thread: sent(house, thread), range(6)) for one in part
        ]
    assert 30 <= len(accepted) < 900
    assert until(lambda: house.ask("contained"))[0]["user"] == ANN
    held = until(
        lambda: set(found := states(house)) == {"held"} and len(found) >= len(accepted) and len(found)
    )
    shown = json.loads(command(house.folder, "user", "show", ANN, "--json").stdout)
    assert "new recipients within a day, the line is 30" in shown["contained"]["why"]
    assert "contained" in command(house.folder, "user", "show", ANN).stdout
    with session(house) as client, pytest.raises(smtplib.SMTPRecipientsRefused, match="contained"):
        client.sendmail(ANN, ["x@far.example"], "Subject: x\r\n\r\nx\r\n")
    with session(house) as client:  # its own domain it may write to
        client.sendmail(ANN, [ANN], f"From: {ANN}\r\nSubject: x\r\n\r\nx\r\n")
    alarms = house.folder / "alarms"
    assert until(lambda: alarms.exists() and alarms.read_text()) == f"contained {ANN}\n"
    house.file.write_text(house.file.read_text().replace("smtp://127.0.0.1:1", "capture:outbox"))
    house.ask("reload", by="test")
    assert command(house.folder, "release", ANN).returncode == 0
    house.ask("queue-retry", filter={"user": ANN})
    delivered = until(lambda: len(found := _delivered(house.folder / "outbox")) == held and found)
    assert set(accepted) <= set(delivered)
    assert json.loads(command(house.folder, "user", "show", ANN, "--json").stdout)["contained"] is None


def _delivered(folder: Path) -> list[str]:
    return [str(message_from_bytes(one.read_bytes())["Subject"]) for one in folder.glob("**/*.eml")]
