"""Watches that devices go on sending, for all workers; what was learnt is kept over a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final

from gatepost.admin.link import Refused, Value
from gatepost.config.schema import Settings
from gatepost.config.watching import WatchedDevices
from gatepost.guard.event import Event
from gatepost.guard.rhythm import Patience
from gatepost.guard.rhythms import Device, Rhythms
from gatepost.guard.sighting import DeviceKind, Watched
from gatepost.guard.sightings import sighting_of
from gatepost.log import Log
from gatepost.server.watch import networks_without_login
from gatepost.store.guarddb import GuardStore, Memory
from gatepost.store.place import Place

DEVICES: Final = "devices"
_KEEP_SECONDS: Final = 300.0
Fields = dict[str, Value]


class DeviceWatch:
    """`look` about each minute. A disk that fails costs only what was learnt since it last worked."""

    def __init__(
        self, settings: Settings, store: GuardStore, log: Log, on_event: Callable[[Event], None]
    ) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._on_event = on_event
        self._rhythms = Rhythms(patience(settings.guard.devices))
        self._kept_at = time.monotonic()

    def open(self) -> None:
        """What was learnt before is known. Raises sqlite3.Error, ValueError."""
        memory = self._store.memory(DEVICES)
        if memory is not None:
            self._rhythms.restore(memory.value, time.time())
        self.change(self._settings)

    def change(self, settings: Settings) -> None:
        """What is not watched any more is forgotten."""
        self._settings = settings
        self._rhythms.change(patience(settings.guard.devices))
        self._rhythms.keep(self._is_watched)

    def hear(self, fields: Fields) -> None:
        """What a worker saw."""
        now = time.time()
        for row in fields["seen"]:
            event = self._rhythms.see(sighting_of(row, now), now)
            if event is not None:
                self._on_event(event)

    async def look(self) -> None:
        """Those that have fallen silent are told; what was learnt is kept now and then."""
        for silence in self._rhythms.look(time.time()):
            remark = await asyncio.to_thread(self._remark, silence.what)
            if remark is None:
                self._rhythms.forget(silence.what)
            else:
                self._on_event(replace(silence.event, text=silence.event.text + remark))
        if time.monotonic() - self._kept_at >= _KEEP_SECONDS:
            self._kept_at = time.monotonic()
            await asyncio.to_thread(self._keep, self._memory())

    def keep(self) -> None:
        """What was learnt is on the disk."""
        self._keep(self._memory())

    def rows(self) -> list[Fields]:
        """Every device that was seen."""
        return [device_row(what, device, self._rhythms.state(device)) for what, device in self._rhythms]

    def forget(self, name: str) -> Fields:
        """The device is not missed any more; when it is seen again it is a new one. Raises Refused."""
        wanted = name.strip().casefold()
        for what, device in self._rhythms:
            if str(what).casefold() == wanted:
                self._rhythms.forget(what)
                self.keep()
                return device_row(what, device, self._rhythms.state(device))
        raise Refused(f"no device {name[:200]!r} was seen; `gatepost devices` lists them", exit_code=3)

    # inside

    def _is_watched(self, what: Watched) -> bool:
        devices = self._settings.guard.devices
        if what.kind.value not in devices.watch:
            return False
        match what.kind:
            case DeviceKind.APP_PASSWORD:
                return True
            case DeviceKind.ACCOUNT:
                # whoever is one by a group is found again with his next mail
                return bool(devices.groups) or not what.names.isdisjoint(devices.accounts)
            case DeviceKind.ADDRESS:
                return self._is_listed(what.of)

    def _is_listed(self, text: str) -> bool:
        peer = ip_address(text)
        networks = [net for server in self._settings.smtp.values() for net in networks_without_login(server)]
        ignored = self._settings.guard.devices.ignore
        return any(peer in net for net in networks) and not any(peer in net for net in ignored)

    def _remark(self, what: Watched) -> str | None:
        """What is to be said of its secret; None: it was revoked, and is not missed. Blocks."""
        if what.kind is not DeviceKind.APP_PASSWORD:
            return ""
        # Loaded here: the daemon starts sooner, and most daemons never come here.
        from sqlalchemy.exc import DBAPIError

        from gatepost.store.accounts import Accounts
        from gatepost.store.database import DatabaseError

        try:
            accounts = Accounts.open(Place(self._settings.state).accounts)
            try:
                found = accounts.app_passwords.find(what.of, what.label)
            finally:
                accounts.close()
        except (DatabaseError, DBAPIError):
            return ""
        if found is None:
            return None
        is_over = found.expires is not None and found.expires <= datetime.now(UTC)
        return "; its app password has expired" if is_over else ""

    def _memory(self) -> Memory:
        return Memory(time.time(), self._rhythms.snapshot())

    def _keep(self, memory: Memory) -> None:
        try:
            self._store.remember(DEVICES, memory)
        except sqlite3.Error as problem:
            self._log.error("devices-not-kept", problem=str(problem))


def patience(devices: WatchedDevices) -> Patience:
    return Patience(devices.learn_days, devices.least_hours, devices.factor)


def device_row(what: Watched, device: Device, state: str) -> dict[str, Any]:
    """Times are Unix seconds."""
    rhythm = device.rhythm
    return {
        "name": str(what),
        "kind": what.kind.value,
        "of": what.of,
        "label": what.label or None,
        "state": state,
        "source": device.use.source,
        "last_used": device.use.at,
        "last_sent": None if rhythm is None else rhythm.last,
        "usual_seconds": None if rhythm is None else rhythm.usual_interval_seconds(),
        "silent_since": None if rhythm is None else rhythm.silent_since,
    }
