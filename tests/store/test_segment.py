"""The forms on the disk: records, outcomes, states, indexes; and the schedule."""

from __future__ import annotations

import tempfile
from pathlib import Path
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.disk import Disk
from gatepost.store.index import Index, moved_messages, read_index, write_index
from gatepost.store.outcomes import Frame, OutcomeFile, append_frames, frames
from gatepost.store.record import Damage, Key, Record, file_header, record_head, scan
from gatepost.store.schedule import Schedule
from gatepost.store.state import State, decode_due, decode_state, encode_state

KEY = Key(b"\x81abc", 0x12345678)


def _record(number: int, content: bytes, top: bytes = b"top") -> bytes:
    head = record_head(KEY, number, 0, b"envelope", top, b"", crc32(content), len(content))
    return head + content


_contents = st.lists(st.binary(max_size=200), min_size=1, max_size=8)


@given(_contents)
def test_a_scan_finds_every_record_in_order(contents: list[bytes]) -> None:
    data = file_header(1, KEY) + b"".join(_record(n, content) for n, content in enumerate(contents))
    found = list(scan(data, KEY))
    assert [record.id for record in found if isinstance(record, Record)] == list(range(len(contents)))
    for record, content in zip(found, contents, strict=True):
        assert isinstance(record, Record)
        assert data[record.at + record.head_size : record.at + record.size] == content
        assert record.top(data[record.at :]) == b"top"


@given(_contents, st.data())
def test_one_changed_byte_costs_one_record(contents: list[bytes], data: st.DataObject) -> None:
    header = file_header(1, KEY)
    whole = header + b"".join(_record(n, content) for n, content in enumerate(contents))
    at = data.draw(st.integers(len(header), len(whole) - 1))
    damaged = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    found = list(scan(damaged, KEY))
    assert len([one for one in found if isinstance(one, Record)]) == len(contents) - 1
    (damage,) = [one for one in found if isinstance(one, Damage)]
    assert damage.start <= at < damage.end


@given(_contents, st.data())
def test_a_cut_off_file_keeps_the_records_before_the_cut(contents: list[bytes], data: st.DataObject) -> None:
    records = [_record(n, content) for n, content in enumerate(contents)]
    whole = file_header(1, KEY) + b"".join(records)
    cut = data.draw(st.integers(24, len(whole) - 1))
    found = list(scan(whole[:cut], KEY))
    at, kept = 24, 0
    while kept < len(records) and at + len(records[kept]) <= cut:
        at += len(records[kept])
        kept += 1
    assert len([one for one in found if isinstance(one, Record)]) == kept
    if at < cut:
        assert found[-1] == Damage(at, cut, is_tail=True, is_torn=True)


@given(st.binary(max_size=300))
def test_rubbish_is_never_a_record(data: bytes) -> None:
    assert not [one for one in scan(file_header(1, KEY) + data, KEY) if isinstance(one, Record)]


_texts = st.text(max_size=40)
_outcomes = st.builds(
    Outcome,
    st.just(0),
    st.just(Disposition.DEFERRED),
    st.integers(0, 999),
    _texts,
    _texts,
    st.one_of(st.none(), st.text(min_size=1, max_size=20)),
)


@st.composite
def _states(draw: st.DrawFn) -> State:
    remaining = draw(st.lists(st.integers(0, 1000), unique=True, max_size=6))
    tried = [index for index in remaining if draw(st.booleans())]
    errors = []
    for index in tried:
        error = draw(_outcomes)
        errors.append(Outcome(index, error.disposition, error.code, error.enhanced, error.text, error.host))
    return State(
        tuple(remaining),
        draw(st.floats(0, 4e9)),
        draw(st.integers(0, 1000)),
        draw(st.booleans()),
        draw(st.booleans()),
        tuple(errors),
    )


@given(_states())
def test_a_state_comes_back_as_it_was(state: State) -> None:
    data = encode_state(state)
    assert decode_state(data) == state
    assert decode_due(b"xx" + data, 2) == (None if state.held else state.retry_at)


def test_an_error_that_all_recipients_share_is_kept_once() -> None:
    def size(count: int) -> int:
        errors = tuple(Outcome(n, Disposition.DEFERRED, 450, "4.2.0", "x" * 400) for n in range(count))
        return len(encode_state(State(tuple(range(count)), errors=errors)))

    assert size(100) - size(1) == 99 * 4


@given(
    st.lists(st.tuples(st.integers(24, 4000), st.one_of(st.none(), _states()), st.booleans()), max_size=12)
)
def test_outcomes_are_known_before_and_after_they_are_written(
    steps: list[tuple[int, State | None, bool]],
) -> None:
    """None is done; True writes what waits."""
    with tempfile.TemporaryDirectory() as name:
        file = OutcomeFile(Path(name), 1, KEY)
        known: dict[int, State | None] = {}
        for offset, state, is_written in steps:
            if known.get(offset, state) is None and offset in known:
                continue  # done is final
            known[offset] = state
            if state is None:
                file.done(offset)
            else:
                file.state(offset, state)
            if is_written:
                waiting = file.pending()
                append_frames(Disk(), file.path, waiting, file.size)
                file.written(waiting)
        positions = file.load_positions()
        assert positions.keys() == known.keys()
        for offset, state in known.items():
            if state is None:
                assert positions[offset] == 0
            else:
                with open(file.path, "ab+") as opened:
                    assert file.read_state(opened.fileno(), positions[offset]) == state


def test_a_damaged_frame_does_not_hide_the_next(tmp_path: Path) -> None:
    file = OutcomeFile(tmp_path, 1, KEY)
    for offset in (24, 100, 200):
        file.done(offset)
        waiting = file.pending()
        append_frames(Disk(), file.path, waiting, file.size)
        file.written(waiting)
    data = bytearray(file.path.read_bytes())
    data[24 + 17 + 14] ^= 1
    found = list(frames(bytes(data), KEY))
    assert [type(one) for one in found] == [Frame, Damage, Frame]


def test_an_index_of_another_segment_size_is_not_believed(tmp_path: Path) -> None:
    index = Index()
    index.add(77, 24, 500)
    index.add(78, 524, 600)
    index.add_moved(524, 3 << 32 | 24, 12.5, held=False)
    path = tmp_path / "1.idx"
    write_index(Disk(), path, index, KEY, 1124)
    assert read_index(path, 1125) is None
    again = read_index(path, 1124)
    assert again is not None
    assert (list(again.ids), list(again.offsets), list(again.sizes)) == ([77, 78], [24, 524], [500, 600])
    due = moved_messages(again)[524]
    assert (due.origin, due.when) == (3 << 32 | 24, 12.5)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1 << 60)), max_size=60), st.integers(1, 7))
def test_the_schedule_gives_everything_once_in_time_and_never_early(
    entries: list[tuple[float, int]], limit: int
) -> None:
    schedule = Schedule()
    for number, (due, place) in enumerate(entries):
        schedule.add(due, place, number)
    taken: list[int] = []
    for now in range(102):
        while schedule.is_due(now):
            pairs = schedule.take(now, limit)
            assert 0 < len(pairs) <= 2 * limit
            for number in pairs[1::2]:
                assert entries[number][0] <= now <= entries[number][0] + 1
                taken.append(number)
    assert sorted(taken) == list(range(len(entries)))
    assert schedule.next_due() is None
