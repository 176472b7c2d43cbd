"""How long a question to the history takes, and what a note costs: many rows in a database of their own.

    python bench/tracking.py [--rows N] [--seconds N] [--file FILE]

Notes messages and what became of them, writes and indexes them until there are N or the time is up, and asks.
Beside them, not counted, stand a refusal for every tenth message and a second attempt for every fiftieth.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store import trackdb, tracksearch
from gatepost.store.tracked import Question
from gatepost.store.tracking import Tracking

_BATCH = 5_000
_USERS = 20_000
_RETRIED_WITHIN = 200_000
_REASONS = ("relay-denied", "no-such-user", "auth-required", "greylisted")
_SENDERS = [Address(f"u{number}", "example.org") for number in range(_USERS)]
_RECIPIENTS = [Address(f"u{number}", f"d{number % 50}.example") for number in range(_USERS)]


def note(tracking: Tracking, chance: random.Random, start: int) -> float:
    """A batch of messages as a busy gate has them is noted; the processor time of the notes alone."""
    batch = []
    for number in range(start, start + _BATCH):
        user, to = _SENDERS[chance.randrange(_USERS)], _RECIPIENTS[chance.randrange(_USERS)]
        peer = f"192.0.{chance.randrange(256)}.{chance.randrange(256)}"
        said = f"OK queued as {chance.randrange(1 << 40):010X}"
        outcome = Outcome(0, Disposition.RELAYED, 250, "2.0.0", said, f"mx.{to.domain}")
        batch.append((f"Q{number:012X}", f"S{number // 10:07X}", peer, user, (to,), float(number), outcome))
    began = time.thread_time()
    for queue_id, session, peer, user, recipients, at, outcome in batch:
        tracking.note_accepted(queue_id, session, "submission", peer, str(user), user, recipients, 4_200, at)
        tracking.note_outcome(queue_id, recipients[0], outcome, at, outcome.host)
    return time.thread_time() - began


def note_more(tracking: Tracking, chance: random.Random, start: int) -> None:
    """What a busy gate refuses, and what became of messages of hours ago."""
    for number in range(start, start + _BATCH, 10):
        sender, to = f"u{chance.randrange(_USERS)}@spam.example", _RECIPIENTS[chance.randrange(_USERS)]
        peer, reason = f"198.51.{chance.randrange(256)}.{chance.randrange(256)}", chance.choice(_REASONS)
        session, at = f"R{number:07X}", float(number)
        tracking.note_refused(
            session, "internet", peer, None, "rcpt", reason, sender, to, "550 5.7.1 no", at, None
        )
    for number in range(start, start + _BATCH, 50):
        of, to = max(start - chance.randrange(_RETRIED_WITHIN), 0), _RECIPIENTS[chance.randrange(_USERS)]
        which = Disposition.DEFERRED if number % 100 else Disposition.RELAYED
        said = f"452 4.2.2 mailbox of {chance.randrange(_USERS)} is full"
        outcome = Outcome(0, which, 452, "4.2.2", said, f"mx.{to.domain}")
        tracking.note_outcome(f"Q{of:012X}", to, outcome, float(number), outcome.host)


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
    connection, chance, tracking = trackdb.connect(path), random.Random(1), Tracking(path)
    until, done = time.monotonic() + seconds, 0
    noting, writing, indexing = list[float](), list[float](), list[float]()
    while done < count and time.monotonic() < until:
        noting.append(note(tracking, chance, done))
        began = time.thread_time()
        tracking.write(connection)
        writing.append(time.thread_time() - began)
        began = time.thread_time()
        connection.execute("BEGIN IMMEDIATE")
        trackdb.index(connection, _BATCH)
        connection.execute("COMMIT")
        indexing.append(time.thread_time() - began)
        done += _BATCH
        note_more(tracking, chance, done)
        tracking.write(connection)
    print(f"{done:,} rows, {path.stat().st_size / 1e9:.2f} GB")
    print("us CPU a message, accepted and handed on; median, least and mean of all batches:")
    for name, parts in (("noted", noting), ("written", writing), ("indexed", indexing)):
        print(f"{name:8} {_figures(parts)}")
    whole = [sum(three) for three in zip(noting, writing, indexing, strict=True)]
    print(f"together {_figures(whole)}")
    for question in _questions(done):
        began = time.perf_counter()
        found = [*tracksearch.messages(connection, question), *tracksearch.refusals(connection, question)]
        taken = (time.perf_counter() - began) * 1e3
        asked = {name: value for name in Question.__slots__ if (value := getattr(question, name)) is not None}
        asked.pop("limit")
        print(f"{taken:8.1f} ms  {len(found):3} found  {asked}")
    connection.close()


def _figures(parts: list[float]) -> str:
    three = (statistics.median(parts), min(parts), statistics.mean(parts))
    return " ".join(f"{seconds / _BATCH * 1e6:5.1f}" for seconds in three)


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
        Question(since=count * 0.5, before=count * 0.5 + 50),
        Question(reason="relay-denied"),
        Question(reason="relay-denied", sender="u77@spam.example"),
        Question(reason="relay-denied", peer="198.51.7.7", since=count * 0.2),
        Question(said="mx.d11.example"),
        Question(said="mx.d11.example queued", sender="u77@example.org"),
        Question(said="0123456789"),
        Question(said="mailbox full"),
        Question(said="mailbox of 4711 full"),
        Question(said="mailbox full", sender="u77@example.org"),
        Question(outcome="failed"),
        Question(outcome="delivered"),
        Question(outcome="deferred"),
        Question(outcome="deferred", sender="u77@example.org"),
        Question(outcome="deferred", said="mx.d11.example", recipient="u4711@d11.example"),
        Question(outcome="relayed", sender="u77@example.org"),
        Question(since=count * 0.999, recipient="nobody@example.org"),
    ]


if __name__ == "__main__":
    main()
