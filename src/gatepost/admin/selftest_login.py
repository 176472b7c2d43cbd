"""How the account of the self-test logs in: by whatever mechanism with a password there is."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

from cryptography import x509

from gatepost.admin.probe import Caller, Guest
from gatepost.server.certificate import binding_of
from gatepost.wire import sasl
from gatepost.wire.mechanisms import client_mechanism
from gatepost.wire.scram import ChannelBinding

_MECHANISMS: Final = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
_CHALLENGES_LIMIT: Final = 5
_NONCE_BYTES: Final = 18


def mechanism_for(offered: Collection[str]) -> str | None:
    """The cheapest by which somebody with a password can log in; None where there is none."""
    return next((one for one in _MECHANISMS if one in offered), None)


def log_in(caller: Caller, guest: Guest, name: str) -> str:
    """The last answer (RFC 4954 §4), 235 when it is let in; or why it could not be tried."""
    binding = _binding(caller) if name.endswith("-PLUS") else None
    nonce = secrets.token_bytes(_NONCE_BYTES)
    mechanism = client_mechanism(
        [name], guest.name, guest.password, nonce=nonce, encrypted=True, binding=binding
    )
    if mechanism is None:
        return f"there is no TLS to bind {name} to"
    first = mechanism.start()
    answer = caller.say(f"AUTH {name}" + ("" if first is None else f" {sasl.encode_initial(first).decode()}"))
    try:
        for _ in range(_CHALLENGES_LIMIT):
            if not answer.startswith("334"):
                break
            answer = caller.say(sasl.encode(mechanism.step(sasl.decode(answer[4:].encode()))).decode())
    except sasl.SaslError as problem:
        return str(problem)
    return answer


def _binding(caller: Caller) -> ChannelBinding | None:
    """RFC 5929 §4: the certificate that is shown. Where a server has two it is not sure which."""
    shown = caller.certificate()
    if shown is None:
        return None
    return ChannelBinding("tls-server-end-point", binding_of(x509.load_der_x509_certificate(shown)))
