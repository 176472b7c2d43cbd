"""How long ago something was, by the machine's own clock where that is the same."""

from __future__ import annotations

import pytest

from gatepost.store.moment import Moment, moment


@pytest.mark.parametrize(
    ("before", "now", "seconds"),
    [
        (Moment(1_000.0, "a", 10.0), Moment(1_060.0, "a", 70.0), 60.0),
        (Moment(1_000.0, "a", 10.0), Moment(9e9, "a", 70.0), 60.0),  # the clock was set forward
        (Moment(1_000.0, "a", 10.0), Moment(5.0, "a", 70.0), 60.0),  # and back
        (Moment(1_000.0, "a", 10.0), Moment(1_300.0, "b", 20.0), 300.0),  # the machine started anew
        (Moment(1_000.0, "a", 10.0), Moment(5.0, "b", 20.0), 0.0),  # with a clock that knows nothing yet
        (Moment(1_000.0, "", 10.0), Moment(1_300.0, "", 20.0), 300.0),
    ],
)
def test_the_seconds_between(before: Moment, now: Moment, seconds: float) -> None:
    assert now.seconds_since(before) == seconds


def test_now_is_not_before_now() -> None:
    before = moment()
    assert before.boot
    assert 0 <= moment().seconds_since(before) < 60
