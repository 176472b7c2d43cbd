"""What is kept of a password for SCRAM-SHA-256 (RFC 5802 §3), and under which salt.

The keys are what an attacker with a stolen database would try first, since PBKDF2 is cheaper to guess
than argon2id: hence 60,000 iterations, not RFC 7677's least 4,096. Not more, since the client pays
them at each login and Cyrus SASL refuses above 65,536.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from gatepost.secret import Secret
from gatepost.store.user import ScramKeys
from gatepost.wire import scram
from gatepost.wire.saslprep import SaslprepError, saslprep

SCRAM_ITERATIONS: Final = 60_000
SCRAM_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Salt:
    """What a server tells a client before the client proves its password."""

    octets: bytes = field(repr=False)
    iterations: int = SCRAM_ITERATIONS


def fresh_salt() -> Salt:
    return Salt(secrets.token_bytes(SCRAM_SALT_BYTES))


def scram_keys(password: Secret, salt: Salt) -> ScramKeys | None:
    """The keys of the password; None when RFC 4013 gives it no form to agree on."""
    text = scram_text(password)
    if text is None:
        return None
    salted = scram.salted_password(text, salt.octets, salt.iterations)
    stored = scram.stored_key(scram.client_key(salted))
    return ScramKeys(salt.octets, salt.iterations, stored, scram.server_key(salted))


def scram_text(password: Secret) -> str | None:
    """The password by RFC 4013; None where that refuses it or leaves nothing, which would be no password."""
    try:
        text = saslprep(password.reveal())
    except SaslprepError:
        return None
    return text or None
