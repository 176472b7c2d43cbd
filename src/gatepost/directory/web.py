"""JSON from an issuer over HTTPS, within bounds: one deadline, one size, no redirects."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any, Final

import httpx

from gatepost.secret import Secret

_ANSWER_BYTES: Final = 1 << 20


class Silent(Exception):
    """No answer in time, or none that makes sense. The text names the address and says why."""


class Web:
    """Asks by way of `proxy`, if there is one. `ca_file` None: the authorities this machine trusts."""

    def __init__(self, *, ca_file: Path | None, proxy: str | None, timeout_seconds: float) -> None:
        self._ca_file = ca_file
        self._proxy = proxy
        self._seconds = timeout_seconds

    async def settings(self) -> dict[str, Any]:
        """What a client of httpx needs to keep the bounds. Raises Silent: the authorities cannot be read."""
        try:
            trust = await asyncio.to_thread(_trust, self._ca_file)  # it reads and parses a long file
        except (OSError, ssl.SSLError) as problem:
            raise Silent(f"{self._ca_file}: {problem}") from None
        return {
            "verify": trust,
            "proxy": self._proxy,
            "timeout": self._seconds,
            "trust_env": False,
            "follow_redirects": False,
        }

    async def get(self, url: str, *, bearer: Secret | None = None) -> dict[str, Any]:
        """The object at the address, shown to the bearer of a token. Raises Silent."""
        try:
            async with asyncio.timeout(self._seconds):
                async with httpx.AsyncClient(**await self.settings()) as client:
                    return read(url, await _body(client, url, bearer))
        except (TimeoutError, httpx.TimeoutException):
            raise Silent(f"{url}: no answer within {self._seconds} s") from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError) as problem:
            raise Silent(f"{url}: {problem or type(problem).__name__}") from None


async def _body(client: httpx.AsyncClient, url: str, bearer: Secret | None) -> bytes:
    body, headers = bytearray(), {"Accept": "application/json"}
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer.reveal()}"
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise Silent(f"{url}: HTTP status {response.status_code}")
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _ANSWER_BYTES:
                raise Silent(f"{url}: an answer without end")
    return bytes(body)


def read(url: str, body: bytes) -> dict[str, Any]:
    """The object. Raises Silent: it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Silent(f"{url}: the answer is no JSON") from None
    if not isinstance(found, dict):
        raise Silent(f"{url}: the answer is no JSON object")
    return found


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
