"""The content check: rspamd is asked over HTTP before a message is taken.

One kept connection or several a virtual server, one deadline for everything: connecting, sending,
waiting, reading. A large message is streamed from its file.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

import httpx

from gatepost.config.schema import Scan
from gatepost.server.scan_answer import Answer, Unintelligible, read_answer
from gatepost.server.screening import Content, Question, Silent

_ANSWER_BYTES: Final = 1 << 20
_CONNECTIONS: Final = 50
_KEPT_SECONDS: Final = 60.0
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f]+")


def request_fields(question: Question) -> list[tuple[bytes, bytes]]:
    """The header fields by which rspamd is told of a message."""
    fields = [
        ("Content-Type", "message/rfc822"),
        ("IP", question.peer),
        ("Helo", question.helo),
        ("From", "<>" if question.sender is None else f"<{question.sender}>"),
        *(("Rcpt", f"<{recipient}>") for recipient in question.recipients),
        ("User", question.user),
        ("Queue-Id", question.queue_id),
        ("Hostname", question.peer_name),
        ("MTA-Name", question.our_name),  # the authserv-id of its Authentication-Results
    ]
    return [(name.encode(), _UNFIT.sub("?", value).strip().encode()) for name, value in fields if value]


class Rspamd:
    """Asks at the address in `rules`, which also say what is made of the answer."""

    def __init__(self, rules: Scan) -> None:
        self.rules = rules
        self._url = rules.url.rstrip("/") + "/checkv2"
        self._client = httpx.AsyncClient(
            timeout=rules.deadline_seconds,
            limits=httpx.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS,
                keepalive_expiry=_KEPT_SECONDS,
            ),
            trust_env=False,
            follow_redirects=False,
        )

    async def ask(self, question: Question, content: Content) -> Answer:
        """Raises: Silent: no answer in time, or none that makes sense."""
        try:
            async with asyncio.timeout(self.rules.deadline_seconds):
                try:
                    body = await self._post(question, content)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # A kept connection may have been closed at the other end: once more, on another.
                    body = await self._post(question, content)
            return read_answer(body)
        except (TimeoutError, httpx.TimeoutException):
            raise Silent(f"no answer within {self.rules.deadline_seconds} s") from None
        except (httpx.HTTPError, httpx.StreamError, OSError, Unintelligible) as problem:
            raise Silent(f"{type(problem).__name__}: {problem}") from None

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, question: Question, content: Content) -> bytes:
        body = bytearray()
        async with self._client.stream(
            "POST",
            self._url,
            headers=request_fields(question),
            content=content if isinstance(content, bytes) else content(),
        ) as response:
            if response.status_code != httpx.codes.OK:
                raise Unintelligible(f"HTTP status {response.status_code}")
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _ANSWER_BYTES:
                    raise Unintelligible("an answer without end")
        return bytes(body)
