"""What the owner of an attacked account saw of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gatepost.store.attacked import owner_view, treatments
from store.test_attempts import ONE, written

HOME = "198.51.100.7"
LOGIN = replace(ONE, peer=HOME, account="bob@example.org", reason=None, at=500.0)


def test_an_owner_who_logs_in_as_ever_noticed_nothing(tmp_path: Path) -> None:
    guesses = [replace(ONE, peer=f"192.0.2.{n}", treatment="refused") for n in range(5)]
    again = replace(LOGIN, at=1_500.0)
    attempts = written(tmp_path / "a", LOGIN, *guesses, replace(ONE, name="ann"), again)
    view = owner_view(attempts, "bob@example.org", ["Bob"], 900.0)
    assert (view.guesses, view.guessers, view.logins, view.last_login) == (5, 5, 1, 1_500.0)
    assert (view.own_failures, view.hindered, view.noticed) == (0, 0, False)


def test_an_owner_who_was_refused_at_home_noticed(tmp_path: Path) -> None:
    slip = replace(ONE, peer=HOME)
    attempts = written(tmp_path / "a", LOGIN, slip, replace(slip, treatment="refused"))
    view = owner_view(attempts, "bob@example.org", ["bob"], 900.0)
    assert (view.guesses, view.own_failures, view.hindered, view.noticed) == (0, 2, 1, True)
    assert treatments(attempts, 0.0) == {"none": 1, "refused": 1}


def test_one_that_never_logged_in_has_no_places_of_its_own(tmp_path: Path) -> None:
    view = owner_view(written(tmp_path / "a", ONE), "bob@example.org", ["bob"], 0.0)
    assert (view.guesses, view.logins, view.last_login) == (1, 0, None)
