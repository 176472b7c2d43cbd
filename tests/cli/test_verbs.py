"""A verb is found without loading the others."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from gatepost.cli.main import app
from gatepost.cli.verbs import PARTS, Part, asked_for

QUEUE = tuple(part for part in PARTS if part.module == "queue")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_each_brings_the_words_that_lead_to_it(part: Part) -> None:
    assert tuple(get_command(app([part])).commands) == part.words  # type: ignore[attr-defined]


def test_no_word_leads_to_two() -> None:
    words = [word for part in PARTS for word in part.words]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    "before", [(), ("-c", "import"), ("--config", "import"), ("--config=user",), ("-c", "-c", "-c", "x")]
)
def test_the_file_may_stand_before(before: tuple[str, ...]) -> None:
    assert asked_for([*before, "queue", "list", "user"]) == QUEUE


@pytest.mark.parametrize(
    "words",
    [(), ("-c",), ("--help",), ("--version", "queue"), ("-h", "queue"), ("nonsense",), ("-cx", "queue")],
)
def test_in_doubt_it_is_all(words: tuple[str, ...]) -> None:
    assert asked_for(words) == PARTS


def test_who_runs_it_waits_for_nothing_that_the_daemon_needs() -> None:
    there = "import sys; from gatepost.cli.verbs import PARTS; from gatepost.cli.main import app\n"
    there += "app([part for part in PARTS if part.module == 'run']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", there], capture_output=True, text=True, check=True)
    assert not {"pydantic", "sqlalchemy", "cryptography"} & set(said.stdout.split())
