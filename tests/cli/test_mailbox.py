"""mailbox list, show, import and export."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Terminal
from gatepost.cli import progress
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.mailimport import Progress

FROM = b"From x@example.org Thu Jan  1 00:00:00 2004\n"


def letter(number: int) -> bytes:
    return b"From: x@example.org\nSubject: %d\n\nbody of %d\n>From here\n" % (number, number)


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    file = tmp_path / "old.mbox"
    file.write_bytes(b"".join(FROM + letter(number) + b"\n" for number in range(300)))
    return file


@pytest.fixture
def boxes(house: Path) -> Mailboxes:
    return Mailboxes(house / "state" / "mail", "mail.example.org")


def test_an_mbox_is_imported_once_however_often_it_is_asked_for(terminal: Terminal, mbox: Path) -> None:
    said = terminal("mailbox", "import", "ann", str(mbox))
    assert (said.code, said.out) == (0, "ann@example.org: 300 messages imported\n")
    lines = said.err.splitlines()
    assert lines[-1] == "ann@example.org: 100 %, 300 messages"
    assert len(lines) > 1
    again = terminal("mailbox", "import", "ann", str(mbox))
    assert again.out == "ann@example.org: 0 messages imported, 300 were there already\n"
    row = terminal("mailbox", "show", "ann", "--json").json
    assert row["messages"] == 300
    assert row["oldest"] == row["newest"] == "2004-01-01T00:00:00+00:00"


def test_what_was_collected_comes_back_only_when_asked_for(
    terminal: Terminal, mbox: Path, boxes: Mailboxes
) -> None:
    terminal("mailbox", "import", "ann", str(mbox))
    with boxes.open("ann@example.org") as session:
        session.expunge(range(100))
    assert "0 messages imported, 300" in terminal("mailbox", "import", "ann", str(mbox)).out
    assert "100 messages imported, 200" in terminal("mailbox", "import", "ann", str(mbox), "--again").out


def test_what_is_exported_can_be_imported_again(terminal: Terminal, mbox: Path, tmp_path: Path) -> None:
    terminal("mailbox", "import", "ann", str(mbox))
    target = tmp_path / "out.mbox"
    said = terminal("mailbox", "export", "ann", str(target))
    assert (said.code, said.out) == (0, "ann@example.org: 300 messages exported\n")
    assert target.stat().st_mode & 0o777 == 0o600
    written = mailbox.mbox(target)
    assert len(written) == 300
    written.close()
    assert "300 messages imported" in terminal("mailbox", "import", "bob", str(target)).out
    assert "0 messages imported, 300" in terminal("mailbox", "import", "ann", str(target)).out


def test_a_maildir_goes_out_and_in_with_its_flags(terminal: Terminal, mbox: Path, tmp_path: Path) -> None:
    source = mailbox.Maildir(tmp_path / "source")
    for number, flags in enumerate(("", "S", "RS", "F")):
        message = mailbox.MaildirMessage(letter(number))
        message.set_flags(flags)
        message.set_subdir("cur" if flags else "new")
        source.add(message)
    (tmp_path / "source" / ".Sent" / "cur").mkdir(parents=True)
    said = terminal("mailbox", "import", "ann", str(tmp_path / "source"))
    assert said.out == "ann@example.org: 4 messages imported\n"
    assert "not imported, each is a Maildir of its own: Sent" in said.err
    target = tmp_path / "target"
    assert terminal("mailbox", "export", "ann", str(target), "--maildir").code == 0
    out = mailbox.Maildir(target, create=False)
    assert sorted(message.get_flags() for message in out) == ["", "F", "RS", "S"]
    again = terminal("mailbox", "export", "ann", str(target), "--maildir")
    assert again.out == "ann@example.org: 0 messages exported, 4 were there already\n"


def test_list_and_show(terminal: Terminal, mbox: Path) -> None:
    terminal("mailbox", "import", "ann", str(mbox))
    terminal("user", "quota", "ann", "100000")
    rows = terminal("mailbox", "list", "--json").json
    ann = next(row for row in rows if row["account"] == "ann@example.org")
    assert ann["messages"] == 300
    assert ann["quota_bytes"] == 100_000
    assert {row["account"] for row in rows} >= {"ann@example.org", "bob@example.org"}
    assert "ann@example.org\t300\t" in terminal("mailbox", "list").out
    shown = terminal("mailbox", "show", "ann@example.org")
    assert " of 100.0 kB" in shown.out
    assert terminal("mailbox", "show", "bob", "--json").json["newest"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nobody"), 3, "nobody has no mailbox"),
        (("import", "nobody", "MBOX"), 3, "--create makes the mailbox"),
        (("import", "ann", "GONE"), 1, "is not there"),
        (("import", "ann", "FOLDER"), 1, "holds no cur and new"),
        (("import", "ann", "JUNK"), 1, "an mbox begins with a From line"),
        (("export", "ann", "MBOX"), 2, "is there already"),
        (("export", "ann", "FOLDER"), 2, "is a folder"),
        (("export", "ann", "JUNK", "--maildir"), 2, "is no Maildir"),
        (("export", "ann", "GONE/deep"), 1, "No such file"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    terminal: Terminal, tmp_path: Path, mbox: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "junk").write_bytes(b"PK\x03\x04 no mbox\n")
    places = {
        "MBOX": mbox,
        "GONE": tmp_path / "gone",
        "FOLDER": tmp_path / "folder",
        "JUNK": tmp_path / "junk",
    }
    named = [
        str(places[first] / rest if rest else places[first]) if first in places else argument
        for argument in arguments
        for first, _, rest in [argument.partition("/")]
    ]
    said = terminal("mailbox", *named)
    assert said.code == code
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.glob(".*.part"))


def test_a_mailbox_without_a_user_can_be_made(terminal: Terminal, mbox: Path) -> None:
    assert terminal("mailbox", "import", "Zoe@example.org", str(mbox), "--create").code == 0
    row = terminal("mailbox", "show", "zoe", "--json").json
    assert (row["account"], row["messages"], row["has_user"]) == ("zoe@example.org", 300, False)


def test_who_collects_at_the_moment_keeps_the_export_waiting(
    terminal: Terminal, boxes: Mailboxes, tmp_path: Path
) -> None:
    with boxes.open("ann@example.org"):
        said = terminal("mailbox", "export", "ann", str(tmp_path / "out"))
    assert said.code == 1
    assert "somebody is collecting" in said.err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_keeps_what_is_in_and_says_how_to_go_on(
    terminal: Terminal, mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatepost.store import mailboxes
    from gatepost.store.disk import Disk

    class Small(Disk):
        """Has room for so many messages; the record of the import is not counted."""

        left = 200

        def write(self, fd: int, buffers: Any) -> int:
            if any(b"Subject" in bytes(part) for part in buffers):
                self.left -= 1
                if self.left < 0:
                    raise OSError(28, "No space left on device")
            return super().write(fd, buffers)

    with monkeypatch.context() as patch:
        patch.setattr(mailboxes, "Disk", Small)
        said = terminal("mailbox", "import", "ann", str(mbox))
    assert said.code == 1
    assert "the disk is full: " in said.err
    first = int(said.err.split("the disk is full: ")[1].split()[0])
    assert first == 200
    assert len(said.err.splitlines()) <= 3
    again = terminal("mailbox", "import", "ann", str(mbox))
    assert again.out == f"ann@example.org: {300 - first} messages imported, {first} were there already\n"


class Screen:
    """Standard error as a terminal."""

    def __init__(self) -> None:
        self.text = ""
        self.encoding = "utf-8"

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def steps() -> Iterator[Progress]:
    for done in range(0, 101, 10):
        yield Progress(done, 100, added=done * 5)


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    assert progress.shown(steps(), "ann@example.org").added == 500
    assert "ann@example.org" in screen.text
    assert "100%" in screen.text
    assert "500 messages" in screen.text
