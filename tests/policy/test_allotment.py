"""What a user may send: its own word, else its groups' smallest, else what holds for everybody."""

from __future__ import annotations

import pytest

from gatepost.policy.allotment import Allotment, Allotments
from gatepost.policy.quota import Limit
from gatepost.policy.spread import Spread

EVERYBODY = Allotment(60, None, 2_000, None, 36_700_160)
TABLES = Allotments(
    users={"bob@example.org": Allotment(recipients_per_day=5)},
    groups={
        "staff": Allotment(messages_per_minute=30, recipients_per_day=500),
        "newsletter": Allotment(recipients_per_hour=10_000, recipients_per_day=50_000),
    },
)


@pytest.mark.parametrize(
    ("names", "groups", "minute", "hour", "day"),
    [
        (["ann@example.org"], frozenset[str](), 60, None, 2_000),
        (["ann@example.org"], frozenset({"newsletter"}), 60, 10_000, 50_000),
        (["ann@example.org"], frozenset({"staff", "newsletter"}), 30, 10_000, 500),
        (["bob", "bob@example.org"], frozenset({"newsletter"}), 60, 10_000, 5),
        (["ann@example.org"], None, 30, 10_000, 500),
    ],
)
def test_the_nearer_word_holds(
    names: list[str], groups: frozenset[str] | None, minute: int, hour: int | None, day: int
) -> None:
    found = TABLES.of(names, groups, EVERYBODY)
    assert (found.messages_per_minute, found.recipients_per_hour, found.recipients_per_day) == (
        minute, hour, day,
    )  # fmt: skip
    assert found.message_size_bytes == EVERYBODY.message_size_bytes


def test_who_may_be_in_any_group_gets_no_more_than_everybody() -> None:
    tables = Allotments(groups={"newsletter": Allotment(recipients_per_day=50_000)})
    assert tables.of(["ann"], None, EVERYBODY).recipients_per_day == 2_000


def test_limits_are_in_order_and_only_what_is_said() -> None:
    assert Allotment(recipients_per_day=9).recipient_limits == (Limit(9, 86_400.0),)
    assert Allotment(3, 4, 5).recipient_limits == (Limit(4, 3_600.0), Limit(5, 86_400.0))
    assert Allotment().message_limits == ()


def test_a_place_counts_once_and_makes_room_when_it_was_left_for_a_day() -> None:
    spread = Spread(100.0)
    assert [spread.take("ann", place, 2, 0.0) for place in ("a", "b", "a")] == [None, None, None]
    assert spread.take("ann", "c", 2, 10.0) == 90.0
    assert spread.take("bob", "c", 2, 10.0) is None
    assert spread.take("ann", "a", 2, 50.0) is None
    assert spread.take("ann", "c", 2, 99.0) == 1.0
    assert spread.take("ann", "c", 2, 100.0) is None
    assert spread.take("ann", "b", 2, 100.0) == 50.0
    spread.forget_idle(1_000.0)
    assert spread.take("ann", "b", 2, 1_000.0) is None
