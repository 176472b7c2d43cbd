"""A provider that signs people in: the code flow with PKCE, state and nonce (OpenID Connect Core §3.1)."""

from __future__ import annotations

import asyncio
import hmac
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client import OAuthError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from gatepost.config.openid import OpenId
from gatepost.directory import idtoken
from gatepost.directory.claims import claim
from gatepost.directory.granted import TokenRefused
from gatepost.directory.idtoken import Asking, Voucher
from gatepost.directory.issuer import Endpoints, IssuerKeys, IssuerSilent, web_of
from gatepost.directory.tokenkeys import BadToken, claims_of, label_of, not_taken
from gatepost.directory.web import Silent
from gatepost.log import Log
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret

with warnings.catch_warnings():
    # It would have the successor of httpx, and says so at each start, into our log.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

_PROBLEMS: Final = (OAuthError, httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError)
_THEIRS: Final = frozenset({"invalid_grant", "invalid_request"})
"""Of these the code is to blame, which came by way of a browser; all else is between provider and us."""


class Provider:
    """Times are seconds: `clock` runs evenly, `wall` since the epoch."""

    def __init__(
        self, openid: OpenId, log: Log, *, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self.openid = openid
        self._log = log
        self._wall = wall
        self._web = web_of(openid)
        self._keys = IssuerKeys("console", openid, clock=clock, log=log)

    async def sign_in_address(
        self, asking: Asking, back: str, *, within_seconds: int, again: bool = False
    ) -> str:
        """Where the browser goes; the answer comes to `back`. `again`: the password is asked for there.

        Raises IssuerSilent.
        """
        endpoints = await self._keys.endpoints()
        if endpoints.sign_in is None:
            raise IssuerSilent(f"{self.openid.issuer} names no authorization_endpoint")
        # max_age makes auth_time part of the answer (§3.1.2.1); of 0 some providers make an error
        more = {"max_age": str(within_seconds)} | ({"prompt": "login"} if again else {})
        return str(
            prepare_grant_uri(
                endpoints.sign_in, client_id=self.openid.client_id, response_type="code",
                redirect_uri=back, scope=" ".join(self.openid.scopes), state=asking.state, nonce=asking.nonce,
                code_challenge=create_s256_code_challenge(asking.verifier), code_challenge_method="S256",
                **more,
            )
        )  # fmt: skip

    async def sign_out_address(self) -> str | None:
        """Where one signs out of the provider; None: it has no such place. Raises IssuerSilent."""
        address = (await self._keys.endpoints()).sign_out
        if address is None:
            return None
        return f"{address}{'&' if '?' in address else '?'}{urlencode({'client_id': self.openid.client_id})}"

    async def voucher(self, asking: Asking, code: str, back: str) -> Voucher:
        """Whom the code means. Raises TokenRefused, IssuerSilent."""
        endpoints = await self._keys.endpoints()
        said = await self._exchanged(endpoints, asking, code, back)
        claims = await self._claims(said.get("id_token"), asking.nonce)
        if claim(claims, self.openid.roles_claim) is None or claim(claims, self.openid.user_claim) is None:
            claims = {**await self._more(endpoints, said.get("access_token"), claims["sub"]), **claims}
        return idtoken.voucher(claims, self.openid, self._wall())

    async def _exchanged(
        self, endpoints: Endpoints, asking: Asking, code: str, back: str
    ) -> Mapping[str, Any]:
        if endpoints.tokens is None:
            raise IssuerSilent(f"{self.openid.issuer} names no token_endpoint")
        try:
            secret = await asyncio.to_thread(self._secret)
            async with (
                asyncio.timeout(self.openid.timeout_seconds),
                self._client(endpoints, secret, **await self._web.settings()) as client,
            ):
                said: Mapping[str, Any] = await client.fetch_token(
                    endpoints.tokens, grant_type="authorization_code", code=code,
                    code_verifier=asking.verifier, redirect_uri=back,
                )  # fmt: skip
        except Silent as problem:
            raise IssuerSilent(str(problem)) from None
        except _PROBLEMS as problem:
            if isinstance(problem, OAuthError) and problem.error in _THEIRS:
                raise TokenRefused(Reason.TOKEN_REFUSED, f"the provider says {_words(problem)}") from None
            raise IssuerSilent(f"{endpoints.tokens}: {_words(problem)}") from None
        return said

    async def _claims(self, token: object, nonce: str) -> dict[str, Any]:
        if not isinstance(token, str):
            raise TokenRefused(Reason.TOKEN_REFUSED, "there is no ID token in the answer")
        try:
            label = label_of(token)
            if label.algorithm not in self.openid.algorithms:
                raise BadToken(not_taken(label.algorithm))
            keys = await self._keys.matching(label.kid, label.algorithm)
            claims = claims_of(token, keys, label.algorithm)
        except BadToken as problem:
            raise TokenRefused(Reason.TOKEN_REFUSED, str(problem)) from None
        idtoken.check(claims, self.openid, nonce, self._wall())
        return claims

    async def _more(self, endpoints: Endpoints, token: object, subject: str) -> dict[str, Any]:
        """What the provider says of the same person when asked (§5.3); empty where it is not asked."""
        if endpoints.userinfo is None or not isinstance(token, str):
            return {}
        try:
            said = await self._web.get(endpoints.userinfo, bearer=Secret(token))
        except Silent as problem:
            raise IssuerSilent(str(problem)) from None
        if not hmac.compare_digest(str(said.get("sub")).encode(), subject.encode()):
            raise TokenRefused(Reason.TOKEN_REFUSED, "userinfo is of another subject")  # §5.3.2
        return said

    def _client(self, endpoints: Endpoints, secret: Secret, **settings: Any) -> AsyncOAuth2Client:
        method = "client_secret_basic" if endpoints.basic else "client_secret_post"
        return AsyncOAuth2Client(
            self.openid.client_id, secret.reveal(),
            token_endpoint_auth_method=method if self.openid.client_secret_file is not None else "none",
            **settings,
        )  # fmt: skip

    def _secret(self) -> Secret:
        file = self.openid.client_secret_file
        return Secret("" if file is None else file.read_text("utf-8").rstrip("\r\n"))

    def close(self) -> None:
        self._keys.close()


def _words(error: Exception) -> str:
    if isinstance(error, OAuthError):
        return " ".join(f"{error.error}: {error.description or ''}".split())[:300]
    return str(error)[:300] or type(error).__name__
