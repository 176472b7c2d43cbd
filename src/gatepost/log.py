"""The log: one event a line, a name and its fields.

Own code rather than structlog: a session writes several lines, a message must not cost more than
ten microseconds in all for its lines, and one structlog line through its processor chain takes
that much alone. What is needed is small: four levels, two forms, escaping, a buffer.

What a peer sent goes through `_quoted`, so that it can neither end a line, nor move a terminal's
cursor, nor pretend to be another field. A `Secret` prints as `***` by its own nature.

The buffer belongs to the thread that made the writer; a line from another one is written at once.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable
from enum import Enum, IntEnum
from threading import get_ident
from typing import Final

_VALUE_LIMIT: Final = 1_000
_PIPE_BYTES: Final = 4_096  # POSIX PIPE_BUF on Linux: writes up to it are not torn between processes
_FILE_BYTES: Final = 65_536
_LINES_HELD: Final = 256

Clock = Callable[[], float]
Ear = Callable[[str, dict[str, object]], None]
Schedule = Callable[[Callable[[], None]], object]


_WORD: Final = re.compile(r"[!#-~]{1,1000}").fullmatch


class Level(IntEnum):
    """How much a line matters. Lines of `WARNING` and above leave the buffer at once."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Form(Enum):
    """How a line is written: `plain` for eyes and grep, `json` for programs."""

    PLAIN = "plain"
    JSON = "json"


class LogWriter:
    """Collects lines and writes them in batches to a file descriptor.

    Without a `schedule` each line is written at once. With one (`loop.call_soon`, or
    `partial(loop.call_later, 0.05)` for larger batches) it is called once when the first line of a
    batch comes, and flushes. A reader that has gone away costs lines (`lost` counts them), never
    the service.
    """

    __slots__ = ("_descriptor", "_lines", "_schedule", "_thread", "_write_bytes", "lost")

    def __init__(self, descriptor: int, schedule: Schedule | None = None) -> None:
        self._descriptor = descriptor
        self._schedule = schedule
        self._lines: list[str] = []
        self._thread = get_ident()
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        self._write_bytes = _PIPE_BYTES if is_pipe else _FILE_BYTES
        self.lost = 0

    def attach(self, schedule: Schedule | None) -> None:
        """From now on batches are flushed by `schedule`, from the calling thread."""
        self.flush()
        self._schedule = schedule
        self._thread = get_ident()

    def add(self, line: str, *, at_once: bool) -> None:
        """The line stands in the buffer, or in the file when it may not wait."""
        if get_ident() != self._thread:  # the buffer is one thread's alone
            self._write(_encoded([line]), 1)
            return
        self._lines.append(line)
        if at_once or self._schedule is None or len(self._lines) >= _LINES_HELD:
            self.flush()
        elif len(self._lines) == 1:
            self._schedule(self.flush)

    def flush(self) -> None:
        """Everything in the buffer is written, or counted in `lost`."""
        lines, self._lines = self._lines, []
        content = _encoded(lines)
        if len(content) <= self._write_bytes:
            self._write(content, len(lines))
        else:
            for line in lines:
                self._write(_encoded([line]), 1)

    def _write(self, content: bytes, lines: int) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self.lost += lines


def _encoded(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "backslashreplace")


class Log:
    """Writes events to a `LogWriter`. `bind` gives one that adds fields to every line."""

    __slots__ = (
        "_bound",
        "_clock",
        "_form",
        "_hear",
        "_level",
        "_render",
        "_second",
        "_stamp",
        "_threshold",
        "_writer",
    )

    def __init__(
        self,
        writer: LogWriter,
        *,
        level: Level = Level.INFO,
        form: Form = Form.PLAIN,
        clock: Clock = time.time,
        hear: Ear | None = None,
    ) -> None:
        """`hear` is told every event, also those that are less than `level`."""
        self._writer = writer
        self._hear = hear
        self._level = level
        self._form = form
        self._threshold = int(level)  # a plain int: comparing enums would cost more than the lookup
        self._render = _plain if form is Form.PLAIN else _json
        self._clock = clock
        self._bound: dict[str, object] = {}
        self._second = -1
        self._stamp = ""

    def bind(self, **fields: object) -> Log:
        """A log whose lines all carry `fields` too, through the same writer."""
        log = Log(self._writer, level=self._level, form=self._form, clock=self._clock, hear=self._hear)
        log._bound = self._bound | fields
        return log

    def change(self, level: Level, form: Form) -> None:
        """Lines from now on are of this level and form; logs that were bound before stay as they are."""
        self._level, self._form, self._threshold = level, form, int(level)
        self._render = _plain if form is Form.PLAIN else _json

    def debug(self, name: str, /, **fields: object) -> None:
        if self._threshold <= 10:
            self._write("debug", name, fields)

    def event(self, name: str, /, **fields: object) -> None:
        """One line at level INFO. `name` is ours (`session-closed`), field values may be anyone's.

        The fields `time`, `level` and `event` belong to the line itself and are not to be given.
        """
        if self._hear is not None:
            self._hear(name, fields)
        if self._threshold <= 20:
            self._write("info", name, fields)

    def warning(self, name: str, /, **fields: object) -> None:
        if self._hear is not None:
            self._hear(name, fields)
        if self._threshold <= 30:
            self._write("warning", name, fields, at_once=True)

    def error(self, name: str, /, **fields: object) -> None:
        self._write("error", name, fields, at_once=True)

    def flush(self) -> None:
        self._writer.flush()

    def _write(self, level: str, name: str, fields: dict[str, object], *, at_once: bool = False) -> None:
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._new_second(second)
        milliseconds = int((now - second) * 1000)
        if self._bound:
            fields = self._bound | fields
        line = self._render(f"{self._stamp}.{milliseconds:03d}Z", level, name, fields)
        self._writer.add(line, at_once=at_once)

    def _new_second(self, second: int) -> None:
        """The stamp is RFC 3339, UTC; formatted once a second."""
        self._second = second
        self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _plain(at: str, level: str, name: str, fields: dict[str, object]) -> str:
    line = f"{at} {level} {name}"
    for key, value in fields.items():
        if value is None:
            continue
        kind = type(value)
        if kind is int or kind is float:
            line += f" {key}={value}"
            continue
        text = value if type(value) is str else _text(value)
        # Nearly every value is one plain ASCII word; everything else is quoted.
        line += f" {key}={text}" if _WORD(text) else f" {key}={_quoted(text)}"
    return line + "\n"


def _text(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def _quoted(text: str) -> str:
    """The text in double quotes on one line, nothing unprintable in it, cut at 1,000 characters."""
    cut = len(text) - _VALUE_LIMIT
    text = text[:_VALUE_LIMIT].replace("\\", "\\\\").replace('"', '\\"')
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f'"{text}"' if cut <= 0 else f'"{text}"+{cut}'


# ASCII output: control characters, line separators and lone surrogates are all escaped.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_text)


def _json(at: str, level: str, name: str, fields: dict[str, object]) -> str:
    record = {"time": at, "level": level, "event": name} | fields
    try:
        return _ENCODER.encode(record) + "\n"
    except (TypeError, ValueError):  # odd keys, NaN, or what holds itself
        return _ENCODER.encode({key: str(value) for key, value in record.items()}) + "\n"
