"""No more than the limit fits into any span, and what is said to wait is enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.policy.quota import DAY_SECONDS, HOUR_SECONDS, Grant, Limit, Quota, Window

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


MINUTE = Limit(2, 60.0)


def test_users_and_uses_do_not_count_for_each_other() -> None:
    quota = Quota()
    for user in ("ann", "bob"):
        for use in ("messages", "recipients"):
            assert quota.take(user, use, [MINUTE], 0.0, want=5) == Grant(2)
            assert quota.take(user, use, [MINUTE], 1.0).wait_seconds > 0
    assert quota.take("ann", "messages", [MINUTE], 62.0) == Grant(1)


def test_the_narrowest_of_several_limits_decides_and_the_longest_wait_is_named() -> None:
    quota, hour = Quota(), Limit(3, 3_600.0)
    assert quota.take("ann", "x", [MINUTE, hour], 0.0, want=9) == Grant(2)
    assert quota.take("ann", "x", [MINUTE, hour], 61.0, want=9) == Grant(1)
    assert quota.take("ann", "x", [MINUTE, hour], 62.0).wait_seconds > 3_000


def test_another_limit_sees_what_was_taken() -> None:
    quota = Quota()
    assert quota.take("ann", "x", [Limit(5, 60.0)], 0.0, want=3) == Grant(3)
    assert quota.take("ann", "x", [Limit(2, 60.0)], 0.0).count == 0
    assert quota.take("ann", "x", [Limit(4, 60.0)], 0.0, want=3) == Grant(1)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=30))
def test_what_is_given_back_can_be_taken_again(turns: list[tuple[int, int]]) -> None:
    quota, used = Quota(), 0
    for want, back in turns:
        grant = quota.take("ann", "x", [Limit(12, 60.0)], 0.0, want=want)
        used += grant.count
        assert used <= 12
        assert grant.count or used == 12
        back = min(back, grant.count)
        quota.give_back("ann", "x", back)
        used -= back


def test_who_uses_nothing_for_a_day_is_forgotten() -> None:
    quota = Quota()
    quota.take("ann", "x", [Limit(5, DAY_SECONDS)], 0.0)
    assert quota.forget_idle(100.0) == 0
    assert quota.forget_idle(2 * DAY_SECONDS) == 1


def test_a_day_of_sending_is_kept_in_few_numbers() -> None:
    window = Window(100_000, DAY_SECONDS)
    for second in range(0, int(DAY_SECONDS), 60):
        window.take(float(second))
    assert len(window._steps) <= 290


def test_the_wait_is_that_of_the_limit_that_is_full() -> None:
    quota = Quota()
    limits = (Limit(2, HOUR_SECONDS), Limit(100, DAY_SECONDS))
    assert [quota.take("ann", "recipients", limits, 0.0).count for _ in range(3)] == [1, 1, 0]
    assert HOUR_SECONDS <= quota.take("ann", "recipients", limits, 0.0).wait_seconds < 1.01 * HOUR_SECONDS
