"""Habits are learnt, leaving them is noticed, and a busy account is not a stolen one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.schema import Habits as HabitSettings
from gatepost.guard.habits import COUNTS, DAY_SECONDS, Allowed, Breach, Habits, lines_for

OFFICE, ABROAD = "203.0.113.0/24", "198.51.100.0/24"
MORNING = 20_000 * DAY_SECONDS + 9 * 3_600


def habits(**settings: Any) -> Habits:
    return Habits(HabitSettings(**settings))


def day(
    of: Habits, number: int, messages: int, *, network: str = OFFICE, prefix: str = "x", domains: int = 3
) -> Breach | None:
    """So many messages on that day's morning; the first line crossed."""
    for one in range(messages):
        at = MORNING + number * DAY_SECONDS + one
        breach = of.sent("ann", network, [f"{prefix}{one}@d{one % domains}.example"], at)
        if breach is not None:
            return breach
    return None


def test_lines_grow_with_what_a_user_is_allowed() -> None:
    wide = lines_for(HabitSettings(messages_per_day=70), 20_000)
    assert (wide.messages_per_day, wide.recipients_per_day, wide.new_recipients_per_day) == (
        70,
        10_000,
        3_000,
    )
    assert lines_for(HabitSettings(), 2_000) == lines_for(HabitSettings(), 10) == HabitSettings()


def test_an_office_worker_never_crosses_a_line() -> None:
    of = habits()
    assert all(day(of, number, 60) is None for number in range(60))


def test_a_new_account_has_cold_lines() -> None:
    breach = day(habits(), 0, 2_000)
    assert breach == Breach("new_recipients", 301, 300)
    assert str(breach) == "301 new recipients within a day, the line is 300"


def test_what_was_sent_to_before_is_not_new() -> None:
    of = habits()
    for number in range(3):
        assert day(of, number, 250) is None
    assert day(of, 4, 450) is None


def test_a_busy_account_has_its_own_line() -> None:
    of = habits()
    for number in range(5):
        assert day(of, number, 400 if number else 250) is None
    assert day(of, 5, 1) is None
    assert of.line("ann", "messages") == (5 * 400)
    assert day(of, 6, 1_400) is None
    assert of.line("ann", "refusals") == 50


def test_from_a_new_network_the_lines_are_half_as_high() -> None:
    of = habits()
    for number in range(12):
        day(of, number, 20)
    breach = day(of, 13, 400, network=ABROAD, prefix="spam")
    assert breach is not None
    assert (breach.what, breach.count, breach.line) == ("new_recipients", 151, 150)
    assert breach.unusual == f"from {ABROAD}, a new network"


def test_at_an_hour_at_which_it_never_sends_too() -> None:
    of = habits()
    for number in range(12):
        day(of, number, 20)
    night = MORNING + 13 * DAY_SECONDS + 15 * 3_600
    breaches = [of.sent("ann", OFFICE, [f"s{n}@d.example"], night + n) for n in range(200)]
    first = next(breach for breach in breaches if breach is not None)
    assert (first.count, first.unusual) == (151, "at an hour at which it never sends")


def test_many_domains_and_many_refusals_are_lines_of_their_own() -> None:
    breach = day(habits(), 0, 300, domains=300)
    assert breach is not None
    assert breach.what == "domains"
    of = habits()
    assert of.refused("ann", 50, MORNING) is None
    breach = of.refused("ann", 1, MORNING + 60)
    assert breach is not None
    assert breach.what == "refusals"


def test_nobody_is_contained_within_what_he_was_given() -> None:
    of = habits()
    of.allow("ann", Allowed(2_500, 1_200), MORNING)
    assert [of.line("ann", what, unusual=True) for what in COUNTS] == [2_500, 2_500, 2_500, 1_200, 25]
    assert day(of, 0, 2_500, domains=1_200) is None
    assert day(of, 0, 1, prefix="more") == Breach("messages", 2_501, 2_500)
    of.forgive("ann")
    of.allow("ann", Allowed(), MORNING)
    assert day(of, 0, 301, prefix="new") == Breach("new_recipients", 301, 300)
    of.allow("bob", Allowed(), MORNING)
    assert sorted(of._accounts) == ["ann"]


def test_a_day_is_over_after_a_day() -> None:
    of = habits()
    assert of.refused("ann", 50, MORNING) is None
    assert of.refused("ann", 50, MORNING + DAY_SECONDS + 3_601) is None


@pytest.mark.parametrize("settings", [{"enabled": False}, {"exempt": ("ann",)}])
def test_who_is_exempt_crosses_no_line(settings: dict[str, Any]) -> None:
    assert day(habits(**settings), 0, 2_000) is None


def test_forgiving_begins_the_day_anew() -> None:
    of = habits()
    assert day(of, 0, 2_000) is not None
    of.forgive("ann")
    assert of.sent("ann", OFFICE, ["x0@d.example"], MORNING + 4_000) is None


def test_accounts_are_bounded() -> None:
    of = Habits(HabitSettings(), accounts=3)
    for user in "abcdef":
        of.sent(user, OFFICE, ["x@d.example"], MORNING)
    assert sorted(of._accounts) == ["d", "e", "f"]


def test_what_changed_is_told_once_or_again_when_it_could_not_be_kept() -> None:
    of = Habits(HabitSettings(), accounts=2)
    for user in "abc":
        of.sent(user, OFFICE, ["x@d.example"], MORNING)
    assert [of.changed(2).keys(), of.changed(2).keys(), of.changed(2)] == [{"a", "b"}, {"c"}, {}]
    of.not_kept(["a", "b"])
    assert {user: part is None for user, part in of.changed(9).items()} == {"a": True, "b": False}


Sending = Sequence[tuple[int, int, bool]]


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 80), st.booleans()), max_size=40))
def test_a_restart_keeps_what_was_learnt(sendings: Sending) -> None:
    of, now = habits(), MORNING
    for seconds, count, abroad in sendings:
        now += seconds
        of.sent("ann", ABROAD if abroad else OFFICE, [f"x{n}@d{n % 9}.example" for n in range(count)], now)
    after = habits()
    for user, part in json.loads(json.dumps(of.changed(9))).items():
        after.restore(user, part, 0.0)
        of._accounts[user].unusual = ""  # of the last message, not of the next
    assert after._accounts == of._accounts
    later = now + 2 * DAY_SECONDS
    for one in (of, after):
        one.sent("ann", OFFICE, ["x0@d.example"], later)
    if sendings:
        assert {what: of.line("ann", what) for what in COUNTS} == {
            what: after.line("ann", what) for what in COUNTS
        }


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 30)), max_size=60))
def test_a_clock_that_jumps_contains_nobody_below_the_line(sendings: Sequence[tuple[float, int]]) -> None:
    of, sent = habits(), 0
    for at, count in sendings:
        sent += count
        breach = of.sent("ann", OFFICE, [f"x{n}@d.example" for n in range(count)], MORNING + at)
        assert breach is None or sent > 150


@pytest.mark.parametrize("rows", [{"ann": {}}, {"ann": None}, {"ann": {"recipients": "zz"}}])
def test_rubbish_is_no_snapshot(rows: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        habits().restore("ann", rows["ann"], 0.0)
