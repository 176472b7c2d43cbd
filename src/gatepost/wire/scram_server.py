"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802 §5, RFC 7677). Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from gatepost.wire import scram
from gatepost.wire.sasl import (
    Challenge,
    KeysWanted,
    Proven,
    SaslError,
    SaslFault,
    ScramKeys,
    Step,
    encode,
    text_of,
)
from gatepost.wire.saslprep import SaslprepError, saslprep


@dataclass(frozen=True, slots=True)
class ScramOffer:
    """What this server's SCRAM stands on, for one connection.

    `nonce`: 18 or more fresh random octets. `bindings`: channel binding data by type, empty in the
    clear. `plus_offered`: a -PLUS mechanism was announced to this client. `unknown_key`: a lasting
    random key from which unknown names get their salts; `unknown_iterations` as for real ones.
    """

    nonce: bytes = field(repr=False)
    unknown_key: bytes = field(repr=False)
    unknown_iterations: int
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    plus_offered: bool = False


@dataclass(frozen=True, slots=True)
class _NoKeys:
    """Keys for a name that has none: the same each time, as real ones are, and never proven."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class _Stage(Enum):
    FIRST = "client-first-message"
    KEYS = "keys"
    FINAL = "client-final-message"
    PROVEN = "empty response"
    OVER = "nothing"


class ScramServer:
    """One exchange: the first message, keys from the caller, the proof, an empty response.

    A name that is not there goes the same way in the same time and fails as a wrong password.
    """

    __slots__ = (
        "_binding",
        "_first",
        "_keys",
        "_name",
        "_offer",
        "_plus",
        "_proved",
        "_server_first",
        "_spent",
        "_stage",
    )

    def __init__(self, offer: ScramOffer, *, plus: bool) -> None:
        self._offer = offer
        self._plus = plus
        self._stage = _Stage.FIRST
        self._first: scram.ClientFirst
        self._keys: Sequence[ScramKeys] = ()
        self._spent: Sequence[ScramKeys] = ()
        self._proved: ScramKeys
        self._binding = b""
        self._name = ""
        self._server_first = ""

    def step(self, response: bytes | None) -> Step:
        """What follows from the response.

        Raises:
            SaslError: MALFORMED, CHANNEL, or REFUSED for a proof that is wrong.
        """
        stage, self._stage = self._stage, _Stage.OVER
        if stage is _Stage.FIRST:
            return self._begin(response)
        if stage is _Stage.FINAL and response is not None:
            return self._prove(response)
        if stage is _Stage.PROVEN and not response:
            return Proven(self._first.authzid, self._name, self._proved)
        raise scram.malformed(f"exchange: {stage.value} was due")

    def _give(self, keys: Sequence[ScramKeys], spent: Sequence[ScramKeys] = ()) -> Challenge:
        if self._stage is not _Stage.KEYS:
            raise RuntimeError("keys are not asked for")
        self._stage = _Stage.FINAL
        first: ScramKeys = next(iter([*keys, *spent]), None) or self._no_keys()
        if any((one.salt, one.iterations) != (first.salt, first.iterations) for one in (*keys, *spent)):
            raise RuntimeError("keys of several salts")
        self._keys, self._spent = keys, spent
        nonce = self._first.nonce + encode(self._offer.nonce).decode()
        self._server_first = scram.server_first(nonce, first)
        return Challenge(self._server_first.encode())

    def _begin(self, response: bytes | None) -> Step:
        if response is None:
            self._stage = _Stage.FIRST
            return Challenge(b"")
        self._first = scram.client_first(response)
        self._binding = self._channel(self._first)
        try:
            self._name = saslprep(self._first.name)
        except SaslprepError:
            raise scram.malformed("name") from None
        if not self._name:
            raise scram.malformed("name")
        self._stage = _Stage.KEYS
        return KeysWanted(self._first.authzid, self._name, self._give)

    def _channel(self, first: scram.ClientFirst) -> bytes:
        """The binding data that has to stand in the last message (RFC 5802 §6)."""
        if self._plus != (first.flag == "p"):
            raise SaslError(SaslFault.CHANNEL, "SCRAM: the mechanism and its channel binding flag differ")
        if first.flag == "y" and self._offer.plus_offered:
            # The client could bind and did not hear us offer it: somebody changed our words.
            raise SaslError(SaslFault.CHANNEL, "SCRAM: channel binding was taken out of the offer")
        if first.flag != "p":
            return b""
        data = self._offer.bindings.get(first.binding)
        if data is None:
            raise SaslError(SaslFault.CHANNEL, "SCRAM: a channel binding type that is not there")
        return data

    def _prove(self, response: bytes) -> Challenge:
        fields = text_of(response, "SCRAM message").split(",")
        if len(fields) < 3:
            raise scram.malformed("client-final-message")
        binding, proof = scram.octets(fields[0], "c"), scram.octets(fields[-1], "p")
        nonce = scram.attribute(fields[1], "r")
        scram.check_extensions(fields[2:-1])
        if len(proof) != scram.KEY_OCTETS:
            raise scram.malformed("proof")
        if not hmac.compare_digest(binding, self._first.gs2_header.encode() + self._binding):
            raise SaslError(SaslFault.CHANNEL, "SCRAM: the client sees another channel")
        if nonce != self._first.nonce + encode(self._offer.nonce).decode():
            raise SaslError(SaslFault.REFUSED, "SCRAM: not our nonce")
        spoken = ",".join([self._first.bare, self._server_first, *fields[:-1]]).encode()
        good, spent = _proved(self._keys, proof, spoken), _proved(self._spent, proof, spoken)
        if good is None:
            raise SaslError(SaslFault.REFUSED, "SCRAM: the proof is wrong", spent)
        self._proved = good
        self._stage = _Stage.PROVEN
        return Challenge(b"v=" + encode(scram.mac(good.server_key, spoken)))

    def _no_keys(self) -> _NoKeys:
        # Names of accounts do not care about case, so the salt of a name that is none must not either.
        name = self._name.casefold().encode()
        salt, stored, server = (
            scram.mac(self._offer.unknown_key, what + name) for what in (b"salt\0", b"stored\0", b"server\0")
        )
        return _NoKeys(salt[:16], self._offer.unknown_iterations, stored, server)


def _proved(several: Sequence[ScramKeys], proof: bytes, spoken: bytes) -> ScramKeys | None:
    """Those of the keys that the proof is of; each is tried, whichever it is."""
    found = None
    for keys in several:
        key = scram.combined(proof, scram.mac(keys.stored_key, spoken))
        if hmac.compare_digest(scram.stored_key(key), keys.stored_key):
            found = keys
    return found
