"""The rhythms of all devices: bounded, kept over a restart, not upset by clocks that are set. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatepost.guard.event import Event, EventKind
from gatepost.guard.rhythm import HOUR_SECONDS, Patience, Rhythm
from gatepost.guard.sighting import DeviceKind, Sighting, Watched

DEVICES_MOST: Final = 5_000
_STEP_SECONDS: Final = 2 * HOUR_SECONDS  # looks come each minute: this is a clock that was set, or a pause


@dataclass(frozen=True, slots=True)
class Use:
    """The last time that it logged in or sent. `source` is from where."""

    at: float
    source: str


@dataclass(slots=True)
class Device:
    """`rhythm` None: it has logged in and sent nothing yet."""

    use: Use
    rhythm: Rhythm | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A device is missed."""

    what: Watched
    event: Event


class Rhythms:
    """Of at most `most` devices, the longest unused forgotten first. `look` at least once an hour.

    Times are Unix seconds.
    """

    def __init__(self, patience: Patience, *, most: int = DEVICES_MOST) -> None:
        self._patience = patience
        self._most = most
        self._devices: OrderedDict[Watched, Device] = OrderedDict()
        self._now: float | None = None
        self._heard_from = 0.0

    def change(self, patience: Patience) -> None:
        self._patience = patience
        for device in self._devices.values():
            if device.rhythm is not None:
                device.rhythm.change()

    def see(self, sighting: Sighting, now: float) -> Event | None:
        """What an administrator should know of it: that the device is back."""
        self._step(now)
        what, use = sighting.what, Use(now, sighting.source)
        device = self._devices.get(what)
        if device is None:
            device = self._devices[what] = Device(use)
            if len(self._devices) > self._most:
                self._devices.popitem(last=False)
        self._devices.move_to_end(what)
        device.use = use
        if not sighting.sent:
            return None
        if device.rhythm is None:
            device.rhythm = Rhythm.beginning(now)
            return None
        silence = device.rhythm.sent(now, self._patience)
        if silence is None:
            return None
        return Event(
            EventKind.DEVICE_BACK, str(what), f"{what} sends again, after {span_text(silence)} of silence"
        )

    def look(self, now: float) -> list[Silence]:
        """Those that have fallen silent since the last look."""
        self._step(now)
        silences = []
        for what, device in self._devices.items():
            rhythm = device.rhythm
            if rhythm is not None and rhythm.falls_silent(now, self._patience, heard_from=self._heard_from):
                silences.append(Silence(what, _silent(what, device.use, rhythm, now)))
        return silences

    def forget(self, what: Watched) -> bool:
        """Whether it was known."""
        return self._devices.pop(what, None) is not None

    def keep(self, is_watched: Callable[[Watched], bool]) -> None:
        """Only these are watched from now on."""
        for what in [what for what in self._devices if not is_watched(what)]:
            del self._devices[what]

    def state(self, device: Device) -> str:
        """`unused` (it never sent), `learning`, `well` or `silent`."""
        rhythm = device.rhythm
        if rhythm is None:
            return "unused"
        if rhythm.silent_since is not None:
            return "silent"
        return "well" if rhythm.is_learnt(self._patience) else "learning"

    def __iter__(self) -> Iterator[tuple[Watched, Device]]:
        return iter(tuple(self._devices.items()))

    def __len__(self) -> int:
        return len(self._devices)

    # kept over a restart

    def snapshot(self) -> list[dict[str, Any]]:
        """What was learnt, as JSON can hold it; the longest unused first."""
        return [
            {
                "kind": what.kind.value,
                "of": what.of,
                "label": what.label,
                "used_at": device.use.at,
                "source": device.use.source,
                "rhythm": None if device.rhythm is None else device.rhythm.snapshot(),
            }
            for what, device in self._devices.items()
        ]

    def restore(self, rows: list[Mapping[str, Any]], now: float) -> None:
        """What was learnt is known again; while nobody listened nothing was missed. Raises ValueError."""
        try:
            for row in rows[-self._most :]:
                what = Watched(DeviceKind(row["kind"]), str(row["of"]), str(row["label"]))
                rhythm = None if row["rhythm"] is None else Rhythm.of_snapshot(row["rhythm"])
                self._devices[what] = Device(Use(float(row["used_at"]), str(row["source"])), rhythm)
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"no rhythms: {problem}") from None
        self._skip(now)

    # inside

    def _step(self, now: float) -> None:
        before, self._now = self._now, now
        if before is not None and abs(now - before) > _STEP_SECONDS:
            self._skip(now)

    def _skip(self, now: float) -> None:
        self._now = self._heard_from = now
        for device in self._devices.values():
            if device.rhythm is not None:
                device.rhythm.skip_to(int(now // HOUR_SECONDS))


def span_text(seconds: float) -> str:
    """`3 hours`, `2 days`."""
    for unit, name in ((86_400.0, "day"), (HOUR_SECONDS, "hour"), (60.0, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def _silent(what: Watched, use: Use, rhythm: Rhythm, now: float) -> Event:
    usual = rhythm.usual_interval_seconds()
    rest = "" if usual is None else f"; usually it sends every {span_text(usual)}"
    text = f"{what} has sent nothing for {span_text(now - rhythm.last)}, last from {use.source}{rest}"
    return Event(EventKind.DEVICE_SILENT, str(what), text)
