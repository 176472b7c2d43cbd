"""The scanner finds each key where it stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.source import KeyPath, Source, key_lines

_TEXT = '''# one
hostname = "a # no comment" # two
limits.idle_seconds = 5

[ smtp . "in ternet" ]   # 5
listen = [ # 6
  "one", """two
]""", # 7 to 8
  'three', {x = 1, "y.z" = [1, 2]},

  [
    4, # 12
  ],
]
a.b.c = { d = { e = "]}" } } # 15
text = """
[not.a.table]
key = 1 \\
"""
last = \'\'\'\'it\'\'\'\'\'

[[access]] # 22
to = "x"
[access.more] # 24
k = 1
[[access]]
to = 1979-05-27T07:32:00Z
[[access.sub]]
k = -1.5e3
[[access.sub]]
"quoted \\"key" = true
'k' = inf
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("hostname",), 2),
        (("limits",), 3),
        (("limits", "idle_seconds"), 3),
        (("smtp",), 5),
        (("smtp", "in ternet"), 5),
        (("smtp", "in ternet", "listen"), 6),
        (("smtp", "in ternet", "listen", 0), 7),
        (("smtp", "in ternet", "listen", 1), 7),
        (("smtp", "in ternet", "listen", 2), 9),
        (("smtp", "in ternet", "listen", 3, "x"), 9),
        (("smtp", "in ternet", "listen", 3, "y.z", 1), 9),
        (("smtp", "in ternet", "listen", 4), 11),
        (("smtp", "in ternet", "listen", 4, 0), 12),
        (("smtp", "in ternet", "a", "b"), 15),
        (("smtp", "in ternet", "a", "b", "c", "d", "e"), 15),
        (("smtp", "in ternet", "text"), 16),
        (("smtp", "in ternet", "last"), 20),
        (("access", 0), 22),
        (("access", 0, "to"), 23),
        (("access", 0, "more", "k"), 25),
        (("access", 1, "to"), 27),
        (("access", 1, "sub", 1), 30),
        (("access", 1, "sub", 1, 'quoted "key'), 31),
        (("access", 1, "sub", 1, "k"), 32),
        (("access", 1, "sub", 1, "missing"), 30),
        (("access", 7), 22),
        (("nowhere", "at", "all"), 1),
    ],
)
def test_a_key_has_its_line(key: KeyPath, line: int) -> None:
    assert Source(Path("x"), key_lines(_TEXT)).line(key) == line


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        children: Any = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return
    for key, inner in children:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


_keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
_leaves = st.integers(-(2**40), 2**40) | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=12)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_keys, _values, max_size=5))
def test_every_key_that_toml_reads_has_a_line(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    read = tomllib.loads(text)
    lines = key_lines(text)
    assert set(lines) == set(_paths(read))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


_PIECES = ['"', '"""', "'''", "'", "[", "]", "{", "}", "=", ",", "\n", "#", "a", "b.c", "1", "\\", " "]


@given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join))
def test_whatever_is_toml_is_scanned_alike(text: str) -> None:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(key_lines(text)) == set(_paths(read))


@given(st.lists(st.sampled_from(['"', '"""', "\\\\", '\\"', "]", "\n", "x"]), max_size=8).map("".join))
def test_strings_end_where_toml_ends_them(inner: str) -> None:
    for text in (
        f'k = """{inner}"""\nend = 1',
        f"k = '''{inner}'''\nend = 1",
        f'k = ["{inner}", 1]\nend = 1',
    ):
        try:
            read = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        lines = key_lines(text)
        assert set(lines) == set(_paths(read))
        if "end" in read:
            assert lines[("end",)] == text.count("\n") + 1
