"""The daemon's watches: devices that fell silent, and directories that do not answer."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.files import secret
from directory.directories import open_accounts
from directory.ldaps import PASSWORD, SERVICE, Fault, LdapServerScript, running
from gatepost.admin.device_watch import DEVICES, DeviceWatch
from gatepost.admin.devices import device_rows, forget_device, with_uses
from gatepost.admin.directory_watch import DirectoryWatch
from gatepost.admin.link import Refused
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.guard.event import Event, EventKind
from gatepost.guard.rhythm import HOUR_SECONDS, WEEK_HOURS, Patience
from gatepost.guard.rhythms import Rhythms
from gatepost.guard.sighting import DeviceKind, Sighting, Watched
from gatepost.log import Log, LogWriter
from gatepost.store.app_password import NewAppPassword
from gatepost.store.guarddb import GuardStore, Memory
from gatepost.store.place import Place
from patience import PATIENCE_SECONDS

HEAD = """
hostname = "mail.example.org"
state = "{folder}/state"
[domains."example.org"]
[smtp.printers]
listen = ["127.0.0.1:25"]
tls = "off"
auth = []
access = [ {{ allow = ["connect", "submit", "relay"], to = "net:10.0.5.0/24" }} ]
"""
SCANNER = "scanner@example.org"
NAS, DOOR = Watched(DeviceKind.APP_PASSWORD, SCANNER, "NAS"), Watched(DeviceKind.ACCOUNT, "door@example.org")
PRINTER, LAPTOP = (Watched(DeviceKind.ADDRESS, f"10.0.5.{number}") for number in (17, 99))


def silent() -> Log:
    return Log(LogWriter(os.open(os.devnull, os.O_WRONLY)))


def settings(folder: Path, more: str = "") -> Settings:
    (folder / "state").mkdir(exist_ok=True)
    return load_text(HEAD.format(folder=folder) + more, folder / "gatepost.toml")


def kept(folder: Path, *devices: Watched) -> GuardStore:
    """They sent each hour for five weeks, until an hour ago."""
    rhythms, now = Rhythms(Patience()), time.time()
    for hour in range(5 * WEEK_HOURS, 0, -1):
        at = now - hour * HOUR_SECONDS
        rhythms.look(at)
        for device in devices:
            rhythms.see(Sighting(device, "10.0.5.17", at), at)
    store = GuardStore(Place(folder / "state").guard)
    store.remember(DEVICES, Memory(now, rhythms.snapshot()))
    return store


def watch(given: Settings, store: GuardStore, events: list[Event]) -> DeviceWatch:
    made = DeviceWatch(given, store, silent(), events.append)
    made.open()
    return made


def test_what_was_learnt_outlives_a_restart_and_what_the_file_dropped_does_not(tmp_path: Path) -> None:
    more = '[guard.devices]\naccounts = ["door"]\nignore = ["10.0.5.99"]\n'
    given = settings(tmp_path, more)
    there = watch(
        given, kept(tmp_path, NAS, DOOR, PRINTER, LAPTOP, Watched(DeviceKind.ADDRESS, "10.9.9.9")), []
    )
    assert {row["name"]: row["state"] for row in there.rows()} == dict.fromkeys(
        (str(NAS), "door@example.org", "10.0.5.17"), "well"
    )
    there.change(settings(tmp_path, '[guard.devices]\nwatch = ["account"]\n'))
    assert there.rows() == []


def test_a_silent_device_is_told_unless_its_secret_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, events = settings(tmp_path), list[Event]()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    accounts = open_accounts(tmp_path / "state", clock=lambda: yesterday)
    accounts.app_passwords.add(SCANNER, NewAppPassword("NAS"), by="test")
    ends = yesterday + timedelta(hours=1)
    accounts.app_passwords.add(SCANNER, NewAppPassword("over", expires=ends), by="test")
    over = Watched(DeviceKind.APP_PASSWORD, SCANNER, "over")
    gone = Watched(DeviceKind.APP_PASSWORD, SCANNER, "gone")
    there, now = watch(given, kept(tmp_path, NAS, over, gone, PRINTER), events), time.time()
    for hour in range(1, 10):
        monkeypatch.setattr(time, "time", lambda hour=hour: now + hour * HOUR_SECONDS)
        asyncio.run(there.look())
    assert [(event.kind, event.about) for event in events] == [
        (EventKind.DEVICE_SILENT, str(NAS)),
        (EventKind.DEVICE_SILENT, str(over)),
        (EventKind.DEVICE_SILENT, "10.0.5.17"),
    ]
    assert ["expired" in event.text for event in events] == [False, True, False]
    there.hear({"seen": [["address", "10.0.5.17", "", "10.0.5.17", True]]})
    assert events[-1].kind is EventKind.DEVICE_BACK
    there.keep()
    rows = {row["name"]: row for row in device_rows(given, accounts)}
    assert list(rows) == [str(NAS), str(over), "10.0.5.17"]  # the silent first
    assert [row["state"] for row in rows.values()] == ["silent", "expired", "well"]
    assert rows[str(NAS)]["usual_seconds"] == pytest.approx(3_600, abs=1)
    secret = with_uses(given, [{"account": SCANNER, "label": "NAS", "state": "good"}])[0]
    assert (secret["watch"], secret["last_source"]) == ("silent", "10.0.5.17")
    assert forget_device(given, str(NAS).upper())["state"] == "silent"
    with pytest.raises(Refused):
        forget_device(given, str(NAS))
    assert {row["name"]: row["state"] for row in device_rows(given, accounts)}[str(NAS)] == "unused"
    accounts.close()


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.CLOSES])
def test_a_directory_that_is_away_for_long_is_told_once(tmp_path: Path, fault: Fault) -> None:
    events = list[Event]()
    secret(tmp_path / "password", f"{PASSWORD}\n".encode())

    async def test() -> None:
        script = LdapServerScript()
        async with running(script):
            given = settings(
                tmp_path,
                f'[directory.ad]\nkind = "ldap"\nurl = "ldap://127.0.0.1:{script.port}"\nstarttls = false\n'
                f'bind_user = "{SERVICE}"\nbind_password_file = "password"\ntimeout_seconds = 1\n'
                "[guard]\ndirectory_down_seconds = 1\n",
            )
            there = DirectoryWatch(given, silent(), events.append)
            await there.look()
            script.fault = fault
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not events:
                    await there.look()
            await there.look()
            there.close()

    asyncio.run(test())
    assert [(event.kind, event.about) for event in events] == [(EventKind.DIRECTORY_DOWN, "ad")]
