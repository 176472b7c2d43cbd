"""How long a question to the history takes, and what a note costs: many rows in a database of their own.

    python bench/tracking.py [--rows N] [--seconds N] [--file FILE]

Writes rows until there are N or the time is up, then asks. CPU is of the writing thread alone.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from gatepost.store import trackdb, tracksearch
from gatepost.store.trackdb import Value
from gatepost.store.tracked import Question

_BATCH = 2_000
_USERS = 20_000


def rows(chance: random.Random, start: int) -> Iterator[tuple[Value, ...]]:
    """A batch of messages as a busy gate has them."""
    for number in range(start, start + _BATCH):
        user, to = chance.randrange(_USERS), chance.randrange(_USERS)
        peer = f"192.0.{chance.randrange(256)}.{chance.randrange(256)}"
        said = f"OK queued as {chance.randrange(1 << 40):010X}"
        outcome = (f"u{to}@d{to % 50}.example", "relayed", 250, "2.0.0", said, f"mx{to % 50}.example", number)
        yield (
            f"Q{number:012X}", f"S{number:07X}", "submission", peer, f"u{user}@example.org",
            f"u{user}@example.org", f"u{to}@d{to % 50}.example", 4_200, float(number),
            trackdb.join_outcomes([outcome]), None,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.file or Path(folder) / "tracking.sqlite3"
        _measure(path, given.rows, given.seconds)


def _measure(path: Path, count: int, seconds: float) -> None:
    connection, chance = trackdb.connect(path), random.Random(1)
    until, done = time.monotonic() + seconds, 0
    writing = indexing = 0.0
    while done < count and time.monotonic() < until:
        batch = list(rows(chance, done))
        began = time.thread_time()
        connection.execute("BEGIN IMMEDIATE")
        trackdb.insert(connection, "message", trackdb.MESSAGE_COLUMNS, batch)
        connection.execute("COMMIT")
        writing += time.thread_time() - began
        began = time.thread_time()
        connection.execute("BEGIN IMMEDIATE")
        trackdb.index(connection, _BATCH)
        connection.execute("COMMIT")
        indexing += time.thread_time() - began
        done += _BATCH
    print(f"{done:,} rows, {path.stat().st_size / 1e9:.2f} GB")
    print(f"CPU a row: {writing / done * 1e6:.1f} us written, {indexing / done * 1e6:.1f} us indexed")
    for question in _questions(done):
        began = time.perf_counter()
        found = tracksearch.messages(connection, question)
        taken = (time.perf_counter() - began) * 1e3
        asked = {name: value for name in Question.__slots__ if (value := getattr(question, name)) is not None}
        asked.pop("limit")
        print(f"{taken:8.1f} ms  {len(found):3} found  {asked}")
    connection.close()


def _questions(count: int) -> list[Question]:
    return [
        Question(),
        Question(session="S0000100"),
        Question(queue_id="Q000000000100"),
        Question(sender="u77@example.org"),
        Question(sender="nobody@example.org"),
        Question(recipient="u4711@d11.example"),
        Question(user="u77@example.org", recipient="u4711@d11.example"),
        Question(sender="u77@example.org", since=count * 0.9),
        Question(peer="192.0.2.7"),
        Question(said="mx11.example"),
        Question(said="mx11.example queued", sender="u77@example.org"),
        Question(said="0123456789"),
        Question(since=count * 0.999, recipient="nobody@example.org"),
    ]


if __name__ == "__main__":
    main()
