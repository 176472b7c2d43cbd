"""What is printed for people and for programs."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.cli.output import print_fields, print_json, print_lines, print_table, size


def test_sizes() -> None:
    assert [size(n) for n in (0, 999, 1_000, 4_096, 25_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "4.1 kB",
        "25.0 MB",
    ]


@given(st.text())
def test_nothing_printed_moves_a_cursor(text: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        print_lines([text])
        print_fields({"name": text, "list": [text]})
        print_table({"name": "NAME"}, [{"name": text}], empty="nothing")
    assert printed.getvalue().replace("\n", "").isprintable()


def test_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    value = [{"name": "ä\x1b", "none": None, "yes": True}]
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "\x1b" not in printed


def test_fields_are_aligned_and_lists_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"a_b": 1, "long": ["x", "y"], "none": [], "yes": True})
    assert capsys.readouterr().out == "a b:  1\nlong: x\n      y\nnone: -\nyes:  yes\n"
