"""Which devices are watched, and how patiently: `[guard.devices]`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, PlainValidator

from gatepost.config.model import Model
from gatepost.config.value import Listed, Name, Net, OnceEach, choice

KINDS: Final = ("app-password", "account", "address")


def _kind(value: object) -> str:
    return choice(value, KINDS)


class WatchedDevices(Model):
    """`[guard.devices]`: what is told apart as a device, and when one that stopped sending is missed."""

    watch: Annotated[tuple[Annotated[str, PlainValidator(_kind)], ...], Listed, OnceEach] = KINDS
    accounts: Annotated[tuple[Name, ...], Listed] = ()
    groups: Annotated[tuple[Name, ...], Listed] = ()
    ignore: Annotated[tuple[Net, ...], Listed] = ()
    learn_days: Annotated[int, Field(ge=7, le=366)] = 14
    least_hours: Annotated[int, Field(ge=1, le=8_760)] = 6
    factor: Annotated[int, Field(ge=1, le=100)] = 2
