"""A connection that speaks SMTP: commands go out, answers come in, in order.

While a session is set up `ask` waits for each answer. Later `answered` is called for every one, without
a task or a future: that is the hot path. What the peer does against the protocol ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gatepost.delivery.channel import Channel
from gatepost.delivery.parcel import clean
from gatepost.smtp.client import Answer, Client
from gatepost.smtp.command import Command
from gatepost.smtp.error import RemoteProtocolError
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import Verb

_SHOWN_BYTES = 200

Answered = Callable[[Verb, Reply], None]
Broken = Callable[[str], None]


class ConversationLost(Exception):
    """The connection ended or the peer broke the protocol. The text says how."""


class Dialogue:
    """One SMTP conversation over one channel. `early` hears what comes while nothing was asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, tick_seconds: float, tls: bool = False) -> None:
        self._loop = loop
        self.channel = Channel(loop, self._receive, self._lost, tick_seconds=tick_seconds)
        self.core = Client(tls=tls)
        self._waiter: asyncio.Future[Reply] | None = None
        self._answered: Answered | None = None
        self._broken: Broken | None = None
        self._over: str | None = None
        self._greeting: Reply | None = None

    def hand_over(self, answered: Answered, broken: Broken) -> None:
        """From now on every answer goes to `answered`, the end of the connection to `broken`."""
        self._answered = answered
        self._broken = broken
        if self._over is not None:
            self._loop.call_soon(broken, self._over)

    async def greeting(self, seconds: float) -> Reply:
        """The peer's first words. Raises ConversationLost."""
        self.channel.expect(seconds, "greeting")
        return self._greeting or await self._next()

    async def ask(self, command: Command, seconds: float) -> Reply:
        """The answer to one command. Raises ConversationLost."""
        return await self.say(command, self.core.send(command), seconds)

    async def say(self, command: Command, line: bytes, seconds: float) -> Reply:
        """As `ask`, for a line that stands on the wire in place of the command's own."""
        self.channel.expect(seconds, command.verb.name)
        if self._over is None:
            self.channel.write([line])
        return await self._next()

    def fail(self, reason: str) -> None:
        """The connection is cut off; whoever waits hears the reason."""
        self.channel.abort()
        self._lost(reason)

    async def _next(self) -> Reply:
        if self._over is not None:
            raise ConversationLost(self._over)
        self._waiter = self._loop.create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def _receive(self, data: bytes) -> None:
        core, channel = self.core, self.channel
        try:
            core.feed(data)
            answered = self._answered
            for answer in core.replies():
                if answered is not None:
                    answered(answer.verb, answer.reply)
                else:
                    self._hear(answer)
                    answered = self._answered
                if not channel.is_open:
                    return
        except RemoteProtocolError as error:
            said = data[:_SHOWN_BYTES].decode(errors="replace").strip()
            self.fail(clean(f"the next hop broke the protocol: {error}; it said: {said}"))

    def _hear(self, answer: Answer) -> None:
        """An answer while the session is set up."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer.reply)
        elif answer.command is None and self._greeting is None:
            self._greeting = answer.reply  # came before anybody could wait for it
        else:
            raise RemoteProtocolError("more than one answer to a command")

    def _lost(self, reason: str) -> None:
        if self._over is not None:
            return
        self._over = reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConversationLost(reason))
        elif self._broken is not None:
            self._broken(reason)
