"""What a page may do in the browser (Content Security Policy Level 3): nothing that it was not sent with.

NiceGUI compiles its templates in the browser, hence 'unsafe-eval', and sets styles on elements, hence
'unsafe-inline' for styles. Its scripts get a nonce, so that no other script in the page runs, nor any
handler written into an element.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from typing import Any, Final

OWN_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_CONSOLE: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; script-src-attr 'none'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
_MARK: Final = b"x-nicegui-content"
_SCRIPT: Final = re.compile(rb"<script(?=[\s>])")

Message = MutableMapping[str, Any]


def uncompressed(scope: Message) -> Message:
    """The request as one for a page that can be read here: of the console's own, some kilobytes."""
    return {**scope, "headers": [one for one in scope["headers"] if one[0] != b"accept-encoding"]}


class Policed:
    """Sends an answer on, with its policy; a page of the console is held until it is whole."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._held: Message | None = None
        self._page = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._held is not None and message["type"] == "http.response.body":
            self._page += message.get("body", b"")
            if not message.get("more_body", False):
                await self._whole(self._held)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        headers = list(message.get("headers", ()))
        names = {name.lower() for name, _ in headers}
        if _MARK in names:
            self._held = message
        elif b"content-security-policy" in names:
            await self._send(message)
        else:
            headers.append((b"content-security-policy", _NOTHING.encode()))
            await self._send({**message, "headers": headers})

    async def _whole(self, message: Message) -> None:
        nonce = secrets.token_urlsafe(16)
        body = _SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), bytes(self._page))
        headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        headers.append((b"content-security-policy", _CONSOLE.format(nonce=nonce).encode()))
        await self._send({**message, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
