"""Alarms sound, but not all day; and what is watched is spoken of in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.alarms import EVENTS
from gatepost.guard import watch
from gatepost.guard.event import Event, EventKind
from gatepost.guard.outage import Outages
from gatepost.guard.pace import Pace


def event(about: str = "ann", kind: EventKind = EventKind.CONTAINED) -> Event:
    return Event(kind, about, "text")


def test_every_event_may_be_asked_for_but_the_test() -> None:
    assert {kind.value for kind in EventKind} - {"test"} == set(EVENTS)


def test_the_same_is_told_once_in_a_while_and_the_rest_counted() -> None:
    pace = Pace(600, 20)
    assert pace.left_out(event(), 0.0) == 0
    assert [pace.left_out(event(), float(at)) for at in (1, 2, 599)] == [None] * 3
    assert pace.left_out(event("bob"), 599.0) == 3
    assert pace.left_out(event(kind=EventKind.ATTACK), 599.0) == 0
    assert pace.left_out(event(), 600.0) == 0


@given(st.lists(st.tuples(st.floats(0, 2_000), st.integers(0, 50)), max_size=200))
def test_an_hour_never_has_more_than_it_may_and_nothing_is_lost(steps: Sequence[tuple[float, int]]) -> None:
    pace, now, told, left_out = Pace(60, 5), 0.0, list[float](), 0
    for seconds, about in steps:
        now += seconds
        answer = pace.left_out(event(str(about)), now)
        if answer is None:
            left_out += 1
        else:
            assert answer == left_out
            left_out = 0
            told.append(now)
    for at in told:
        assert sum(at <= other < at + 3_600 for other in told) <= 5


def test_a_clock_that_steps_back_silences_nobody() -> None:
    pace = Pace(600, 1)
    assert pace.left_out(event(), 1_000_000.0) == 0
    assert pace.left_out(event(), 10.0) == 0


def test_a_queue_that_doubles_is_spoken_of_once() -> None:
    queue = watch.QueueWatch()
    assert queue.look(300, 0.0) is None
    assert queue.look(590, 60.0) is None
    told = queue.look(700, 120.0)
    assert told is not None
    assert told.text == "700 messages wait; within the last hour there were 300"
    assert queue.look(720, 180.0) is None
    assert queue.look(10_000, 9_000.0) is None  # nothing is known of the hour before


def test_a_queue_that_fills_right_after_the_start_is_spoken_of() -> None:
    """The first look is at the start."""
    queue = watch.QueueWatch()
    assert queue.look(0, 0.0) is None
    told = queue.look(600, 30.0)
    assert told is not None
    assert told.text == "600 messages wait; within the last hour there were 0"


def test_disks_and_certificates_are_spoken_of_in_time() -> None:
    assert watch.disk("/var", 60, 1_000) is None
    assert watch.disk("/var", 49, 1_000) is not None
    assert watch.disk("/var", 0, 0) is None
    assert watch.disk("/var", 90, 1_000, least_bytes=100) is not None
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert watch.certificate("mail", now + timedelta(days=8), now) is None
    told = watch.certificate("mail", now + timedelta(days=6), now)
    assert told is not None
    assert "2026-11-30" in told.text


def test_a_directory_is_spoken_of_once_an_outage() -> None:
    outages = Outages(300)
    assert [outages.look("ad", "silent", float(now)) for now in range(0, 300, 30)] == [None] * 10
    told = outages.look("ad", "silent", 300.0)
    assert told is not None
    assert (told.kind, told.about) == (EventKind.DIRECTORY_DOWN, "ad")
    assert "5 minutes" in told.text
    assert outages.look("ad", "silent", 9_999.0) is None
    assert outages.look("ad", None, 10_000.0) is None
    assert outages.look("ad", "silent", 10_001.0) is None
    assert outages.look("ad", "silent", 9_000.0) is None  # the clock was set back
    assert outages.look("ad", "silent", 9_300.0) is not None
    outages.keep(frozenset({"other"}))
    assert outages.look("ad", "silent", 9_400.0) is None
