"""The manual's table of guesses is what the guard gives, and what fail2ban's defaults would."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.attack import fail2ban_guesses_of_a_day, guesses_of_a_day

_PAGE = (Path(__file__).parents[2] / "docs" / "guard.md").read_text("utf-8")


@pytest.mark.parametrize("addresses", [1, 1_000, 100_000])
def test_the_table_in_the_manual_is_measured(addresses: int) -> None:
    cells = [addresses, guesses_of_a_day(addresses, 1), guesses_of_a_day(addresses, 100)]
    row = " | ".join(f"{cell:,}" for cell in (*cells, fail2ban_guesses_of_a_day(addresses)))
    assert f"\n| {row} |\n" in _PAGE
