"""What an issuer says of itself (OpenID Connect Discovery 1.0 §4), and its keys (RFC 7517), remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from gatepost.config.oauth import Issuer
from gatepost.directory.directory import Unavailable
from gatepost.directory.tokenkeys import Key, keys_of
from gatepost.directory.web import Silent, Web
from gatepost.log import Log
from gatepost.policy.reasons import Reason

_AGAIN_SECONDS: Final = 30.0  # so long nobody makes us ask again by naming keys that are not there
_AFTER_SILENCE_SECONDS: Final = 5.0

I = TypeVar("I", bound=Issuer)  # noqa: E741


class IssuerSilent(Unavailable):
    """Tokens cannot be checked, or fetched, now."""

    reason = Reason.ISSUER_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the issuer has its keys, gives tokens, signs people in and out, and says more of them.

    `basic`: it takes secrets as HTTP does.
    """

    keys: str
    tokens: str | None
    basic: bool
    sign_in: str | None = None
    userinfo: str | None = None
    sign_out: str | None = None


def web_of(oauth: Issuer) -> Web:
    return Web(ca_file=oauth.ca_file, proxy=oauth.proxy, timeout_seconds=oauth.timeout_seconds)


def discovery_address(oauth: Issuer) -> str:
    return f"{oauth.issuer}/.well-known/openid-configuration"


async def discovered(oauth: Issuer, web: Web) -> Endpoints:
    """What the issuer says now. Raises Silent, also where it is another's, or sends us into the clear."""
    address = discovery_address(oauth)
    said = await web.get(address)
    if str(said.get("issuer", "")).rstrip("/") != oauth.issuer:
        raise Silent(f"{address}: it is the issuer {str(said.get('issuer'))[:200]!r}, not {oauth.issuer!r}")
    methods = said.get("token_endpoint_auth_methods_supported")
    return Endpoints(
        _address(said, "jwks_uri", oauth),
        _address_if_any(said, "token_endpoint", oauth),
        # how basic is to be encoded has been read in two ways (RFC 6749 §2.3.1)
        not isinstance(methods, list) or "client_secret_post" not in methods,
        _address_if_any(said, "authorization_endpoint", oauth),
        _address_if_any(said, "userinfo_endpoint", oauth),
        _address_if_any(said, "end_session_endpoint", oauth),
    )


def _address_if_any(said: dict[str, Any], key: str, oauth: Issuer) -> str | None:
    return _address(said, key, oauth) if said.get(key) else None


def _address(said: dict[str, Any], key: str, oauth: Issuer) -> str:
    address = said.get(key)
    schemes = ("https://", "http://") if oauth.issuer.startswith("http://") else ("https://",)
    if not isinstance(address, str) or not address.startswith(schemes):
        raise Silent(f"{discovery_address(oauth)}: {key} is no address with https://")
    return address


class IssuerKeys(Generic[I]):
    """The keys of one issuer. Asked for when first needed, and again after a while, beside the logins."""

    def __init__(self, name: str, oauth: I, *, clock: Callable[[], float], log: Log) -> None:
        self.name = name
        self.oauth = oauth
        self._clock = clock
        self._log = log
        self._web = web_of(oauth)
        self._keys: tuple[Key, ...] | None = None
        self._endpoints: Endpoints | None = None
        self._learnt_at = 0.0
        self._asked_at = -_AGAIN_SECONDS
        self._silence: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def matching(self, kid: str | None, algorithm: str) -> list[Key]:
        """The keys that may have made such a signature. Raises IssuerSilent."""
        if self._keys is None or self._age > self.oauth.stale_seconds:
            self._keys = None
            await self._ask(_AFTER_SILENCE_SECONDS)
        elif self._age > self.oauth.keys_seconds:
            self._ask_beside()
        found = self._fitting(kid, algorithm)
        if not found:  # perhaps the issuer has new ones
            await self._ask(_AGAIN_SECONDS)
            found = self._fitting(kid, algorithm)
        return found

    async def endpoints(self) -> Endpoints:
        """Its addresses, learnt a moment ago. Raises IssuerSilent."""
        await self._ask(_AFTER_SILENCE_SECONDS)
        assert self._endpoints is not None
        return self._endpoints

    @property
    def _age(self) -> float:
        return self._clock() - self._learnt_at

    def _fitting(self, kid: str | None, algorithm: str) -> list[Key]:
        return [key for key in self._keys or () if key.fits(kid, algorithm)]

    async def _ask(self, seconds: float) -> None:
        """The keys are those of now, or of less than so many seconds ago. Raises IssuerSilent."""
        if self._asking is None and self._clock() - self._asked_at >= seconds:
            self._begin()
        if self._asking is not None:
            await asyncio.shield(self._asking)
        if self._silence is not None:
            raise IssuerSilent(self._silence)

    def _ask_beside(self) -> None:
        if self._asking is None and self._clock() - self._asked_at >= _AGAIN_SECONDS:
            self._begin()

    def _begin(self) -> None:
        self._asked_at = self._clock()
        self._asking = asyncio.create_task(self._learn())
        self._asking.add_done_callback(self._learnt)

    async def _learn(self) -> None:
        """Never fails: what went wrong stands in `_silence`."""
        try:
            endpoints = await discovered(self.oauth, self._web)
            keys = keys_of(await self._web.get(endpoints.keys))
            if not keys:
                raise Silent(f"{endpoints.keys}: there is no key for signatures")
        except Silent as problem:
            self._silence = str(problem)
            self._log.warning("issuer-silent", issuer=self.name, problem=str(problem))
            return
        if self._keys is None or self._silence is not None:
            self._log.event("issuer-keys", issuer=self.name, keys=len(keys))
        self._keys, self._silence, self._learnt_at = keys, None, self._clock()
        self._endpoints = endpoints

    def _learnt(self, task: asyncio.Task[None]) -> None:
        self._asking = None
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._silence = type(fault).__name__
            self._log.error("internal-fault", issuer=self.name, fault=f"{type(fault).__name__}: {fault}")

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
