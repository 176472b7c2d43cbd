"""OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's), both sides: a token for a password. Pure.

What is wrong with a token is said as JSON in a challenge, which the client answers with nothing in
particular; only then comes the refusal.
"""

from __future__ import annotations

import json
from typing import Final

from gatepost.secret import Secret
from gatepost.wire.sasl import Bearer, Challenge, SaslError, SaslFault, Step, text_of

_SEPARATOR: Final = "\x01"
_SCHEME: Final = "bearer "
_SHORT_BYTES: Final = 360  # base64 and the command in front of it make 512 octets at most


class BearerServer:
    """Takes the one message of either mechanism, at once or after an empty challenge.

    `advice` tells a client without a good token where and for what to get one.
    """

    __slots__ = ("_advice", "_read", "_status")

    def __init__(self, name: str, advice: dict[str, str]) -> None:
        is_standard = name == "OAUTHBEARER"
        self._read = _read_standard if is_standard else _read_pairs
        self._status = {"status": "invalid_token"} if is_standard else {"status": "401", "schemes": "bearer"}
        self._advice = advice

    def step(self, response: bytes | None) -> Step:
        """The token, or the empty challenge when nothing came yet.

        Raises:
            SaslError: not the message of this mechanism.
        """
        if response is None:
            return Challenge(b"")
        return self._read(text_of(response, "message"))

    def refusal(self) -> Challenge:
        """What is said of a token that is no good (RFC 7628 §3.2.2)."""
        return Challenge(json.dumps({**self._status, **self._advice}).encode())


def _read_standard(text: str) -> Bearer:
    """`n,a=bob@example.org,^Aauth=Bearer TOKEN^A^A` (RFC 7628 §3.1; the header is RFC 5801's)."""
    header, separator, rest = text.partition(_SEPARATOR)
    flag, _, authzid = header.partition(",")
    if not separator or flag not in ("n", "y") or not authzid.endswith(","):
        raise _malformed("the header is `n,a=NAME,`")
    authzid = authzid[:-1]
    if authzid and not authzid.startswith("a="):
        raise _malformed("the header names nobody")
    return Bearer(_unescaped(authzid[2:]), _token(_pairs(rest)))


def _read_pairs(text: str) -> Bearer:
    """`user=bob@example.org^Aauth=Bearer TOKEN^A^A`."""
    pairs = _pairs(text)
    if not pairs.get("user"):
        raise _malformed("no user")
    return Bearer(pairs["user"], _token(pairs))


def _pairs(text: str) -> dict[str, str]:
    if not text.endswith(_SEPARATOR * 2):
        raise _malformed("the end is missing")
    found: dict[str, str] = {}
    for part in text[:-2].split(_SEPARATOR):
        key, equals, value = part.partition("=")
        if not equals or key in found:
            raise _malformed("not pairs of keys and values")
        found[key] = value
    return found


def _token(pairs: dict[str, str]) -> Secret:
    """Empty where the client only asks what it needs (RFC 7628 §4.3)."""
    said = pairs.get("auth", "")
    if said and said[: len(_SCHEME)].lower() != _SCHEME:
        raise _malformed("no bearer token")
    return Secret(said[len(_SCHEME) :].strip())


def _unescaped(name: str) -> str:
    """A saslname (RFC 5801 §4): `=2C` is a comma and `=3D` the sign itself."""
    if "=" in name.replace("=2C", "").replace("=3D", ""):
        raise _malformed("a name with a stray `=`")
    return name.replace("=2C", ",").replace("=3D", "=")


def _malformed(problem: str) -> SaslError:
    return SaslError(SaslFault.MALFORMED, problem)


class BearerClient:
    """Says name and token at once: only inside TLS. `name` is OAUTHBEARER or XOAUTH2."""

    __slots__ = ("_refusal", "_token", "_user", "name")

    def __init__(self, name: str, user: str, token: Secret) -> None:
        self.name = name
        self._user = user
        self._token = token
        self._refusal = b""

    def start(self) -> bytes | None:
        """The one message; None where it makes the command longer than a line may be (RFC 4954 §4)."""
        message = self._message()
        return message if len(message) <= _SHORT_BYTES else None

    def step(self, challenge: bytes) -> bytes:
        """The message, to an empty challenge; nothing in particular to what is wrong with it.

        Raises:
            SaslError: a third question.
        """
        if not challenge and not self._refusal:
            return self._message()
        if self._refusal:
            raise SaslError(SaslFault.REFUSED, f"the token was refused: {self.reason}")
        self._refusal = challenge
        return _SEPARATOR.encode() if self.name == "OAUTHBEARER" else b""

    def finish(self) -> None:
        """Nothing is owed."""

    @property
    def reason(self) -> str:
        """What the server said against the token; empty where it said nothing."""
        return " ".join(self._refusal.decode("utf-8", "replace").split())[:300]

    def _message(self) -> bytes:
        token = self._token.reveal()
        if self.name == "OAUTHBEARER":
            name = self._user.replace("=", "=3D").replace(",", "=2C")
            return f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()
        return f"user={self._user}\x01auth=Bearer {token}\x01\x01".encode()
