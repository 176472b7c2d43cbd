"""What the server that keeps a domain says of a recipient, before anything is accepted for it."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from gatepost.mail.address import Address


class Standing(Enum):
    """`REFUSED`: it would not take mail for the recipient, for another reason than that nobody has the name.

    `SILENT`: it cannot say now, or says nothing.
    """

    KNOWN = "known"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    SILENT = "silent"


class NextServers(Protocol):
    """The servers behind `deliver` and `unknown`."""

    async def standing(self, address: Address) -> Standing:
        """What the next server would answer to a RCPT; within bounded time."""
