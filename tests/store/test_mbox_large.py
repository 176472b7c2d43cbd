"""A large old mailbox: 50,000 messages, in memory for a few."""

from __future__ import annotations

import email.message
import email.policy
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.store import maildir, mbox

MESSAGES = int(os.environ.get("GATEPOST_MBOX_MESSAGES", "50000"))
TEXT = "the gate keeps mail for those it knows From then on >From .dot naïve größe 日本語"
IMPORT = """
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from gatepost.store.mailimport import Importer
from gatepost.store.maildelivery import Postman
from gatepost.store.usages import Usages
import resource, time
box, source = Path(sys.argv[1]), sys.argv[2]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
steps = 0
with open(source, "rb") as file:
    for progress in Importer(box, Postman("h", Usages(time.monotonic))).from_mbox(file):
        steps += 1
print(progress.added, progress.skipped, steps, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def letter(chance: random.Random, number: int) -> bytes:
    """A message as people and programs write them; a few are large, some without a final newline."""
    message = email.message.EmailMessage(policy=email.policy.default.clone(utf8=False))
    message["From"] = f"user{number % 97}@example.org"
    message["Subject"] = " ".join(chance.choices(TEXT.split(), k=6))
    message["Message-ID"] = f"<{number}@example.org>"
    message["Date"] = "Thu, 01 Jan 2004 00:00:00 +0000"
    message.set_content("\n".join(" ".join(chance.choices(TEXT.split(), k=9)) for _ in range(12)), cte="8bit")
    if number % 500 == 0:
        message.add_attachment(chance.randbytes(200_000), maintype="application", subtype="pdf")
    whole = message.as_bytes()
    return whole.rstrip(b"\n") if number % 7 == 0 else whole


def run(box: Path, source: Path) -> list[int]:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT, str(box), str(source)],
        env={**os.environ, "PYTHONPATH": str(Path(maildir.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in run.stdout.split()]


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: what takes time on a disk is to remove it all again."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.mark.slow
def test_fifty_thousand_messages_come_in_whole_and_once(folder: Path) -> None:
    chance = random.Random(1)
    letters = [letter(chance, number) for number in range(500)]
    source, box = folder / "old.mbox", folder / "box"
    expected: list[bytes] = []
    with source.open("wb") as file:
        for number in range(MESSAGES):
            one = letters[number % 500].replace(b"@example.org>", b".%d@example.org>" % number, 1)
            file.write(mbox.record(one, 1_000_000_000 + number))
            expected.append(one if one.endswith(b"\n") else one + b"\n")
    added, skipped, steps, grown_kib = run(box, source)
    assert (added, skipped) == (MESSAGES, 0)
    assert steps > MESSAGES // 200
    assert grown_kib < 100_000
    assert run(box, source)[:2] == [0, MESSAGES]
    with maildir.open_session(box) as session:
        assert len(session) == MESSAGES
        assert [session.content(index) for index in range(MESSAGES)] == expected
