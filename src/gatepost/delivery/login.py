"""Logging in at a smart host (RFC 4954): SCRAM where it is offered, else PLAIN or LOGIN; or with a token.

A password never goes over a connection in clear, unless the route says `tls = off`: who took TLS out
of the connection would have it. A token never does at all.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Protocol

from gatepost.delivery.dialogue import Dialogue
from gatepost.delivery.nexthop import NextHop, RelayLogin, TlsUse
from gatepost.delivery.parcel import clean
from gatepost.directory.directory import Unavailable
from gatepost.secret import Secret
from gatepost.smtp.command import Auth, AuthCancelled, AuthResponse
from gatepost.wire import sasl
from gatepost.wire.bearer import BearerClient
from gatepost.wire.mechanisms import client_mechanism

_CHALLENGES_LIMIT = 5
_BY_TOKEN = ("OAUTHBEARER", "XOAUTH2")
_NONCE_BYTES = 18


class LoginRefused(Exception):
    """We could not log in. The text says why, without any secret."""


class Tokens(Protocol):
    """Tokens of our own, by the name of their issuer."""

    async def token(self, name: str) -> Secret:
        """Raises Unavailable: none is to be had now."""

    def refused(self, name: str, token: Secret) -> bool:
        """A next hop did not take it. Whether a new one is worth a try now."""


async def log_in(dialogue: Dialogue, hop: NextHop, seconds: float, tokens: Tokens | None = None) -> None:
    """The session is authenticated, if the route has a login.

    Raises:
        LoginRefused: no mechanism in common, or the host refused, or did not prove itself.
        ConversationLost: the connection ended.
        OSError: the password file cannot be read.
    """
    if hop.login is None:
        return
    try:
        if hop.login.oauth is not None and tokens is not None:
            await _by_token(dialogue, hop.login.user, hop.login.oauth, tokens, seconds)
        else:
            password = await asyncio.to_thread(_password, hop.login.password_file)
            await _exchange(dialogue, _mechanism(dialogue, hop, hop.login, password), seconds)
    except sasl.SaslError as error:
        raise LoginRefused(str(error)) from None


async def _by_token(dialogue: Dialogue, user: str, issuer: str, tokens: Tokens, seconds: float) -> None:
    """Logged in with a token; with a new one where an old one was refused."""
    offered = dialogue.core.extensions.auth
    name = next((one for one in _BY_TOKEN if one in offered), None)
    if name is None or dialogue.channel.tls is None:
        words = "in clear" if name else f"offers {clean(' '.join(offered)) or 'nothing'}"
        raise LoginRefused(f"no way to log in with a token: the next hop {words}")
    for again in (False, True):
        try:
            token = await tokens.token(issuer)
        except Unavailable as silent:
            raise LoginRefused(clean(str(silent))) from None
        mechanism = BearerClient(name, user, token)
        try:
            await _exchange(dialogue, mechanism, seconds)
            return
        except LoginRefused as refused:
            if again or not tokens.refused(issuer, token):
                raise LoginRefused(clean(f"{refused} {mechanism.reason}".rstrip())) from None


def _password(file: Path | None) -> Secret:
    if file is None:
        raise LoginRefused("the route names no password")
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
