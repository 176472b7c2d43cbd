"""Devices and their usual times: what is learnt, when they are missed, and what is never said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.guard.event import Event, EventKind
from gatepost.guard.rhythm import HOUR_SECONDS, WEEK_HOURS, Patience
from gatepost.guard.rhythms import Rhythms, span_text
from gatepost.guard.sighting import DeviceKind, Sighting, Watched

MONDAY = 1_767_571_200.0  # 2026-01-05, midnight UTC
SCANNER = Watched(DeviceKind.APP_PASSWORD, "scanner@example.org", "Ricoh")
PATIENCE = Patience()
Habit = Callable[[random.Random, int], bool]


def hour_of_day(hour: int) -> int:
    return hour % 24


def is_workday(hour: int) -> bool:
    return hour // 24 % 7 < 5


def office(share: float) -> Habit:
    return lambda chance, hour: is_workday(hour) and 8 <= hour_of_day(hour) < 17 and chance.random() < share


HABITS: dict[str, tuple[Habit, float]] = {
    "a busy scanner": (office(0.9), 2),
    "a scanner": (office(0.5), 3),
    "a nightly report": (lambda chance, hour: hour_of_day(hour) == 2, 1.5),
    "a report early on workdays": (lambda chance, hour: is_workday(hour) and hour_of_day(hour) == 7, 2),
    "a weekly report": (lambda chance, hour: hour % WEEK_HOURS == 8, 8),
    "a monitor": (lambda chance, hour: True, 0.5),
}
"""What they do, and how many days after they died they are missed at the latest."""


@dataclass(slots=True)
class Watch:
    """A device, hour by hour."""

    rhythms: Rhythms = field(default_factory=lambda: Rhythms(PATIENCE))
    hour: int = 0
    events: list[tuple[int, Event]] = field(default_factory=list)

    @property
    def now(self) -> float:
        return MONDAY + self.hour * HOUR_SECONDS

    def pass_hour(self, *, sent: bool) -> None:
        found = [silence.event for silence in self.rhythms.look(self.now + 60)]
        back = (
            self.rhythms.see(Sighting(SCANNER, "10.0.5.17", self.now + 600), self.now + 600) if sent else None
        )
        self.events += [(self.hour, event) for event in [*found, *([back] if back else [])]]
        self.hour += 1

    def live(
        self, habit: Habit, weeks: float, *, seed: int = 1, without: frozenset[int] = frozenset()
    ) -> None:
        chance = random.Random(seed)
        for _ in range(int(weeks * WEEK_HOURS)):
            self.pass_hour(sent=self.hour // 24 not in without and habit(chance, self.hour))

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for _, event in self.events]

    @property
    def state(self) -> str:
        ((_, device),) = self.rhythms
        return self.rhythms.state(device)


@pytest.mark.parametrize("name", HABITS)
def test_it_is_missed_when_it_has_died_and_not_before(name: str) -> None:
    habit, days = HABITS[name]
    watch = Watch()
    watch.live(habit, 20)
    assert watch.events == []
    assert watch.state == "well"
    died = watch.hour
    watch.live(lambda chance, hour: False, 4)
    ((hour, event),) = watch.events  # told once
    assert hour - died <= days * 24
    assert event.kind is EventKind.DEVICE_SILENT
    assert event.about == str(SCANNER) == "scanner@example.org/Ricoh"
    assert "last from 10.0.5.17" in event.text
    assert watch.state == "silent"
    watch.live(habit, 4)
    assert watch.kinds == [EventKind.DEVICE_SILENT, EventKind.DEVICE_BACK]
    assert watch.state == "well"


@pytest.mark.parametrize("name", ["a busy scanner", "a nightly report", "a weekly report"])
def test_a_day_off_is_no_failure(name: str) -> None:
    watch = Watch()
    watch.live(HABITS[name][0], 20, without=frozenset({7 * week for week in range(9, 20, 3)}))
    assert watch.events == []


def test_an_alarm_that_was_none_comes_later_the_next_time() -> None:
    watch, habit = Watch(), HABITS["a scanner"][0]
    holidays = frozenset(day for first in range(70, 500, 14) for day in (first, first + 1))
    watch.live(habit, 70, without=holidays)
    told = [hour // 24 for hour, event in watch.events if event.kind is EventKind.DEVICE_SILENT]
    assert 1 <= len(told) <= 4
    assert max(told) < 200


def test_nothing_is_said_of_a_new_device() -> None:
    watch = Watch()
    watch.live(HABITS["a monitor"][0], 1.9)
    assert watch.state == "learning"
    watch.live(lambda chance, hour: False, 10)
    assert watch.events == []


def test_what_sends_now_and_then_is_not_nagged_about() -> None:
    for seed in range(5):
        watch = Watch()
        watch.live(lambda chance, hour: chance.random() < 3 / WEEK_HOURS, 20, seed=seed)
        assert watch.kinds.count(EventKind.DEVICE_SILENT) <= 1


def test_while_nobody_listened_nothing_was_missed() -> None:
    watch = Watch()
    watch.live(HABITS["a monitor"][0], 4)
    kept = json.loads(json.dumps(watch.rhythms.snapshot()))
    watch.hour += 3 * WEEK_HOURS
    watch.rhythms = Rhythms(PATIENCE)
    watch.rhythms.restore(kept, watch.now)
    assert watch.state == "well"
    watch.live(lambda chance, hour: False, 5 / WEEK_HOURS)
    assert watch.events == []
    watch.live(lambda chance, hour: False, 3 / WEEK_HOURS)
    assert watch.kinds == [EventKind.DEVICE_SILENT]


@pytest.mark.parametrize("weeks", [-60, -1, 1, 60])
def test_a_clock_that_is_set_is_no_silence(weeks: int) -> None:
    watch = Watch()
    watch.live(HABITS["a monitor"][0], 4)
    watch.hour += weeks * WEEK_HOURS
    watch.live(HABITS["a monitor"][0], 1)
    assert watch.events == []
    watch.live(lambda chance, hour: False, 8 / WEEK_HOURS)
    assert watch.kinds == [EventKind.DEVICE_SILENT]


def test_memory_is_bounded_and_keeps_the_latest() -> None:
    rhythms = Rhythms(PATIENCE, most=10)
    for number in range(100):
        what = Watched(DeviceKind.ADDRESS, f"10.0.0.{number}")
        rhythms.see(Sighting(what, what.of, MONDAY + number), MONDAY + number)
    assert [what.of for what, _ in rhythms] == [f"10.0.0.{number}" for number in range(90, 100)]
    again = Rhythms(PATIENCE, most=3)
    again.restore(rhythms.snapshot(), MONDAY + 200)
    assert [what.of for what, _ in again] == ["10.0.0.97", "10.0.0.98", "10.0.0.99"]


def test_a_login_is_a_use_and_no_mail() -> None:
    rhythms = Rhythms(PATIENCE)
    rhythms.see(Sighting(SCANNER, "10.0.5.18", MONDAY, sent=False), MONDAY)
    ((_, device),) = rhythms
    assert (device.use.source, rhythms.state(device)) == ("10.0.5.18", "unused")
    again = Rhythms(PATIENCE)
    again.restore(json.loads(json.dumps(rhythms.snapshot())), MONDAY)
    assert list(again) == list(rhythms)


def test_only_what_is_watched_is_kept() -> None:
    watch = Watch()
    watch.live(HABITS["a monitor"][0], 0.1)
    watch.rhythms.keep(lambda what: what.kind is DeviceKind.APP_PASSWORD)
    assert len(watch.rhythms) == 1
    watch.rhythms.keep(lambda what: False)
    assert len(watch.rhythms) == 0
    assert not watch.rhythms.forget(SCANNER)


@pytest.mark.parametrize(
    "row", [{}, {"kind": "tree"}, {"kind": "address", "of": "x", "label": "", "rhythm": 7}]
)
def test_rubbish_is_no_memory(row: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Rhythms(PATIENCE).restore([row], MONDAY)


@given(
    st.lists(st.booleans(), min_size=WEEK_HOURS, max_size=WEEK_HOURS),
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_whatever_it_does(week: list[bool], spells: list[tuple[int, int]]) -> None:
    """Silent and back take turns; never of a new device, never at once, never while it sends each hour."""
    watch = Watch()
    lasts: dict[int, int] = {}
    last = 0
    for sending, silent in [*spells, (3 * WEEK_HOURS, 2 * WEEK_HOURS), (WEEK_HOURS, 0)]:
        for step in range(sending + silent):
            sent = step < sending and week[watch.hour % WEEK_HOURS]
            lasts[watch.hour] = last
            last = watch.hour if sent else last
            watch.pass_hour(sent=sent)
    assert all(
        kind is (EventKind.DEVICE_BACK if index % 2 else EventKind.DEVICE_SILENT)
        for index, kind in enumerate(watch.kinds)
    )
    for hour, event in watch.events:
        if event.kind is EventKind.DEVICE_SILENT:
            assert hour >= PATIENCE.learn_days * 24
            assert hour - lasts[hour] >= PATIENCE.least_hours
    kept = watch.rhythms.snapshot()
    again = Rhythms(PATIENCE)
    again.restore(json.loads(json.dumps(kept)), watch.now)
    states = [[rhythms.state(device) for _, device in rhythms] for rhythms in (watch.rhythms, again)]
    assert states[0] == states[1]


@given(st.lists(st.tuples(st.floats(0, 4e9), st.booleans()), max_size=40))
@settings(deadline=None)
def test_times_may_be_any(times: list[tuple[float, bool]]) -> None:
    rhythms = Rhythms(PATIENCE)
    for now, sent in times:
        rhythms.see(Sighting(SCANNER, "x", now, sent=sent), now)
        assert rhythms.look(now) == []
    again = Rhythms(PATIENCE)
    again.restore(json.loads(json.dumps(rhythms.snapshot())), 1e9)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "less than a minute"), (90, "1 minute"), (7_300, "2 hours"), (86_400, "1 day")]
)
def test_spans_are_told_in_words(seconds: float, text: str) -> None:
    assert span_text(seconds) == text
