"""When a deferred message is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.delivery.retry import Schedule, Verdict, after_deferral

HOUR = 3600.0
SCHEDULE = Schedule()


def test_the_waits_are_15_30_60_minutes_and_then_four_hours() -> None:
    waits = []
    for attempts in range(1, 7):
        verdict = after_deferral(SCHEDULE, attempts=attempts, accepted_at=0, now=0, warned=True, jitter=0)
        waits.append(verdict.retry_at)
    assert waits == [900, 1800, 3600, 4 * HOUR, 4 * HOUR, 4 * HOUR]


def test_the_delay_warning_is_owed_once_at_twelve_hours() -> None:
    def verdict(now: float, *, warned: bool) -> Verdict:
        return after_deferral(SCHEDULE, attempts=5, accepted_at=0, now=now, warned=warned, jitter=0)

    assert verdict(10 * HOUR, warned=False) == Verdict(12 * HOUR)
    assert verdict(12 * HOUR, warned=False) == Verdict(16 * HOUR, warning_owed=True)
    assert verdict(12 * HOUR, warned=True) == Verdict(16 * HOUR)


def test_the_last_attempt_is_made_when_the_time_is_up() -> None:
    def verdict(now: float) -> Verdict:
        return after_deferral(SCHEDULE, attempts=9, accepted_at=0, now=now, warned=True, jitter=0.9)

    assert verdict(47 * HOUR) == Verdict(48 * HOUR)
    assert verdict(48 * HOUR) == Verdict(None)
    assert verdict(500 * HOUR) == Verdict(None)


def test_a_whole_life_warns_once_and_ends() -> None:
    now, attempts, warned, warnings = 0.0, 0, False, 0
    while True:
        attempts += 1
        verdict = after_deferral(
            SCHEDULE, attempts=attempts, accepted_at=0, now=now, warned=warned, jitter=0.5
        )
        warnings += verdict.warning_owed
        warned = warned or verdict.warning_owed
        if verdict.retry_at is None:
            break
        now = verdict.retry_at
    assert now == 48 * HOUR
    assert warnings == 1
    assert attempts < 20


times = st.floats(0, 60 * HOUR)


@given(
    attempts=st.integers(1, 1000), age=times, warned=st.booleans(), jitter=st.floats(0, 1, exclude_max=True)
)
def test_the_next_attempt_is_always_later_and_never_after_the_end(
    attempts: int, age: float, warned: bool, jitter: float
) -> None:
    verdict = after_deferral(
        SCHEDULE, attempts=attempts, accepted_at=100, now=100 + age, warned=warned, jitter=jitter
    )
    if age >= SCHEDULE.give_up_seconds:
        assert verdict.retry_at is None
    else:
        assert verdict.retry_at is not None
        assert 100 + age < verdict.retry_at <= 100 + SCHEDULE.give_up_seconds


@given(attempts=st.integers(1, 50), age=times, jitter=st.floats(0, 1, exclude_max=True))
def test_more_attempts_never_wait_less(attempts: int, age: float, jitter: float) -> None:
    def wait(attempts: int) -> float:
        verdict = after_deferral(
            SCHEDULE, attempts=attempts, accepted_at=0, now=age, warned=True, jitter=jitter
        )
        return verdict.retry_at if verdict.retry_at is not None else float("inf")

    assert wait(attempts) <= wait(attempts + 1)


@given(now=times, warned=st.booleans())
def test_more_jitter_never_comes_sooner(now: float, warned: bool) -> None:
    times = [
        after_deferral(SCHEDULE, attempts=3, accepted_at=0, now=now, warned=warned, jitter=j).retry_at or 0.0
        for j in (0.0, 0.3, 0.9)
    ]
    assert times == sorted(times)
