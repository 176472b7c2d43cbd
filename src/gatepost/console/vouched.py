"""Whoever a provider has signed in: by which name it goes here, and which role that gives now."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from gatepost.admin.roles import Role
from gatepost.config.openid import OpenId
from gatepost.directory.idtoken import Voucher
from gatepost.policy.facts import Identity
from gatepost.store import naming

OPENID: Final = "openid"  # the `directory` of their identities
PREFIX: Final = "openid:"
"""Begins their names, and no other's: `openid:ann` is not the administrator `ann`."""


def identity_of(voucher: Voucher) -> Identity:
    """Nobody's account: no mail, no groups."""
    return named(naming.canonical(f"{PREFIX}{voucher.name}"))


def named(name: str) -> Identity:
    """The identity that goes by such a name."""
    return Identity(name, frozenset({name}), frozenset(), frozenset(), directory=OPENID)


def role_of(voucher: Voucher, openid: OpenId | None) -> Role | None:
    """The role by the settings of now; None: none, or the provider is another."""
    if openid is None or openid.issuer != voucher.issuer:
        return None
    for role, values in (
        (Role.ADMINISTRATOR, openid.administrators),
        (Role.OPERATOR, openid.operators),
        (Role.VIEWER, openid.viewers),
    ):
        if not set(values).isdisjoint(voucher.values):
            return role
    return None


def written(voucher: Voucher) -> str:
    """As it is kept with the session."""
    return json.dumps(asdict(voucher))


def read(text: str) -> Voucher:
    """What `written` wrote."""
    said = json.loads(text)
    return Voucher(**{**said, "values": tuple(said["values"])})
