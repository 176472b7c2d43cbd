"""The accounts database is opened by several processes, and by old and new versions."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from gatepost.store import migrations, tables
from gatepost.store.database import Database, DatabaseError, DatabaseTooNew

_GROUP = text("INSERT INTO groups (key, name) VALUES (:name, :name)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(path)
    yield database
    database.close()


def test_only_its_owner_can_read_it(database: Database, path: Path) -> None:
    with database.writing() as connection:
        connection.execute(_GROUP, {"name": "a"})
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []


def test_the_list_of_revisions_is_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == migrations.REVISIONS


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    for name in ("a", "b"):
        database = Database.open(path)
        with database.writing() as connection:
            connection.execute(_GROUP, {"name": name})
        database.close()
    database = Database.open(path)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM groups")).scalar() == 2
    database.close()


def test_after_an_exception_nothing_is_there(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(_GROUP, {"name": "a"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM groups")).scalar() == 0


def test_the_version_differs_after_a_commit_here_or_elsewhere(database: Database, path: Path) -> None:
    first = database.version()
    assert database.version() == first
    with database.writing() as connection:
        connection.execute(_GROUP, {"name": "a"})
    second = database.version()
    assert second != first
    other = Database.open(path)
    with other.writing() as connection:
        connection.execute(_GROUP, {"name": "b"})
    other.close()
    assert database.version() != second


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writing:
        writing.execute(_GROUP, {"name": "a"})
        with database.reading() as reading:
            assert reading.execute(text("SELECT count(*) FROM groups")).scalar() == 0


def test_a_newer_database_is_refused_untouched(database: Database, path: Path) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseTooNew, match=r"newer Gatepost \(form 9999.*run that version"):
        Database.open(path)
    found = sqlite3.connect(path)
    assert found.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    found.close()


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("Dear postmaster,\n" * 100)
    with pytest.raises(DatabaseError, match=r"accounts\.sqlite3: file is not a database"):
        Database.open(path)
    assert path.read_text().startswith("Dear postmaster")


def test_a_foreign_database_is_refused(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (id)")
    connection.close()
    with pytest.raises(DatabaseError, match="not an accounts database"):
        Database.open(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="nowhere"):
        Database.open(tmp_path / "nowhere" / "accounts.sqlite3")


def test_a_half_done_migration_is_undone(path: Path) -> None:
    """Whatever stops it, the database is as it was before."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE aliases (x)")  # the migration will stumble over it
    connection.close()
    with pytest.raises(DatabaseError, match="already exists"):
        Database.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("aliases",)]
    connection.execute("DROP TABLE aliases")
    connection.close()
    Database.open(path).close()


def test_of_processes_that_open_it_at_once_all_find_it_made(path: Path) -> None:
    program = (
        "import sys, pathlib; from gatepost.store.database import Database;"
        "d = Database.open(pathlib.Path(sys.argv[1])); d.version(); d.close(); print('fine')"
    )
    several = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(4)
    ]
    assert [process.communicate()[0] for process in several] == [b"fine\n"] * 4
