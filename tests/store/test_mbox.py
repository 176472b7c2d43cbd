"""Old mail comes in and goes out whole: every message once, however often one tries."""

from __future__ import annotations

import io
import mailbox as standard
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.pop3 import content
from gatepost.store import maildir, mbox
from gatepost.store.disk import Disk
from gatepost.store.maildelivery import Postman, Undelivered
from gatepost.store.mailimport import Importer, ImportRunning, ImportStopped, Progress, export_mbox
from gatepost.store.usages import Usages

FROM = b"From ann@example.org Thu Jan  1 00:00:01 2004\n"
SMALL = (
    FROM + b"Subject: one\n\nfirst\n\n" + FROM + b"Subject: two\nStatus: RO\n\n>From here\n>>From there\n\n"
)


def postman(disk: Disk | None = None) -> Postman:
    return Postman("h", Usages(lambda: 0.0), disk=disk, report=lambda event, /, **fields: None)


def read(data: bytes) -> list[bytes]:
    return [message.content for message in mbox.messages(io.BytesIO(data))]


def bring(target: Path, data: bytes, tmp_path: Path) -> Progress:
    source = tmp_path / "in.mbox"
    source.write_bytes(data)
    with source.open("rb") as file:
        return list(Importer(target, postman()).from_mbox(file))[-1]


def held(target: Path) -> list[bytes]:
    with maildir.open_session(target) as session:
        return [session.content(index) for index in range(len(session))]


def test_messages_are_parted_and_unquoted() -> None:
    assert read(SMALL) == [
        b"Subject: one\n\nfirst\n",
        b"Subject: two\nStatus: RO\n\nFrom here\n>From there\n",
    ]


def test_times_and_flags_are_read() -> None:
    one, two = mbox.messages(io.BytesIO(SMALL))
    assert one.came_at == two.came_at == 1_072_915_201.0
    assert (one.flags, two.flags) == ("", "S")
    assert two.end == len(SMALL)


def test_crlf_files_are_read() -> None:
    assert read(SMALL.replace(b"\n", b"\r\n"))[0] == b"Subject: one\r\n\r\nfirst\r\n"


@pytest.mark.parametrize("line", [b"From the desk of Ann\n", b"From 12:00 on\n", b"From x y z\n"])
def test_a_line_of_text_does_not_part_messages(line: bytes) -> None:
    message = b"Subject: one\n\nfirst\n\n" + line + b"more\n"
    assert read(FROM + message + b"\n" + FROM + b"Subject: two\n\n") == [message, b"Subject: two\n"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_the_last_message_may_end_anyhow(end: bytes) -> None:
    assert read(FROM + b"Subject: one\n\nlast" + end)[0].rstrip(b"\n") == b"Subject: one\n\nlast"


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\n"])
def test_an_empty_file_has_no_messages(data: bytes) -> None:
    assert read(data) == []


@pytest.mark.parametrize("data", [b"Subject: x\n\n", b"\x00\x01", b"PK\x03\x04", b"from x"])
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    with pytest.raises(mbox.MboxError, match="byte 0"):
        read(data)


def test_from_lines_without_a_date_part_where_all_are_so() -> None:
    assert read(b"From ann\nA: b\n\nx\n\nFrom bob\nC: d\n\ny\n") == [b"A: b\n\nx\n", b"C: d\n\ny\n"]


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) - len(FROM) - 3, 3_000_000])
def test_lines_of_a_megabyte_and_more_come_whole(size: int) -> None:
    messages = [b"Subject: big\n\n" + b"x" * size + b"\n", b"Subject: small\n\nend\n"] * 3
    assert read(b"".join(mbox.record(message, 0) for message in messages)) == messages


TEXT = st.lists(
    st.sampled_from([b"From ", b">From ", b"x", b"\n", b"\n\n", FROM, b"\r\n", b">>"]), max_size=20
)


@given(st.lists(TEXT.map(b"".join), max_size=5))
@settings(deadline=None)
def test_what_is_written_is_read_again(bodies: list[bytes]) -> None:
    messages = [b"Subject: x\n\n" + body.replace(b"\r\n", b"\n") for body in bodies]
    ended = [message if message.endswith(b"\n") else message + b"\n" for message in messages]
    data = b"".join(mbox.record(message, 1.5e9) for message in messages)
    assert read(data) == ended


@given(st.lists(TEXT.map(b"".join), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_the_interpreters_own_reader_agrees(bodies: list[bytes]) -> None:
    data = b"".join(mbox.record(b"Subject: x\n\n" + body, 1.5e9) for body in bodies)
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"gatepost-{os.getpid()}.mbox"
    path.write_bytes(data)
    try:
        other = standard.mbox(path, create=False)
        assert len(other) == len(read(data))
        other.close()
    finally:
        path.unlink()


@given(st.binary(max_size=300))
def test_rubbish_is_refused_or_read(data: bytes) -> None:
    assert b"".join(read(b"From x\n" + data)).count(b"\0") == data.count(b"\0")


def test_an_import_repeated_adds_nothing(tmp_path: Path) -> None:
    twins = SMALL + SMALL
    first = bring(tmp_path / "a", twins, tmp_path)
    assert (first.added, first.skipped, first.done, first.total) == (4, 0, len(twins), len(twins))
    second = bring(tmp_path / "a", twins, tmp_path)
    assert (second.added, second.skipped) == (0, 4)
    assert len(held(tmp_path / "a")) == 4


def test_what_was_collected_meanwhile_does_not_come_again(tmp_path: Path) -> None:
    bring(tmp_path / "a", SMALL, tmp_path)
    with maildir.open_session(tmp_path / "a") as session:
        session.expunge((0, 1))
    assert bring(tmp_path / "a", SMALL, tmp_path).skipped == 2
    Importer(tmp_path / "a", postman()).forget()
    assert bring(tmp_path / "a", SMALL, tmp_path).added == 2


def test_an_import_cut_before_its_record_adds_nothing_twice(tmp_path: Path) -> None:
    bring(tmp_path / "a", SMALL, tmp_path)
    (tmp_path / "a" / "gatepost-imported").write_bytes(b"\ngarb")
    assert bring(tmp_path / "a", SMALL, tmp_path).skipped == 2


def test_an_interrupted_import_goes_on_where_it_was(tmp_path: Path) -> None:
    data = b"".join(mbox.record(b"Subject: %d\n\n" % n, n) for n in range(500))
    source = tmp_path / "in.mbox"
    source.write_bytes(data)
    with source.open("rb") as file:
        steps = Importer(tmp_path / "a", postman()).from_mbox(file)
        assert isinstance(steps, Iterator)
        done = next(steps)
        assert 0 < done.added < 500
        with source.open("rb") as other, pytest.raises(ImportRunning):
            next(Importer(tmp_path / "a", postman()).from_mbox(other))
        steps.close()  # type: ignore[attr-defined]
    after = bring(tmp_path / "a", data, tmp_path)
    assert (after.added, after.skipped) == (500 - done.added, done.added)
    assert sorted(held(tmp_path / "a")) == sorted(b"Subject: %d\n\n" % n for n in range(500))


def test_a_full_disk_stops_it_and_says_how_far_it_came(tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, fd: int, buffers: object) -> int:
            raise OSError(28, "No space left on device")

    source = tmp_path / "in.mbox"
    source.write_bytes(SMALL)
    with source.open("rb") as file, pytest.raises(ImportStopped) as stopped:
        list(Importer(tmp_path / "a", postman(Full())).from_mbox(file))
    assert stopped.value.why is Undelivered.DISK_FULL
    assert stopped.value.progress.added == 0
    assert held(tmp_path / "a") == []


def test_out_and_in_again_is_the_same(tmp_path: Path) -> None:
    messages = [
        b"Subject: x\n\nFrom me\n>From you\n",
        b"Subject: no end\n\nend",
        b"",
        b"\n",
        b"a\rb\r\n\r\nc\r\n",
    ]
    bring(tmp_path / "a", b"".join(mbox.record(message, 5) for message in messages), tmp_path)
    out = tmp_path / "out.mbox"
    with maildir.open_session(tmp_path / "a") as session, out.open("wb") as file:
        assert list(export_mbox(session, file))[-1].added == len(messages)
    bring(tmp_path / "b", out.read_bytes(), tmp_path)
    assert held(tmp_path / "a") == held(tmp_path / "b")
    assert content.crlf(held(tmp_path / "a")[4]) == b"a\rb\r\n\r\nc\r\n"


def test_a_maildir_comes_in_with_flags_and_times(tmp_path: Path) -> None:
    source = tmp_path / "old"
    for folder in ("new", "cur", "tmp"):
        (source / folder).mkdir(parents=True)
    (source / "cur" / "1.a.h:2,RS").write_bytes(b"Subject: read\r\n\r\n" + b"x" * 1_000_000)
    os.utime(source / "cur" / "1.a.h:2,RS", (1e9, 1e9))
    (source / "new" / "2.b.h").write_bytes(b"Subject: new\n\n")
    (source / "new" / "folder").mkdir()
    (source / "new" / ".dot").write_bytes(b"x")
    steps = list(Importer(tmp_path / "a", postman()).from_maildir(source))
    assert steps[-1] == Progress(3, 3, added=2, skipped=0, unread=1)
    (read_one,) = (tmp_path / "a" / "cur").iterdir()
    assert read_one.name.endswith(":2,RS")
    assert read_one.stat().st_mtime == 1e9
    assert len(os.listdir(tmp_path / "a" / "new")) == 1
    assert list(Importer(tmp_path / "a", postman()).from_maildir(source))[-1].added == 0
    # And out again: an export is an import into another Maildir.
    list(Importer(tmp_path / "b", postman()).from_maildir(tmp_path / "a"))
    assert held(tmp_path / "b") == held(tmp_path / "a")
