"""The ledger counts, forgets, and is not fooled by clocks."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.guard.ledger import BOUNDS, MARK_BYTES, Ledger, Offence, Scope

WINDOWS = dict.fromkeys(Offence, 100.0)
KEY = b"\xc0\x00\x02\x01"


def mark(number: int, tag: bytes = b"name") -> bytes:
    return tag + number.to_bytes(MARK_BYTES - len(tag), "big")


def ledger(bound: int = 1_000) -> Ledger:
    return Ledger(WINDOWS, dict.fromkeys(Scope, bound))


Event = tuple[float, int]
events = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 9)), max_size=60)


@given(events)
def test_within_the_window_counts_only_grow_and_equal_distinct_marks(noted: list[Event]) -> None:
    book, seen = ledger(), set[int]()
    for _, number in noted:
        seen.add(number)
        assert book.note(Scope.HOST, KEY, Offence.WRONG_PASSWORD, 5.0, mark(number)) == len(seen)


@given(st.permutations(list(range(8)) * 2), st.permutations(list(range(8)) * 2))
def test_the_order_of_events_of_one_moment_does_not_matter(one: list[int], other: list[int]) -> None:
    def total(order: list[int]) -> list[int]:
        book = ledger()
        for number in order:
            book.note(Scope.HOST, KEY, Offence.WRONG_PASSWORD, 1.0, mark(number))
            book.note(Scope.HOST, KEY, Offence.RUBBISH, 1.0)
        return [book.count(Scope.HOST, KEY, offence, 1.0) for offence in Offence]

    assert total(one) == total(other)


@given(events)
def test_a_clock_that_jumps_never_makes_a_count_or_a_refusal_outlast_its_time(noted: list[Event]) -> None:
    book, last = ledger(), 0.0
    for at, number in noted:
        book.note(Scope.HOST, KEY, Offence.WRONG_PASSWORD, at, mark(number))
        assert 0 <= book.refuse(Scope.NAME, b"bob", at, 10, 40) <= 40
        last = at
    assert book.count(Scope.HOST, KEY, Offence.WRONG_PASSWORD, last + 101) == 0
    assert book.refused_seconds(Scope.NAME, b"bob", last + 202) == 0


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.booleans()), max_size=200))
def test_the_memory_is_bounded(keys: list[tuple[bytes, bool]]) -> None:
    book = ledger(bound=10)
    for key, refuse in keys:
        book.note(Scope.HOST, key, Offence.WRONG_PASSWORD, 1.0, mark(1))
        if refuse:
            book.refuse(Scope.HOST, key, 1.0, 10, 10)
        assert book.size(Scope.HOST) <= 10


def test_the_oldest_harmless_is_forgotten_first() -> None:
    book = ledger(bound=4)
    for number in range(3):
        book.note(Scope.HOST, bytes([number]), Offence.RUBBISH, float(number))
    book.refuse(Scope.HOST, b"\0", 3.0, 50, 50)
    for number in range(3, 5):
        book.note(Scope.HOST, bytes([number]), Offence.RUBBISH, float(number))
    assert book.refused_seconds(Scope.HOST, b"\0", 5.0) > 0
    assert book.count(Scope.HOST, b"\1", Offence.RUBBISH, 5.0) == 0
    assert book.count(Scope.HOST, b"\2", Offence.RUBBISH, 5.0) == 1


def test_refused_ones_never_crowd_out_counting() -> None:
    book = ledger(bound=4)
    for number in range(4):
        book.note(Scope.HOST, bytes([number]), Offence.RUBBISH, 0.0)
        book.refuse(Scope.HOST, bytes([number]), 0.0, 50, 50)
    for turn in range(1, 4):
        counts = [book.note(Scope.HOST, bytes([key]), Offence.RUBBISH, 1.0) for key in (50, 51)]
        assert counts == [turn, turn]


def test_the_window_begins_at_the_first_offence() -> None:
    book = ledger()
    for at in (0.0, 50.0, 99.0):
        book.note(Scope.HOST, KEY, Offence.SILENT, at)
    assert book.count(Scope.HOST, KEY, Offence.SILENT, 99.0) == 3
    assert book.count(Scope.HOST, KEY, Offence.SILENT, 100.0) == 0
    assert book.note(Scope.HOST, KEY, Offence.SILENT, 100.0) == 1


def test_forgiving_takes_only_that_names_marks_back() -> None:
    book = ledger()
    for tag in (b"bob\0", b"ann\0"):
        for number in range(3):
            book.note(Scope.HOST, KEY, Offence.WRONG_PASSWORD, 0.0, mark(number, tag))
    book.forgive(Scope.HOST, KEY, b"bob\0")
    assert book.count(Scope.HOST, KEY, Offence.WRONG_PASSWORD, 0.0) == 3
    assert book.has(Scope.HOST, KEY, mark(1, b"ann\0"), 0.0)
    assert not book.has(Scope.HOST, KEY, mark(1, b"bob\0"), 0.0)


def test_each_refusal_of_a_week_is_twice_as_long_up_to_the_most() -> None:
    book, now, lasting = ledger(), 0.0, []
    for _ in range(5):
        lasting.append(book.refuse(Scope.HOST, KEY, now, 10, 60))
        now += 100
    assert lasting == [10, 20, 40, 60, 60]
    assert book.refuse(Scope.HOST, KEY, now + 8 * 86_400, 10, 60) == 10


def test_a_refusal_begins_the_counts_anew_and_can_be_prolonged_and_pardoned() -> None:
    book = ledger()
    book.note(Scope.NAME, b"bob", Offence.WRONG_PASSWORD, 0.0, mark(1))
    book.refuse(Scope.NAME, b"bob", 0.0, 10, 10)
    assert book.count(Scope.NAME, b"bob", Offence.WRONG_PASSWORD, 0.0) == 0
    book.prolong(Scope.NAME, b"bob", 9.0, 10)
    assert book.refused_seconds(Scope.NAME, b"bob", 9.0) == 10
    book.prolong(Scope.NAME, b"bob", 30.0, 10)
    assert book.refused_seconds(Scope.NAME, b"bob", 30.0) == 0
    book.refuse(Scope.NAME, b"bob", 30.0, 10, 10)
    assert list(book.refused(Scope.NAME, 31.0)) == [(b"bob", 9.0)]
    assert book.pardon(Scope.NAME, b"bob")
    assert not book.pardon(Scope.NAME, b"bob")
    assert book.refused_seconds(Scope.NAME, b"bob", 31.0) == 0


@given(
    st.lists(st.tuples(st.sampled_from(Offence), st.integers(0, 5), st.integers(0, 20)), max_size=40),
    st.floats(0, 200),
)
def test_a_restart_forgets_nothing_but_what_time_would_have(
    noted: list[tuple[Offence, int, int]], elapsed: float
) -> None:
    before, at = ledger(), 0.0
    for offence, key, number in noted:
        at += 1
        wrong = offence is Offence.WRONG_PASSWORD
        before.note(Scope.HOST, bytes([key]), offence, at, mark(number) if wrong else None)
    before.refuse(Scope.HOST, b"x", at, 50, 50)
    after = ledger()
    for name, part in json.loads(json.dumps(before.changed(at, 99))).items():
        after.restore(name, part, 7_000.0, elapsed)
    for key in range(6):
        for offence in Offence:
            assert after.count(Scope.HOST, bytes([key]), offence, 7_000.0) in (
                before.count(Scope.HOST, bytes([key]), offence, at + elapsed),
                before.count(Scope.HOST, bytes([key]), offence, at + elapsed + 1e-6),
            )
    assert after.refused_seconds(Scope.HOST, b"x", 7_000.0) == pytest.approx(max(0.0, 50 - elapsed))


def test_a_snapshot_says_nothing_of_passwords() -> None:
    book = ledger()
    secret = mark(0x5EC7E7)
    book.note(Scope.HOST, KEY, Offence.WRONG_PASSWORD, 0.0, secret)
    assert secret[4:].hex().lstrip("0") not in json.dumps(book.changed(0.0, 9))


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("host 00", []),
        ("host 00", None),
        ("host 00", [0, 0, None, 0, 0, 0]),
        ("host zz", [0, 0, {}, 0, 0, 0]),
        ("x 00", [0, 0, {}, 0, 0, 0]),
    ],
)
def test_rubbish_is_no_part(key: str, part: object) -> None:
    with pytest.raises(ValueError):
        ledger().restore(key, part, 0.0, 0.0)


def test_what_changed_is_told_once_or_again_when_it_could_not_be_kept() -> None:
    book = ledger(bound=2)
    for key in (b"a", b"b", b"c"):
        book.note(Scope.HOST, key, Offence.RUBBISH, 0.0)
    first = book.changed(0.0, 9)
    assert set(first) == {"host 62", "host 63"}  # one was forgotten before anybody could keep it
    assert book.changed(0.0, 9) == {}
    book.not_kept(first)
    assert book.changed(0.0, 9) == first
    book.refuse(Scope.HOST, b"b", 0.0, 10, 10)
    book.pardon(Scope.HOST, b"c")
    assert book.changed(0.0, 9)["host 63"] is None


def test_tidying_makes_room_of_what_is_over() -> None:
    book = ledger(bound=3)
    book.note(Scope.HOST, b"a", Offence.RUBBISH, 0.0)
    book.refuse(Scope.HOST, b"a", 0.0, 10, 10)
    book.tidy(20.0)
    for key in (b"b", b"c", b"d"):
        book.note(Scope.HOST, key, Offence.RUBBISH, 20.0)
    assert book.size(Scope.HOST) == 3
    assert [book.count(Scope.HOST, key, Offence.RUBBISH, 20.0) for key in (b"b", b"c", b"d")] == [1, 1, 1]


@pytest.mark.slow
def test_however_many_sources_take_less_than_64_mib() -> None:
    book = Ledger(WINDOWS)
    tracemalloc.start()
    try:
        for number in range(3 * BOUNDS[Scope.HOST]):
            book.note(Scope.HOST, number.to_bytes(4, "big"), Offence.WRONG_PASSWORD, 1.0, mark(number))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert book.size(Scope.HOST) == BOUNDS[Scope.HOST]
    assert used < 64 * 1024 * 1024
