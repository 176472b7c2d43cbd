"""Groups of tests are found as they are marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduling import group_of

HERE = Path(__file__).parent
MARKED = [path for path in sorted(HERE.rglob("test_*.py")) if "xdist_group(" in path.read_text()]
MARKED.remove(Path(__file__))


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_every_mark_is_found(path: Path) -> None:
    assert group_of(path)


def test_others_have_none() -> None:
    assert group_of(Path(__file__)) is None
