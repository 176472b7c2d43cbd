"""What every request needs: the house that is administered, and who may come in."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.admin.house import House
from gatepost.log import Log


@dataclass(frozen=True, slots=True)
class Office:
    """Built once by the process, handed to API and console."""

    house: House
    log: Log
