"""From a host's address to an open session: connect, greeting, EHLO or LHLO, STARTTLS, AUTH.

RFC 5321 §3.1-3.2, RFC 3207, RFC 4954, RFC 2033 §4.1. With `tls = may` a handshake that fails is
followed by a second connection in clear; any other use of TLS never falls back.
"""

from __future__ import annotations

import asyncio
import contextlib

from gatepost.delivery.dialogue import ConversationLost, Dialogue
from gatepost.delivery.login import LoginRefused, Tokens, log_in
from gatepost.delivery.mx import Host
from gatepost.delivery.nexthop import Kind, NextHop, TlsUse
from gatepost.delivery.parcel import Problem, clean
from gatepost.delivery.session import Session
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.tls import Contexts, TlsFailure
from gatepost.smtp.command import Helo, Quit, StartTls
from gatepost.smtp.error import LocalProtocolError
from gatepost.smtp.reply import Reply

_NEVER = (521, 556)  # RFC 7504: the host never takes mail
_NO_TLS = "4.7.4"
_TLS_FAILED = "4.7.5"


class CannotOpen(Exception):
    """No session with this host, and why."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(code, enhanced, clean(text))


class Opener:
    """Opens sessions in our name, `hostname`; `tokens` are for routes that log in with one."""

    def __init__(
        self, hostname: str, contexts: Contexts, timeouts: Timeouts, tokens: Tokens | None = None
    ) -> None:
        self.hostname = hostname
        self.contexts = contexts
        self.timeouts = timeouts
        self.tokens = tokens

    async def open(self, hop: NextHop, host: Host) -> Opening:
        """A session with this host, ready for MAIL.

        Raises:
            CannotOpen: refused, unreachable, silent, TLS not as wanted, login not accepted.
        """
        try:
            return await self._attempt(hop, host, hop.tls)
        except TlsFailure as failure:
            if hop.tls is not TlsUse.MAY or hop.kind is Kind.SMTPS:
                raise CannotOpen(451, _TLS_FAILED, f"TLS failed: {failure}") from None
        return await self._attempt(hop, host, TlsUse.OFF)

    async def _attempt(self, hop: NextHop, host: Host, use: TlsUse) -> Opening:
        opening = Opening(self, hop, host, use)
        try:
            await opening.run()
        except ConversationLost as lost:
            raise CannotOpen(451, "4.4.2", str(lost)) from None
        except LoginRefused as refused:
            raise CannotOpen(451, "4.7.8", str(refused)) from None
        except OSError as error:
            # a CA or password file that cannot be read: ours to mend, so the mail waits
            raise CannotOpen(451, "4.3.5", f"{error.filename}: {error.strerror}") from None
        finally:
            if opening.session is None:
                opening.give_up()
        return opening


class Opening:
    """The steps to one session. `session` is None until all are done."""

    def __init__(self, opener: Opener, hop: NextHop, host: Host, use: TlsUse) -> None:
        self._opener = opener
        self._timeouts = opener.timeouts
        self._hop = hop
        self._host = host
        self._use = use
        self._lmtp = hop.kind is Kind.LMTP
        self.dialogue = Dialogue(
            asyncio.get_running_loop(),
            tick_seconds=opener.timeouts.tick_seconds,
            tls=hop.kind is Kind.SMTPS,
        )
        self.session: Session | None = None

    async def run(self) -> None:
        """Raises CannotOpen, ConversationLost, LoginRefused, TlsFailure, OSError (a file of ours)."""
        await self._connect()
        if self._hop.kind is Kind.SMTPS:
            await self._start_tls()
        self._accepted(await self.dialogue.greeting(self._timeouts.greeting_seconds), "greeting")
        await self._introduce()
        if self.dialogue.channel.tls is None and self._use is not TlsUse.OFF:
            await self._secure()
        await log_in(self.dialogue, self._hop, self._timeouts.command_seconds, self._opener.tokens)
        tls = self.dialogue.channel.tls
        self.session = Session(
            self.dialogue.core.extensions, None if tls is None else tls.summary, self._lmtp
        )

    def give_up(self) -> None:
        """The connection is closed, politely when the peer still listens."""
        goodbye = b""
        if self.dialogue.channel.is_open:
            with contextlib.suppress(LocalProtocolError):
                goodbye = self.dialogue.core.send(Quit())
        self.dialogue.channel.close(goodbye)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._timeouts.connect_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: self.dialogue.channel, self._host.address, self._host.port
                )
        except TimeoutError:
            raise CannotOpen(451, "4.4.1", "no connection in time") from None
        except OSError as error:
            raise CannotOpen(451, "4.4.1", f"cannot connect: {_words(error)}") from None

    async def _introduce(self) -> None:
        """EHLO, LHLO, or HELO where EHLO is not known (RFC 5321 §3.2)."""
        hello = Helo(self._opener.hostname)
        line = self.dialogue.core.send(hello)
        if self._lmtp:
            line = line.replace(b"EHLO", b"LHLO", 1)
        reply = await self.dialogue.say(hello, line, self._timeouts.command_seconds)
        if 500 <= reply.code <= 504 and not self._lmtp:
            reply = await self.dialogue.ask(
                Helo(self._opener.hostname, extended=False), self._timeouts.command_seconds
            )
        self._accepted(reply, "EHLO")

    async def _secure(self) -> None:
        """TLS is on, or is not there and need not be."""
        if self.dialogue.core.extensions.starttls:
            reply = await self.dialogue.ask(StartTls(), self._timeouts.command_seconds)
            if reply.code // 100 == 2:
                await self._start_tls()
                self.dialogue.core.tls_started()
                await self._introduce()
                return
            refusal = f"the next hop refused STARTTLS: {reply}"
        else:
            refusal = "the next hop does not offer STARTTLS"
        if self._use is not TlsUse.MAY:
            raise CannotOpen(451, _NO_TLS, f"TLS is required by the route: {refusal}")

    async def _start_tls(self) -> None:
        context = self._opener.contexts.context(self._use, self._hop.ca_file)
        channel = self.dialogue.channel
        channel.expect(self._timeouts.handshake_seconds, "TLS handshake")
        await channel.start_tls(context, self._host.name)

    def _accepted(self, reply: Reply, step: str) -> None:
        if reply.code // 100 == 2:
            return
        if reply.code in _NEVER:
            raise CannotOpen(reply.code, reply.enhanced or "5.3.2", f"refused at {step}: {reply}")
        # A 5xx before any mail is about us or its state, not about this message: another time.
        raise CannotOpen(451, "4.3.2", f"refused at {step}: {reply}")


def _words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
