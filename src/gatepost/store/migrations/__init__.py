"""The steps by which the accounts database came to its present form (alembic).

`REVISIONS` lists them oldest first, so that opening a database that is up to date need not load
alembic, and so that one from a newer Gatepost is recognised.
"""

from __future__ import annotations

from typing import Final

REVISIONS: Final = ("0001", "0002", "0003", "0004")
