"""What a browser keeps for us for minutes and cannot change: a sign-in that is under way at a provider."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from gatepost.directory.idtoken import Asking

LASTS_SECONDS: Final = 600
_USED_AT_MOST: Final = 10_000
_KEY: Final = secrets.token_bytes(32)  # of this process: what was begun before a restart is begun anew


@dataclass(frozen=True, slots=True)
class UnderWay:
    """`onward` is where it goes on; `session` the number of the one that asks again, or is replaced."""

    state: str
    nonce: str
    verifier: str
    onward: str
    at: float
    session: str
    again: bool

    @staticmethod
    def begun(onward: str, at: float, *, session: str, again: bool) -> UnderWay:
        """Secrets that nobody else has. PKCE wants 43 characters or more (RFC 7636 §4.1)."""
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
        return UnderWay(state, nonce, verifier, onward, at, session, again)

    @property
    def asking(self) -> Asking:
        """What the provider's answer must fit."""
        return Asking(self.state, self.nonce, self.verifier)


def sealed(one: UnderWay) -> str:
    """As a cookie's value."""
    body = base64.urlsafe_b64encode(json.dumps(asdict(one)).encode()).decode()
    return f"{body}.{_mark(body)}"


class Opening:
    """Opens each once. `clock` counts Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def opened(self, value: str | None, state: str) -> UnderWay | None:
        """What was sealed, if it waits for this state and has not been opened before; None: it is nothing."""
        one = _read(value or "")
        if one is None or not hmac.compare_digest(one.state.encode(), state.encode("utf-8", "replace")):
            return None
        now = self._clock()
        if now - one.at > LASTS_SECONDS or one.state in self._used:
            return None
        self._used = {key: at for key, at in self._used.items() if now - at <= LASTS_SECONDS}
        while len(self._used) >= _USED_AT_MOST:
            del self._used[next(iter(self._used))]
        self._used[one.state] = now
        return one


def _read(value: str) -> UnderWay | None:
    body, _, mark = value.partition(".")
    if not hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(body).encode()):
        return None
    try:
        return UnderWay(**json.loads(base64.urlsafe_b64decode(body)))
    except (binascii.Error, ValueError, TypeError):
        return None


def _mark(body: str) -> str:
    return hmac.new(_KEY, body.encode("utf-8", "replace"), "sha256").hexdigest()
