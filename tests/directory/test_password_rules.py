"""Passwords that are no protection are refused when set."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatepost.directory.guesses import own_guesses
from gatepost.directory.password_rules import common_passwords, require_good
from gatepost.secret import Secret
from gatepost.store.account_error import PasswordRefused


@pytest.mark.parametrize(
    "text",
    [
        *("password", "PassWord", "password2024!", "123456", "qwertz", "sommer2026", "Geheim", "aaaaaaaaaa"),
        *("bob", "Bob1", "bob@example.org", "example", "example99!", "EXAMPLE.org"),
    ],
)
def test_what_attackers_try_first_is_refused_unless_even_so(text: str) -> None:
    with pytest.raises(PasswordRefused, match=r"attackers try first.*--even-so"):
        require_good("bob@example.org", Secret(text))
    require_good("bob@example.org", Secret(text), even_so=True)


@pytest.mark.parametrize("text", ["abc", "x7#kWp2", "tür öff"])
def test_short_ones_are_refused_unless_even_so(text: str) -> None:
    with pytest.raises(PasswordRefused, match=r"fewer than 8 characters.*--even-so"):
        require_good("bob@example.org", Secret(text))
    require_good("bob@example.org", Secret(text), even_so=True)


def test_what_the_audit_makes_of_the_names_is_refused() -> None:
    year = datetime.now(UTC).year
    for text in own_guesses("bob.stone@example.org", "Robert Stone", year):
        with pytest.raises(PasswordRefused):
            require_good("bob.stone@example.org", Secret(text), full_name="Robert Stone")


@pytest.mark.parametrize("text", ["", " ", "\t", "a\0b", "a\rb", "a\nb", "\x85ab", "x" * 1_025, "\ud800ab"])
def test_what_cannot_be_a_password_is_refused_even_so(text: str) -> None:
    for even_so in (False, True):
        with pytest.raises(PasswordRefused) as refusal:
            require_good("bob@example.org", Secret(text), even_so=even_so)
        assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    "text", ["84619275036", "correct horse battery staple", "tür-öffner", "x7#kWp2q", "bobsled42x"]
)
def test_others_are_taken(text: str) -> None:
    for name in ("bob@example.org", "bob"):
        require_good(name, Secret(text))


def test_the_list_is_some_hundreds_in_lower_case() -> None:
    words = common_passwords()
    assert 300 < len(words) < 3_000
    assert all(word == word.lower() and word.isprintable() for word in words)
    assert "" not in words
