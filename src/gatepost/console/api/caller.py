"""Who asks: the user at the Unix socket, a token, or whoever has signed in to the console."""

from __future__ import annotations

import asyncio
import os
import pwd
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Final

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from gatepost.admin.actor import Actor, Forbidden
from gatepost.admin.acts import Acts
from gatepost.admin.roles import Area, Role
from gatepost.console.api.problems import NoCredentials
from gatepost.console.doors import PEER_UID
from gatepost.console.forms import require_script
from gatepost.console.guarded import cookie, cookie_name
from gatepost.console.office import Office
from gatepost.console.vouched import PREFIX
from gatepost.store.tokens import Token, maker_name

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_USED_SECONDS: Final = 60.0
_bearer = HTTPBearer(auto_error=False, description="A token of `gatepost token add`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def office_of(request: Request) -> Office:
    """The office that the application was made over."""
    office: Office = request.app.state.office
    return office


async def actor_of(request: Request, credentials: Credentials = None) -> Actor:
    """Raises NoCredentials, Forbidden, Forged."""
    uid = request.scope.get(PEER_UID)
    if uid is not None:
        return _local(int(uid))
    if credentials is not None:
        return await _by_token(office_of(request), request, credentials.credentials)
    return await _by_session(office_of(request), request)


def _local(uid: int) -> Actor:
    """Root and the service itself: whoever can read its files can do everything anyhow."""
    if uid not in (0, os.geteuid()):
        raise Forbidden("this user of the machine has no role; root and the service's own have")
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Actor(name, Role.ADMINISTRATOR, via="socket")


async def _by_token(office: Office, request: Request, shown: str) -> Actor:
    token = await asyncio.to_thread(office.house.accounts.tokens.proven, shown)
    if token is None or not await _is_still_his(office, token):
        peer = request.client.host if request.client else ""
        office.log.warning("api-refused", peer=peer, reason="token")
        raise NoCredentials("this token is not good, or not any more")
    await asyncio.to_thread(_used, office, token)
    areas = None if token.areas is None else frozenset(Area(area) for area in token.areas)
    peer = request.client.host if request.client else ""
    return Actor(maker_name(token), Role(token.role), "api", peer, areas)


async def _is_still_his(office: Office, token: Token) -> bool:
    """Whether a maker whom a directory knows has the token's role himself by now. Raises Unavailable.

    Tokens of Gatepost's own administrators end with their role; a provider cannot be asked of anybody.
    """
    maker = await asyncio.to_thread(office.house.accounts.administrators.find, token.made_by)
    if maker is None or maker.role is not None or token.made_by.startswith(PREFIX):
        return True
    role = await office.sessions.role_of(token.made_by)
    return role is not None and role.covers(Role(token.role))


def _used(office: Office, token: Token) -> None:
    now = time.time()
    with suppress(sqlite3.Error):  # the list is less exact then
        if now - office.store.token_uses().get(token.id, 0.0) > _USED_SECONDS:
            office.store.token_used(token.id, now)


async def _by_session(office: Office, request: Request) -> Actor:
    session = await office.sessions.find(cookie(request.scope, cookie_name(request.scope)))
    if session is None or not session.is_whole:
        raise NoCredentials("send a token: Authorization: Bearer gp_...")
    if request.method not in _SAFE:
        require_script(request, session)
    return office.actor(session)


async def acts_of(request: Request, actor: Annotated[Actor, Depends(actor_of)]) -> Acts:
    """What the caller may do; each act asks for its role itself."""
    return Acts(office_of(request).house, actor)


def asks(act: str) -> Callable[..., Awaitable[Acts]]:
    """A dependency: the caller, who may do this."""

    async def allowed(acts: Annotated[Acts, Depends(acts_of)]) -> Acts:
        acts.actor.require(act)
        return acts

    return allowed
