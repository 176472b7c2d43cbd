"""Which mechanism a name means, and which one a client takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from gatepost.secret import Secret
from gatepost.wire.external import ExternalServer
from gatepost.wire.login import LoginClient, LoginServer
from gatepost.wire.plain import PlainClient, PlainServer
from gatepost.wire.sasl import ClientMechanism, ServerMechanism
from gatepost.wire.scram import ChannelBinding
from gatepost.wire.scram_client import ScramClient
from gatepost.wire.scram_server import ScramOffer, ScramServer

SAYS_PASSWORD: Final = frozenset({"PLAIN", "LOGIN"})
"""Mechanisms that carry the password itself: for encrypted connections."""


def server_mechanism(name: str, offer: Callable[[], ScramOffer]) -> ServerMechanism | None:
    """A new exchange of the mechanism of this name, in capitals; None when there is none.

    `offer` is asked where the mechanism is one of SCRAM.
    """
    match name:
        case "PLAIN":
            return PlainServer()
        case "LOGIN":
            return LoginServer()
        case "EXTERNAL":
            return ExternalServer()
        case "SCRAM-SHA-256":
            return ScramServer(offer(), plus=False)
        case "SCRAM-SHA-256-PLUS":
            return ScramServer(offer(), plus=True)
    return None


def client_mechanism(
    offered: Collection[str],
    name: str,
    password: Secret,
    *,
    nonce: bytes,
    encrypted: bool,
    binding: ChannelBinding | None = None,
) -> ClientMechanism | None:
    """The best exchange that both sides know, None when there is none.

    The password itself is said only when `encrypted`. `binding` None when our side has none.

    Raises:
        SaslError: a name or password that SCRAM cannot carry.
    """
    if binding is not None and "SCRAM-SHA-256-PLUS" in offered:
        return ScramClient(name, password, nonce=nonce, binding=binding)
    if "SCRAM-SHA-256" in offered:
        return ScramClient(name, password, nonce=nonce, could_bind=binding is not None)
    if encrypted and "PLAIN" in offered:
        return PlainClient(name, password)
    if encrypted and "LOGIN" in offered:
        return LoginClient(name, password)
    return None
