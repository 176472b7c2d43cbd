"""Tokens of our own, from an issuer that knows us (RFC 6749 §4.4), for smart hosts that take no passwords.

A token is kept while it holds and renewed ahead of its end, beside the deliveries. An issuer that
refuses or is silent is not asked again at once.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client import OAuthError

from gatepost.config.oauth import OAuth
from gatepost.directory.issuer import IssuerSilent, discovered, web_of
from gatepost.directory.web import Silent
from gatepost.log import Log
from gatepost.secret import Secret

with warnings.catch_warnings():
    # It would have the successor of httpx, and says so at each start, into our log.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

_LASTS_SECONDS: Final = 300.0  # where the issuer does not say
_AHEAD: Final = 0.2  # of its time, and no more than so many seconds
_AHEAD_SECONDS: Final = 600.0
_MARGIN_SECONDS: Final = 15.0  # a login may take so long
_AGAIN_SECONDS: Final = 30.0
_PROBLEMS: Final = (Silent, OAuthError, httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError)


@dataclass(frozen=True, slots=True)
class Held:
    """A token and, on our clock, when another is to be fetched and when it ends."""

    token: Secret
    fetched_at: float
    renew_at: float
    ends_at: float


class ClientTokens:
    """By the name of the issuer in the settings."""

    def __init__(self, oauth: Mapping[str, OAuth], log: Log, clock: Callable[[], float]) -> None:
        self._sources = {name: _Source(name, one, log, clock) for name, one in oauth.items() if one.client_id}

    async def token(self, name: str) -> Secret:
        """One that holds. Raises IssuerSilent: none is to be had now."""
        return await self._sources[name].token()

    def refused(self, name: str, token: Secret) -> bool:
        """A next hop did not take it: it is not used again. Whether a new one is worth a try now."""
        return self._sources[name].refused(token)


class _Source:
    """The token of one issuer."""

    def __init__(self, name: str, oauth: OAuth, log: Log, clock: Callable[[], float]) -> None:
        self._name = name
        self._oauth = oauth
        self._log = log
        self._clock = clock
        self._web = web_of(oauth)
        self._held: Held | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._failed_at = -_AGAIN_SECONDS
        self._trouble = ""

    async def token(self) -> Secret:
        held, now = self._held, self._clock()
        if held is None or now >= held.ends_at:
            self._held = None
            held = await self._fetched()
        elif now >= held.renew_at:
            self._begin()
        return held.token

    def refused(self, token: Secret) -> bool:
        held = self._held
        if held is None or held.token.reveal() != token.reveal():
            return True
        self._held = None
        if self._clock() - held.fetched_at >= _AGAIN_SECONDS:
            return True
        self._failed("the next hop did not take the one just fetched")
        return False

    async def _fetched(self) -> Held:
        self._begin()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        if self._held is None:
            raise IssuerSilent(self._trouble)
        return self._held

    def _begin(self) -> None:
        if self._fetching is None and self._clock() - self._failed_at >= _AGAIN_SECONDS:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        """Never fails: what went wrong stands in `_trouble`."""
        try:
            said = await self._ask()
            self._held = held = _held(said, self._clock())
        except _PROBLEMS as error:
            self._failed(_words(error))
            return
        self._log.event("token-fetched", issuer=self._name, seconds=round(held.ends_at - held.fetched_at))

    def _failed(self, words: str) -> None:
        self._failed_at = self._clock()
        self._trouble = f"no token from {self._oauth.issuer}: {words}"
        self._log.warning("token-not-fetched", issuer=self._name, problem=words)

    async def _ask(self) -> Mapping[str, Any]:
        oauth = self._oauth
        secret = await asyncio.to_thread(_secret, oauth.client_secret_file)
        endpoints = await discovered(oauth, self._web)
        if endpoints.tokens is None:
            raise Silent("it says nowhere to get one")
        scope = {"scope": " ".join(oauth.request_scopes)} if oauth.request_scopes else {}
        method = "client_secret_basic" if endpoints.basic else "client_secret_post"
        async with (
            asyncio.timeout(oauth.timeout_seconds),
            AsyncOAuth2Client(
                oauth.client_id,
                secret.reveal(),
                token_endpoint_auth_method=method,
                **await self._web.settings(),
            ) as client,
        ):
            said: Mapping[str, Any] = await client.fetch_token(
                endpoints.tokens, grant_type="client_credentials", **scope
            )
        return said


def _held(said: Mapping[str, Any], now: float) -> Held:
    """Raises ValueError: it is no token that could be used."""
    token, kind, seconds = said.get("access_token"), said.get("token_type", "bearer"), said.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise ValueError("the answer holds no token")
    if str(kind).lower() != "bearer":
        raise ValueError(f"a token of the type {str(kind)[:20]!r}")
    lasts = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _LASTS_SECONDS
    ends = max(now + lasts - _MARGIN_SECONDS, now)
    return Held(Secret(token), now, ends - min(lasts * _AHEAD, _AHEAD_SECONDS), ends)


def _secret(file: Path | None) -> Secret:
    return Secret("" if file is None else file.read_text("utf-8").rstrip("\r\n"))


def _words(error: Exception) -> str:
    if isinstance(error, OAuthError):
        return " ".join(f"{error.error}: {error.description or ''}".split())[:300]
    return str(error)[:300] or type(error).__name__
