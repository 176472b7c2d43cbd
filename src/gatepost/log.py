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
from collections.abc import Callable, Iterator
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

_SHOWN_AS_IS: Final = frozenset((str, int, float))
_WORD: Final = re.compile(r" \w+=[!#-~]{1,1000}").fullmatch


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
            for part in _parts([_encoded([line]) for line in lines], self._write_bytes):
                self._write(b"".join(part), len(part))

    def _write(self, content: bytes, lines: int) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self.lost += lines


def _parts(lines: list[bytes], size: int) -> Iterator[list[bytes]]:
    """The lines in order, as many together as go into one write of this size; at least one."""
    part: list[bytes] = []
    room = size
    for line in lines:
        if part and len(line) > room:
            yield part
            part, room = [], size
        part.append(line)
        room -= len(line)
    if part:
        yield part


def _encoded(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "backslashreplace")


class _Manner:
    """How lines are written now; one for a log and all that were bound from it."""

    __slots__ = (
        "_instant",
        "_milliseconds",
        "_second",
        "_stamp",
        "clock",
        "hear",
        "is_plain",
        "threshold",
        "writer",
    )

    def __init__(self, writer: LogWriter, clock: Clock, hear: Ear | None) -> None:
        self.writer = writer
        self.clock = clock
        self.hear = hear
        self.threshold = 0  # a plain int: comparing enums would cost more than the lookup
        self.is_plain = True
        self._second = -1
        self._stamp = ""
        self._milliseconds = -1
        self._instant = ""

    def now(self) -> str:
        """RFC 3339, UTC, with milliseconds; formatted once a second."""
        milliseconds = int(self.clock() * 1000)
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            second, rest = divmod(milliseconds, 1000)
            if second != self._second:
                self._second = second
                self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._instant = f"{self._stamp}.{rest:03d}Z"
        return self._instant


class Log:
    """Writes events to a `LogWriter`. `bind` gives one that adds fields to every line."""

    __slots__ = ("_bound", "_bound_text", "_manner")

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
        self._manner = _Manner(writer, clock, hear)
        self._bound: dict[str, object] = {}
        self._bound_text = ""  # the same in plain form, made once
        self.change(level, form)

    def bind(self, **fields: object) -> Log:
        """A log whose lines all carry `fields` too, through the same writer."""
        log = Log.__new__(Log)
        log._manner = self._manner
        log._bound = self._bound | fields
        log._bound_text = self._bound_text + _plain(fields)
        if not self._bound.keys().isdisjoint(fields):
            log._bound_text = _plain(log._bound)
        return log

    def apart(self, level: Level) -> Log:
        """A log through the same writer that has a level of its own, and that nobody hears counting."""
        manner = self._manner
        form = Form.PLAIN if manner.is_plain else Form.JSON
        log = Log(manner.writer, level=level, form=form, clock=manner.clock)
        log._bound, log._bound_text = self._bound, self._bound_text
        return log

    def change(self, level: Level, form: Form) -> None:
        """Lines from now on are of this level and form, those of logs bound from this one too."""
        self._manner.threshold = int(level)
        self._manner.is_plain = form is Form.PLAIN

    def debug(self, name: str, /, **fields: object) -> None:
        if self._manner.threshold <= 10:
            self._write("debug", name, fields)

    def event(self, name: str, /, **fields: object) -> None:
        """One line at level INFO. `name` is ours (`session-closed`), field values may be anyone's.

        The fields `time`, `level` and `event` belong to the line itself and are not to be given.
        """
        manner, bound = self._manner, self._bound
        together = bound | fields
        if manner.hear is not None:
            manner.hear(name, together)
        if manner.threshold > 20:
            return
        if manner.is_plain and len(together) == len(bound) + len(fields):  # nearly every line there is
            line = f"{manner.now()} info {name}{self._bound_text}{_plain(fields)}\n"
            manner.writer.add(line, at_once=False)
        else:
            self._write("info", name, fields)

    def warning(self, name: str, /, **fields: object) -> None:
        manner = self._manner
        if manner.hear is not None:
            manner.hear(name, self._bound | fields)
        if manner.threshold <= 30:
            self._write("warning", name, fields, at_once=True)

    def error(self, name: str, /, **fields: object) -> None:
        self._write("error", name, fields, at_once=True)

    def flush(self) -> None:
        self._manner.writer.flush()

    def _write(self, level: str, name: str, fields: dict[str, object], *, at_once: bool = False) -> None:
        manner, bound = self._manner, self._bound
        if not manner.is_plain:
            line = _json(manner.now(), level, name, bound | fields)
        elif bound.keys().isdisjoint(fields):
            line = f"{manner.now()} {level} {name}{self._bound_text}{_plain(fields)}\n"
        else:
            line = f"{manner.now()} {level} {name}{_plain(bound | fields)}\n"
        manner.writer.add(line, at_once=at_once)


def _plain(fields: dict[str, object]) -> str:
    """The fields as they stand behind the name of the event."""
    words = [
        f" {key}={value if type(value) in _SHOWN_AS_IS else _text(value)}"
        for key, value in fields.items()
        if value is not None
    ]
    line = "".join(words)
    if not (line.isascii() and line.isprintable() and '"' not in line and len(line) <= _VALUE_LIMIT):
        return "".join([word if _WORD(word) else _with_quotes(word) for word in words])
    # Nearly every line: at most there is a blank in a value, or nothing.
    if line.count(" ") == len(words) and "= " not in line and not line.endswith("="):
        return line
    return "".join(
        [w if (w.count(" ") == 1 and w[-1] != "=") or _WORD(w) else _with_quotes(w) for w in words]
    )


def _with_quotes(word: str) -> str:
    key, _, text = word.partition("=")
    return f"{key}={_quoted(text)}"


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
