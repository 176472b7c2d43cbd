"""Logging in at a smart host (RFC 4954): SCRAM where it is offered, else PLAIN or LOGIN.

A password never goes over a connection in clear, unless the route says `tls = off`: who took TLS out
of the connection would have it.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from gatepost.delivery.dialogue import Dialogue
from gatepost.delivery.nexthop import NextHop, RelayLogin, TlsUse
from gatepost.delivery.parcel import clean
from gatepost.secret import Secret
from gatepost.smtp.command import Auth, AuthCancelled, AuthResponse
from gatepost.wire import sasl
from gatepost.wire.mechanisms import client_mechanism

_CHALLENGES_LIMIT = 5
_NONCE_BYTES = 18


class LoginRefused(Exception):
    """We could not log in. The text says why, without any secret."""


async def log_in(dialogue: Dialogue, hop: NextHop, seconds: float) -> None:
    """The session is authenticated, if the route has a login.

    Raises:
        LoginRefused: no mechanism in common, or the host refused, or did not prove itself.
        ConversationLost: the connection ended.
        OSError: the password file cannot be read.
    """
    if hop.login is None:
        return
    password = await asyncio.to_thread(_password, hop.login.password_file)
    try:
        mechanism = _mechanism(dialogue, hop, hop.login, password)
        await _exchange(dialogue, mechanism, seconds)
    except sasl.SaslError as error:
        raise LoginRefused(str(error)) from None


def _password(file: Path) -> Secret:
    return Secret(file.read_text(encoding="utf-8").rstrip("\r\n"))


def _mechanism(dialogue: Dialogue, hop: NextHop, login: RelayLogin, password: Secret) -> sasl.ClientMechanism:
    offered = dialogue.core.extensions.auth
    mechanism = client_mechanism(
        offered,
        login.user,
        password,
        nonce=secrets.token_bytes(_NONCE_BYTES),
        encrypted=dialogue.channel.tls is not None or hop.tls is TlsUse.OFF,
    )
    if mechanism is None:
        words = clean(" ".join(offered)) or "nothing"
        raise LoginRefused(f"no way to log in: the next hop offers {words}; in clear only SCRAM is used")
    return mechanism


async def _exchange(dialogue: Dialogue, mechanism: sasl.ClientMechanism, seconds: float) -> None:
    reply = await dialogue.ask(Auth(mechanism.name, mechanism.start()), seconds)
    for _ in range(_CHALLENGES_LIMIT):
        if reply.code != 334:
            break
        try:
            response = mechanism.step(sasl.decode(reply.text.strip().encode()))
        except sasl.SaslError:
            await dialogue.ask(AuthCancelled(), seconds)
            raise
        reply = await dialogue.ask(AuthResponse(response), seconds)
    if reply.code // 100 != 2:
        raise LoginRefused(clean(f"login by {mechanism.name} refused: {reply}"))
    mechanism.finish()
