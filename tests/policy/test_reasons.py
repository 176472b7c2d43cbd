"""Every reason is said, explained and in the manual; none gives away why a login failed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatepost.policy.meanings import MEANINGS
from gatepost.policy.reasons import REPLIES, Reason

_MANUAL = Path(__file__).parents[2] / "docs" / "reasons.md"


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_said_explained_and_in_the_manual(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", reason.value)
    assert reason.shown in REPLIES
    meaning = MEANINGS[reason]
    assert meaning.means.endswith(".")
    assert meaning.remedy.endswith(".")
    page = _MANUAL.read_text(encoding="utf-8")
    assert f"| `{reason.value}` |" in page
    assert meaning.means in page
    assert meaning.remedy in page


@pytest.mark.parametrize("reason", REPLIES)
def test_a_reply_is_well_formed(reason: Reason) -> None:
    said = REPLIES[reason]
    words = said.words(address="ann@example.org", seconds=1.5, limit=3)
    assert words.isascii()
    assert "{" not in words
    assert len(words) < 120
    assert 200 <= said.code < 600
    assert str(said.code)[0] == said.enhanced[0]  # RFC 3463 §2
    assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", said.enhanced)
    assert said.is_temporary == (said.code < 500)


def test_every_failed_login_is_told_alike() -> None:
    inner = [reason for reason in Reason if reason.shown is not reason]
    assert len(inner) > 5
    assert {reason.shown for reason in inner} == {Reason.BAD_CREDENTIALS}
    assert not set(inner) & set(REPLIES)


def test_an_address_with_braces_is_said_as_it_is() -> None:
    assert REPLIES[Reason.RELAY_DENIED].words(address="{limit}@x") == "Unable to relay for {limit}@x"


def test_our_own_faults_are_temporary() -> None:
    for reason in (
        Reason.INTERNAL_FAULT,
        Reason.SPOOL_FAILED,
        Reason.FACT_UNKNOWN,
        Reason.DIRECTORY_UNAVAILABLE,
    ):
        assert REPLIES[reason].is_temporary
