"""Requests that may come twice: with an Idempotency-Key a POST is done once, and answered the same again.

Answers are kept for a day under who asked. Those that hold a secret are not: the same request is then told
that it was done. Of a request only a keyed hash is kept, under a key that dies with the process: a request
may hold a password. Whether one is the same is not asked across a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import MutableMapping
from typing import Annotated, Any, Final

from fastapi import Header

from gatepost.console.api.problems import problem
from gatepost.console.doors import PEER_UID
from gatepost.console.guarded import App, Scope, cookie, cookie_name, header
from gatepost.store.consoledb import AnswerRow, ConsoleStore

MARK: Final = "gatepost-not-kept"  # on an answer of ours that holds a secret; it is taken off
_CHARACTERS: Final = 128
_LIFE_BYTES: Final = 8

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=_CHARACTERS,
        description="Drawn by you for this request; sent again with it, it is done once.",
    ),
]


async def idempotency_key(key: Key = None) -> None:
    """Documents the header; `Idempotent` reads it."""


class Idempotent:
    """Around the API."""

    def __init__(self, app: App, store: ConsoleStore) -> None:
        self._app = app
        self._store = store
        self._life, self._key = secrets.token_bytes(_LIFE_BYTES), secrets.token_bytes(32)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        key = header(scope, b"idempotency-key") if scope["type"] == "http" else None
        if not key or scope["method"] != "POST" or len(key) > _CHARACTERS:
            await self._app(scope, receive, _without_mark(send))
            return
        body = await _whole(receive)
        who = _who(scope)
        question = self._life + hmac.digest(self._key, f"{scope['path']}\0".encode() + body, "sha256")
        there = await asyncio.to_thread(self._store.begin, who, key, question, time.time())
        if there is not None:
            await _again(there, question)(scope, receive, send)
            return
        await self._first(scope, body, send, who, key)

    async def _first(self, scope: Scope, body: bytes, send: Any, who: str, key: str) -> None:
        answer = _Heard(send)
        try:
            await self._app(scope, _replayed(body), answer)
        finally:
            if answer.status is None or answer.status >= 500 or answer.status in (401, 403):
                await asyncio.to_thread(self._store.unanswered, who, key)
            else:
                kept = b"" if answer.is_secret else bytes(answer.body)
                await asyncio.to_thread(self._store.answered, who, key, answer.status, kept)


class _Heard:
    """Sends on, and remembers."""

    def __init__(self, send: Any) -> None:
        self._send = _without_mark(send)
        self.status: int | None = None
        self.is_secret = False
        self.body = bytearray()

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.is_secret = any(key == MARK.encode() for key, _ in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        await self._send(message)


def _again(there: AnswerRow, question: bytes) -> Any:
    same_life = there.question[:_LIFE_BYTES] == question[:_LIFE_BYTES]
    if same_life and there.question != question:
        return problem(422, "key-reused", "The key was used for another request", "Draw another one.")
    if there.status is None:
        return problem(
            409,
            "in-progress",
            "The same request is being worked on",
            "Ask again in a moment; after a restart look whether it was done.",
        )
    if not there.body and there.status == 201:
        return problem(409, "done-already", "This was done already", "Its secret was shown that once.")
    return _Kept(there.status, there.body or b"")


class _Kept:
    """The answer as it was given the first time."""

    def __init__(self, status: int, body: bytes) -> None:
        self._status = status
        self._body = body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        kind = b"application/json" if self._status < 400 else b"application/problem+json"
        headers = [(b"content-type", kind), (b"idempotency-replayed", b"true")]
        headers.append((b"content-length", str(len(self._body)).encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def _who(scope: Scope) -> str:
    said = (scope.get(PEER_UID), header(scope, b"authorization"), cookie(scope, cookie_name(scope)))
    return hashlib.sha256(repr(said).encode()).hexdigest()


async def _whole(receive: Any) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replayed(body: bytes) -> Any:
    sent = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _without_mark(send: Any) -> Any:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [one for one in message.get("headers", ()) if one[0] != MARK.encode()]
            message = {**message, "headers": headers}
        await send(message)

    return sending
