"""Public keys of an issuer (RFC 7517) and what they sign: a JWT (RFC 7519) that holds is read, no other."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
_KEYS_AT_MOST: Final = 100
_TRIED_AT_MOST: Final = 5
_RSA_BYTES: Final = 2048 // 8
_TOKEN_CHARACTERS: Final = 16_384
_URL_SAFE: Final = str.maketrans("-_", "+/")


class BadToken(Exception):
    """It proves nothing. The text says why, and holds nothing of it that is secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key for signatures. `kid` and `algorithm` None: it does not say."""

    kid: str | None
    algorithm: str | None
    kind: str
    key: jwk.Key

    def fits(self, kid: str | None, algorithm: str) -> bool:
        """Whether it may have made a signature that says so."""
        if self.kind != _TYPES.get(algorithm[:2]) or self.algorithm not in (None, algorithm):
            return False
        return kid is None or self.kid in (None, kid)


def keys_of(said: Mapping[str, Any]) -> tuple[Key, ...]:
    """Those of a JWK set that serve; what is unknown, broken or weak is left out (RFC 7517 §5)."""
    listed = said.get("keys")
    found = (_key(one) for one in listed[:_KEYS_AT_MOST]) if isinstance(listed, list) else ()
    return tuple(key for key in found if key is not None)


def _key(said: object) -> Key | None:
    if not isinstance(said, dict) or said.get("kty") not in ("RSA", "EC"):
        return None
    if said.get("use", "sig") != "sig" or _is_weak(said):
        return None
    public = {name: said[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in said}
    try:
        made = jwk.import_key(public)
        made.raw_value  # noqa: B018 - parsed here, not at a login
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return Key(_text(said.get("kid")), _text(said.get("alg")), str(said["kty"]), made)


def _is_weak(said: Mapping[str, Any]) -> bool:
    return said.get("kty") == "RSA" and len(str(said.get("n", ""))) * 3 // 4 < _RSA_BYTES


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Label:
    """What a token says of itself before anything is proved."""

    algorithm: str
    kid: str | None
    issuer: str
    claims: Mapping[str, Any]


def label_of(token: str) -> Label:
    """Raises BadToken: it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _TOKEN_CHARACTERS:
        raise BadToken("it is no signed JWT")
    header, claims = _object(parts[0]), _object(parts[1])
    algorithm, issuer = header.get("alg"), claims.get("iss")
    if not isinstance(algorithm, str) or not isinstance(issuer, str):
        raise BadToken("it names no algorithm or no issuer")
    return Label(algorithm, _text(header.get("kid")), issuer, claims)


def not_taken(algorithm: str) -> str:
    """Why a token with this algorithm is not looked at, whatever it says (RFC 8725 §2.1, §3.1)."""
    shared = "; it is made with a shared secret: have the issuer sign with its own key, as by RS256"
    return f"its algorithm {algorithm[:20]!r} is not taken{shared if algorithm.startswith('HS') else ''}"


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(binascii.a2b_base64(part.translate(_URL_SAFE) + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise BadToken("it is no JSON") from None
    if not isinstance(found, dict):
        raise BadToken("it is no JSON object")
    return found


def claims_of(token: str, keys: Sequence[Key], algorithm: str) -> dict[str, Any]:
    """What it says, one of the keys having signed it with this very algorithm. Raises BadToken."""
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = _TOKEN_CHARACTERS  # some carry their certificates
    for key in keys[:_TRIED_AT_MOST]:
        try:
            return jwt.decode(token, key.key, algorithms=[algorithm], registry=registry).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    raise BadToken("no key of the issuer has signed it" if keys else "the issuer has no such key")
