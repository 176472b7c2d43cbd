"""Whom an ID token names, and whether it is for us, now, and the answer to our question.

OpenID Connect Core 1.0 §2, §3.1.3.7.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatepost.config.openid import OpenId
from gatepost.directory.claims import check_time, claim, is_number, texts
from gatepost.directory.granted import TokenRefused
from gatepost.policy.reasons import Reason

_NAME_CHARACTERS: Final = 120
_SUBJECT_CHARACTERS: Final = 255
_VALUES_AT_MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Asking:
    """One sign-in under way: what only the browser that began it has, and the provider's answer must fit."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Voucher:
    """Whom a provider has signed in. `values` are those of the roles claim that mean something here.

    `signed_in_at` is when the password was given there, in Unix seconds; None: it does not say.
    `strong`: with more than one factor (RFC 8176 §2).
    """

    issuer: str
    subject: str
    name: str
    values: tuple[str, ...]
    signed_in_at: float | None = None
    strong: bool = False


def check(claims: Mapping[str, Any], openid: OpenId, nonce: str, now: float) -> None:
    """The signed claims answer our question. Raises TokenRefused."""
    if str(claims.get("iss", "")).rstrip("/") != openid.issuer:
        raise TokenRefused(Reason.TOKEN_REFUSED, f"it is of the issuer {str(claims.get('iss'))[:200]!r}")
    check_time(claims, openid.leeway_seconds, now)
    _check_audience(claims, openid.client_id)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise TokenRefused(Reason.TOKEN_REFUSED, "its nonce is not the one of this sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARACTERS:
        raise TokenRefused(Reason.TOKEN_REFUSED, "it names no subject")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audiences, party = [*texts(claims.get("aud"))], claims.get("azp")
    if client_id not in audiences:
        raise TokenRefused(Reason.TOKEN_NOT_FOR_US, f"it is for {', '.join(audiences)[:200] or 'nobody'}")
    if party != client_id and (party is not None or len(audiences) > 1):
        raise TokenRefused(Reason.TOKEN_NOT_FOR_US, f"it was given to {str(party)[:200]!r}")


def voucher(claims: Mapping[str, Any], openid: OpenId, now: float) -> Voucher:
    """Whom checked claims name. Raises TokenRefused: nobody, or by an address that may be another's."""
    name = claim(claims, openid.user_claim)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_CHARACTERS or not name.isprintable():
        raise TokenRefused(Reason.TOKEN_REFUSED, f"{openid.user_claim} says nobody")
    uses_email = "email" in (openid.user_claim, openid.roles_claim)
    if uses_email and claims.get("email_verified", True) not in (True, "true"):
        raise TokenRefused(Reason.TOKEN_REFUSED, "the provider has not verified its email")
    said = [*texts(claim(claims, openid.roles_claim))][:_VALUES_AT_MOST]
    at = claims.get("auth_time")
    return Voucher(
        openid.issuer,
        str(claims["sub"]),
        name.strip(),
        tuple(sorted(openid.meaningful.intersection(said))),
        min(float(at), now) if is_number(at) and at > 0 else None,  # some say 0 for: not known
        "mfa" in texts(claims.get("amr")),
    )
