"""The console's file: one of an earlier version is taken over as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gatepost.store import consoledb
from gatepost.store.consoledb import ConsoleStore, SessionRow

_ROW = SessionRow(b"1", "ann", True, "whole", 1.0, 2.0, 3.0, "127.0.0.1", "word")


def test_sessions_of_the_first_version_go_on(tmp_path: Path) -> None:
    file = tmp_path / "console.sqlite3"
    database = sqlite3.connect(file)
    database.executescript(f"{consoledb._TABLES}; PRAGMA user_version = 1")
    database.execute("INSERT INTO session VALUES (?,?,?,?,?,?,?,?,?,?)", (b"1", "ann", 1, "whole", 1.0, 2.0,
                     3.0, "127.0.0.1", "word", 0))  # fmt: skip
    database.commit()
    database.close()
    store = ConsoleStore(file)
    assert store.sessions() == [_ROW]
    assert store.draft("ann", changed_since=0) is None


def test_a_voucher_is_kept_with_its_session(tmp_path: Path) -> None:
    store = ConsoleStore(tmp_path / "console.sqlite3")
    row = SessionRow(b"1", "openid:ann", False, "whole", 1.0, 2.0, 3.0, "", "word", voucher="{}")
    store.keep(row)
    assert store.session(b"1") == row
