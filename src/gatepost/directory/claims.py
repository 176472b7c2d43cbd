"""What signed tokens say: when they hold, and texts that stand alone or in lists (RFC 7519)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from gatepost.directory.granted import TokenRefused
from gatepost.policy.reasons import Reason


def check_time(claims: Mapping[str, Any], leeway: float, now: float) -> None:
    """It holds now: RFC 7519 §4.1.4 and §4.1.5. A token without an end is none. Raises TokenRefused."""
    ends, begins = claims.get("exp"), claims.get("nbf", 0)
    if not is_number(ends) or not is_number(begins):
        raise TokenRefused(Reason.TOKEN_REFUSED, "it does not say when it ends")
    if now >= ends + leeway:
        raise TokenRefused(Reason.TOKEN_EXPIRED, f"it ended {now - ends:.0f} s ago")
    if now < begins - leeway:
        raise TokenRefused(Reason.TOKEN_EXPIRED, f"it begins in {begins - now:.0f} s")


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a NumericDate (RFC 7519 §2)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def texts(value: object) -> Iterator[str]:
    """The texts of a claim that may be one or a list of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, str))


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """What stands there; `realm_access.roles` also means `roles` within `realm_access`. None: nothing."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
