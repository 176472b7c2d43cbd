"""No more than the limit fits into any span, and what is said to wait is enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.policy.quota import DAY_SECONDS, Quota, Window

_steps = st.lists(st.floats(-5, 40, allow_nan=False), max_size=80)


@given(st.integers(1, 6), _steps)
def test_no_span_holds_more_than_the_limit(limit: int, steps: list[float]) -> None:
    window = Window(limit, 60.0)
    now, taken = 0.0, []
    for step in steps:
        now += max(step, 0.0)
        if window.take(now) is None:
            taken.append(now)
    for begins in taken:
        assert sum(begins <= at < begins + 60.0 for at in taken) <= limit


@given(st.integers(1, 6), _steps)
def test_the_wait_that_is_named_is_enough_and_within_the_span(limit: int, steps: list[float]) -> None:
    window = Window(limit, 60.0)
    now = 0.0
    for step in steps:
        now += max(step, 0.0)
        wait = window.take(now)
        if wait is not None:
            assert 0 < wait <= 60.0 + 60.0 / 288
            assert window.take(now + wait + 1e-6) is None
            now += wait + 1e-6


@given(st.integers(1, 6), _steps)
def test_a_clock_that_steps_back_stands_still(limit: int, steps: list[float]) -> None:
    window = Window(limit, 60.0)
    now, taken = 0.0, 0
    for step in steps:
        now += min(step, 1 / 80)
        taken += window.take(now) is None
    assert taken <= limit


def test_more_than_the_limit_at_once_never_fits() -> None:
    assert Window(5, 60.0).take(0.0, count=6) == 60.0


def test_users_do_not_count_for_each_other() -> None:
    quota = Quota(messages_per_minute=1, recipients_per_day=1)
    assert quota.take_message("ann", 0.0) is None
    assert quota.take_message("bob", 0.0) is None
    assert quota.take_message("ann", 1.0) is not None
    assert quota.take_recipient("ann", 1.0) is None
    assert quota.take_recipient("ann", DAY_SECONDS - 1) is not None
    assert quota.take_message("ann", 62.0) is None


def test_no_limit_is_no_limit() -> None:
    quota = Quota(messages_per_minute=None, recipients_per_day=None)
    assert all(quota.take_message("ann", 0.0) is None for _ in range(1000))
    assert all(quota.take_recipient("ann", 0.0) is None for _ in range(1000))


def test_who_sends_nothing_for_a_day_is_forgotten() -> None:
    quota = Quota(messages_per_minute=5, recipients_per_day=5)
    quota.take_message("ann", 0.0)
    quota.take_recipient("ann", 0.0)
    assert quota.forget_idle(100.0) == 0
    assert quota.forget_idle(2 * DAY_SECONDS) == 1


def test_a_day_of_sending_is_kept_in_few_numbers() -> None:
    window = Window(100_000, DAY_SECONDS)
    for second in range(0, int(DAY_SECONDS), 60):
        window.take(float(second))
    assert len(window._steps) <= 290
