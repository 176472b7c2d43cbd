"""The accounts database: one SQLite file, brought up to date when it is opened.

SQLAlchemy Core speaks to it; alembic changes its form. Readers never wait (write-ahead log), a
writer takes its turn at BEGIN, and a commit is on disk when it returns.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from gatepost.store.migrations import REVISIONS

_BUSY_SECONDS: Final = 5.0
_MIGRATIONS: Final = Path(__file__).with_name("migrations")


class DatabaseError(Exception):
    """The database cannot be used; the text says which one, why, and what to do."""


class DatabaseTooNew(DatabaseError):
    """A newer Gatepost has changed the database's form; this one would misread it."""


class Database:
    """An open database. `reading()` and `writing()` give connections; `version()` tells changes.

    Made by `Database.open`. Connections are made per thread and kept.
    """

    def __init__(self, path: Path, engine: Engine, watch: sqlite3.Connection) -> None:
        self._path = path
        self._engine = engine
        self._watch = watch

    @classmethod
    def open(cls, path: Path) -> Self:
        """The database at `path` is there, in its present form, readable by its owner alone.

        Of two processes that open it at once, one changes its form and the other waits for it.

        Raises:
            DatabaseTooNew: a newer Gatepost has been here.
            DatabaseError: no access, no database, or damaged.
        """
        engine = _engine(path)
        try:
            if not path.exists() or _revision(engine, path) != REVISIONS[-1]:
                with _alone(path):
                    _create(path)
                    _migrate(engine, path)
            watch = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
            return cls(path, engine, watch)
        except (OSError, sqlite3.Error, DBAPIError) as error:
            engine.dispose()
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise DatabaseError(
                f"{path}: {cause}; see that the folder and file belong to Gatepost"
            ) from error
        except DatabaseError:
            engine.dispose()
            raise

    def close(self) -> None:
        """No connection is left."""
        self._watch.close()
        self._engine.dispose()

    def version(self) -> int:
        """A number that differs after any commit by anyone, this process included.

        Costs two microseconds: it looks at the shared memory of the write-ahead log only.

        Raises:
            DatabaseError: the file cannot be read.
        """
        try:
            row: tuple[int] = self._watch.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise DatabaseError(f"{self._path}: {error}") from error
        return row[0]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database until it is left."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is on disk afterwards, or, after an exception, none."""
        with self._engine.connect() as connection:
            connection = connection.execution_options(gatepost_writes=True)
            with connection.begin():
                yield connection


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=4,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions late and commit before DDL; SQLAlchemy says BEGIN itself.
    connection.isolation_level = None
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a writer waits for its turn here, where waiting works, not at its first change.
    writes = connection.get_execution_options().get("gatepost_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process is in here with the same database."""
    # A file of its own: closing another descriptor of the database would drop SQLite's own locks.
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _create(path: Path) -> None:
    """The file is there, its owner's alone, with a write-ahead log."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if os.geteuid() == 0:  # made by root's command line for the service that owns the folder
            owner = path.parent.stat()
            for name in (path, path.with_name(f"{path.name}.lock")):
                os.chown(name, owner.st_uid, owner.st_gid)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    finally:
        connection.close()


def _revision(engine: Engine, path: Path) -> str | None:
    """The form the database has; None for an empty one."""
    with engine.connect() as connection:
        tables = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            if "users" in tables:
                raise DatabaseError(f"{path}: not an accounts database of Gatepost; move it away")
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        raise DatabaseTooNew(
            f"{path}: written by a newer Gatepost (form {found}, this one knows {REVISIONS[-1]}); "
            "run that version, or restore the copy made before the update"
        )
    return str(found) if found is not None else None


def _migrate(engine: Engine, path: Path) -> None:
    """The database has its present form; all steps are one transaction."""
    if _revision(engine, path) == REVISIONS[-1]:
        return  # another process was faster
    # Loaded here: a command line that finds the database up to date starts 0.2 s sooner.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        connection = connection.execution_options(gatepost_writes=True)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
