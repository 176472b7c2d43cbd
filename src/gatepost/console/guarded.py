"""What stands before every page: the names under which we answer, headers, forged requests, the session.

Pure ASGI, so that it holds for web sockets too.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote, urlsplit

from gatepost.console.policy import Policed, uncompressed
from gatepost.console.sessions import BARE, HALF, Session, Sessions, Visit
from gatepost.console.visitor import VISITOR

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NAMES_SECONDS: Final = 30.0
_BODY_BYTES: Final = 16 * 1024 * 1024

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # not no-referrer: browsers would then send forms with `Origin: null`
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of this name."""
    found: bytes | None = next((value for key, value in scope["headers"] if key == name), None)
    return None if found is None else found.decode("latin-1")


def cookie_name(scope: Scope) -> str:
    """`__Host-` ties the cookie to HTTPS and to this host (RFC 6265bis §4.1.3.2)."""
    return "__Host-gatepost" if scope.get("scheme") in ("https", "wss") else "gatepost"


def cookie(scope: Scope, name: str) -> str | None:
    """The cookie's value."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header(scope, b"cookie") or "")
    except CookieError:
        return None
    return jar[name].value if name in jar else None


class Guarded:
    """`names` gives the host names under which we answer; addresses and localhost always do."""

    def __init__(self, app: App, names: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._names = names
        self._known: Collection[str] = ()
        self._known_until = 0.0

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refuse(scope, receive, send, *refusal)
            return
        if scope["type"] == "http" and _wants_page(scope):
            scope = uncompressed(scope)
        await self._app(scope, receive, _with_headers(Policed(send)))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        host = header(scope, b"host") or ""
        if not self._is_ours(host):
            return 421, "This is not the name of this console. [console] names in the configuration adds it."
        unsafe = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if unsafe and not _is_same_origin(scope, host):
            return 403, "This request comes from another site."
        return _too_long(scope) if unsafe and scope["type"] == "http" else None

    def _is_ours(self, host: str) -> bool:
        """A name that is not ours may be a foreign page's that leads here (DNS rebinding)."""
        name = urlsplit(f"//{host}").hostname if host.isascii() else None
        if name is None:
            return False
        try:
            ip_address(name)
        except ValueError:
            return name == "localhost" or name in self._our_names()
        return True

    def _our_names(self) -> Collection[str]:
        """Asked for twice a minute: they stand in a certificate, which may be slow to open."""
        now = time.monotonic()
        if now >= self._known_until:
            self._known, self._known_until = self._names(), now + _NAMES_SECONDS
        return self._known


def _is_same_origin(scope: Scope, host: str) -> bool:
    """What browsers say of a request's source; programs say nothing, and have no cookies either."""
    origin = header(scope, b"origin")
    if origin is not None:
        parts = urlsplit(origin)
        scheme = "https" if scope.get("scheme") in ("https", "wss") else "http"
        return (parts.scheme, parts.netloc.lower()) == (scheme, host.lower())
    return header(scope, b"sec-fetch-site") in (None, "same-origin", "none")


def _too_long(scope: Scope) -> tuple[int, str] | None:
    length = header(scope, b"content-length")
    if length is None:
        chunked = header(scope, b"transfer-encoding") is not None
        return (411, "The length has to be said.") if chunked else None
    if not length.isdecimal() or int(length) > _BODY_BYTES:
        return 413, "This is too long."
    return None


def _with_headers(send: Any) -> Any:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = [*message.get("headers", ())]
            known = {key.lower() for key, _ in there}
            wanted: Iterable[tuple[bytes, bytes]] = (*_HEADERS, (b"cache-control", b"no-store"))
            message = {**message, "headers": there + [one for one in wanted if one[0] not in known]}
        await send(message)

    return sending


class SignedIn:
    """Only who has signed in gets to the application; `open_paths`, and what is below, anybody may see."""

    def __init__(self, app: App, sessions: Sessions, open_paths: tuple[str, ...]) -> None:
        self._app = app
        self._sessions = sessions
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket") or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        session = await self._sessions.find(cookie(scope, cookie_name(scope)))
        if session is not None and session.is_whole:
            visit = Visit(self._sessions, session.row.id, session.row.name)
            await self._app({**scope, VISITOR: visit}, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and _wants_page(scope):
            await redirect(send, _sign_in_path(scope, session))
        else:
            await refuse(scope, receive, send, 401, "First sign in.")

    def _is_open(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in self._open)


def _wants_page(scope: Scope) -> bool:
    return "text/html" in (header(scope, b"accept") or "")


def _sign_in_path(scope: Scope, session: Session | None) -> str:
    stage = None if session is None else session.row.stage
    if stage == BARE:
        return "/account"
    query = scope.get("query_string", b"").decode("latin-1")
    here = scope["path"] + (f"?{query}" if query else "")
    path = "/sign-in/second" if stage == HALF else "/sign-in"
    return path if here == "/" else f"{path}?next={quote(here, safe='')}"


async def redirect(send: Any, path: str) -> None:
    """The browser goes to the path."""
    headers = [(b"location", path.encode("latin-1")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def refuse(scope: Scope, receive: Any, send: Any, status: int, text: str) -> None:
    """The answer is no, in a line of text."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403
        return
    body = text.encode() + b"\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def safe_next(path: str | None) -> str:
    """The path to go on at; the front page for what would lead elsewhere."""
    if (
        not path
        or not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or not path.isprintable()
    ):
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path
