"""Tests that share something costly run in one worker: who has `xdist_group` in the file, as the mark means.

pytest-xdist itself marks them in an attribute of the test that pytest 9.2 has no more.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_GROUP = re.compile(r"^pytestmark\b.*\bxdist_group\(\"([^\"]+)\"\)", re.MULTILINE)


@cache
def group_of(file: Path) -> str | None:
    """The group of all tests of the file, if they have one."""
    found = _GROUP.search(file.read_text(encoding="utf-8"))
    return found[1] if found else None


class Grouped(LoadScopeScheduling):
    """Groups, those of most tests first, then every other test for itself."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(self.config.rootpath / nodeid.partition("::")[0]) or nodeid
