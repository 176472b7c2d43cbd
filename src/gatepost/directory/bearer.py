"""Whom a token lets in: signed by an issuer we know, for us, now, with the scopes we want (RFC 9068 §4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from gatepost.config.oauth import OAuth
from gatepost.directory.claims import check_time, texts
from gatepost.directory.granted import Granted, TokenRefused
from gatepost.directory.issuer import IssuerKeys, discovery_address
from gatepost.directory.tokenkeys import BadToken, Label, claims_of, label_of, not_taken
from gatepost.log import Log
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret

_GROUPS_AT_MOST: Final = 2_000
_NAME_CHARACTERS: Final = 254


class Issuers:
    """Those whose tokens are taken. Times are seconds: `clock` runs evenly, `wall` since the epoch.

    What `before` knows of issuers that have not changed goes on being known.
    """

    def __init__(
        self,
        oauth: Mapping[str, OAuth],
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        before: Issuers | None = None,
    ) -> None:
        known = {} if before is None else before._issuers
        self._issuers: dict[str, IssuerKeys[OAuth]] = {}
        for name, one in oauth.items():
            if one.audience:
                old = known.get(one.issuer)
                if old is None or (old.name, old.oauth) != (name, one):
                    old = IssuerKeys(name, one, clock=clock, log=log)
                self._issuers[one.issuer] = old
        self._wall = wall

    @property
    def advice(self) -> dict[str, str]:
        """What a client without a good token is told: of the first of them (RFC 7628 §3.2.2)."""
        first = next(iter(self._issuers.values()), None)
        if first is None:
            return {}
        scopes = {"scope": " ".join(first.oauth.scopes)} if first.oauth.scopes else {}
        return {**scopes, "openid-configuration": discovery_address(first.oauth)}

    def name_of(self, token: Secret) -> str | None:
        """By which name in the settings its issuer goes; None when it is none of these."""
        try:
            return self._keys(label_of(token.reveal())).name
        except BadToken:
            return None

    def said_of(self, token: Secret) -> str:
        """Whom the token names, proved or not; empty when it names nobody."""
        try:
            label = label_of(token.reveal())
            user = label.claims.get(self._keys(label).oauth.user_claim)
        except BadToken:
            return ""
        return user[:_NAME_CHARACTERS] if isinstance(user, str) and user.isprintable() else ""

    async def granted(self, token: Secret) -> Granted:
        """Raises TokenRefused, IssuerSilent."""
        text = token.reveal()
        try:
            label = label_of(text)
            keys = self._keys(label)
            claims = claims_of(text, await keys.matching(label.kid, label.algorithm), label.algorithm)
        except BadToken as problem:
            raise TokenRefused(Reason.TOKEN_REFUSED, str(problem)) from None
        return _judged(claims, keys.oauth, self._wall())

    def _keys(self, label: Label) -> IssuerKeys[OAuth]:
        keys = self._issuers.get(label.issuer.rstrip("/"))
        if keys is None:
            raise BadToken(f"nothing is known of its issuer {label.issuer[:200]!r}")
        if label.algorithm not in keys.oauth.algorithms:
            raise BadToken(not_taken(label.algorithm))
        return keys

    def close(self) -> None:
        for keys in self._issuers.values():
            keys.close()


def _judged(claims: Mapping[str, Any], oauth: OAuth, now: float) -> Granted:
    """Whom signed claims let in. Raises TokenRefused."""
    check_time(claims, oauth.leeway_seconds, now)
    audiences = set(texts(claims.get("aud")))
    if audiences.isdisjoint(oauth.audience):
        raise TokenRefused(Reason.TOKEN_NOT_FOR_US, f"it is for {_shown(audiences)}")
    missing = set(oauth.scopes) - _scopes(claims)
    if missing:
        raise TokenRefused(Reason.TOKEN_NOT_FOR_US, f"it lacks the scopes {_shown(missing)}")
    user = claims.get(oauth.user_claim)
    if not isinstance(user, str) or not user.strip() or len(user) > _NAME_CHARACTERS:
        raise TokenRefused(Reason.TOKEN_REFUSED, f"{oauth.user_claim} says nobody")
    if oauth.user_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
        raise TokenRefused(Reason.TOKEN_REFUSED, "the issuer has not verified its email")
    groups = () if oauth.groups_claim is None else texts(claims.get(oauth.groups_claim))
    return Granted(user.strip(), frozenset(name.lower() for name in [*groups][:_GROUPS_AT_MOST]))


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """`scope` (RFC 8693 §4.2), Microsoft's `scp`, and `roles`, which its applications have for scopes."""
    found: set[str] = set()
    for name in ("scope", "scp", "roles"):
        for text in texts(claims.get(name)):
            found.update(text.split())
    return found


def _shown(words: set[str]) -> str:
    return ", ".join(sorted(words))[:200] or "nobody"
