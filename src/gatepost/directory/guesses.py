"""What attackers try first as the password of an account: made of its names, then the common list. Pure.

Refused when a password is set, and tried by `gatepost audit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ENDINGS = ("", "1", "12", "123", "1234", "12345", "!", "1!", "123!", "01", "2000")
_SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Password", "Welcome")
_SEPARATORS = ("", "@", "!", ".")
_WORDS = re.compile(r"[^\W_]+")
_LONGEST = 100


def own_guesses(name: str, full_name: str, year: int) -> tuple[str, ...]:
    """Made of the account's names and of the year, each once, the likeliest first."""
    found = (*_of_names(name, full_name, year), *_of_the_year(year))
    return tuple(dict.fromkeys(one for one in found if one and len(one) <= _LONGEST))


def common_guesses(words: Iterable[str]) -> tuple[str, ...]:
    """The words, each also with a capital. A list with more words behind begins as the shorter did."""
    found = dict.fromkeys(_with_capitals(words))
    return tuple(one for one in found if one and len(one) <= _LONGEST)


def _of_names(name: str, full_name: str, year: int) -> Iterator[str]:
    local, _, domain = name.lower().partition("@")
    words = [local, *_WORDS.findall(local), *_WORDS.findall(full_name.lower()), domain.partition(".")[0]]
    years = (year, year - 1, year - 2)
    dated = (f"{mark}{one}" for one in years for mark in _SEPARATORS)
    endings = (*_ENDINGS, *dated, *(f"{one}!" for one in years))
    yield name
    yield domain
    for word in dict.fromkeys(words):
        yield from (f"{word}{ending}" for ending in endings)
        yield from (f"{word.capitalize()}{ending}" for ending in endings)
        yield from (word * 2, word[::-1], word.upper())


def _of_the_year(year: int) -> Iterator[str]:
    for word in _SEASONS:
        for one in (year, year - 1):
            yield from (f"{word}{one}", f"{word}{one}!", f"{word}@{one}")


def _with_capitals(common: Iterable[str]) -> Iterator[str]:
    for word in common:
        yield word
        if word[:1].isalpha():
            yield word.capitalize()
