"""Subjects stand in the history only where they are wanted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatepost.store.tracking import Question, Tracking
from server.gate import gate

OPEN = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""
CONTENT = b"From: x@else.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from afar\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    ("wanted", "subject"), [("", None), ("[tracking]\nsubjects = true\n", "Grüße from afar")]
)
def test_a_subject_is_kept_where_it_is_wanted(wanted: str, subject: str | None, tmp_path: Path) -> None:
    async def scenario() -> Path:
        async with gate(tmp_path, OPEN + wanted) as here:
            here.add("ann")
            client = await here.dial()
            await client.reply()
            await client.hello()
            answer = await client.hand_in("x@else.example", "ann@example.org", content=CONTENT)
            assert answer.startswith("250")
            await client.close()
            return here.shard.settings.state / "tracking.sqlite3"

    file = asyncio.run(scenario())
    (message,) = Tracking(file).search(Question(sender="x@else.example")).messages
    assert message.subject == subject
