"""A next hop that keeps what it was sent, byte for byte."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedIOBase

EXTENSIONS = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True, slots=True)
class Received:
    """One message with its envelope as it was said; content as it was before dot-stuffing, line ends CRLF."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class _Transaction:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: _Listener
    rbufsize = 1 << 16

    def handle(self) -> None:
        # The commands of one write are answered in one, as a server that offers PIPELINING should.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transaction = _Transaction()
        try:
            self._say("220 sink.example ESMTP")
            while line := self.rfile.readline():
                verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                match verb.upper():
                    case "EHLO":
                        self._say(*(f"250-{word}" for word in ("sink.example", *EXTENSIONS)), "250 HELP")
                    case "MAIL":
                        transaction = _Transaction(sender=_path(rest))
                        self._say("250 2.1.0 ok")
                    case "RCPT":
                        self._recipient(transaction, _path(rest))
                    case "DATA" if transaction.recipients:
                        self._say("354 go on")
                        self.server.sink.keep(transaction, read_content(self.rfile))
                        self._say("250 2.0.0 kept")
                    case "DATA":
                        self._say("554 5.5.1 no recipients")
                    case "QUIT":
                        self._say("221 2.0.0 bye")
                        return
                    case _:
                        self._say("250 2.0.0 ok")
        except (ConnectionError, TimeoutError):
            return  # the peer was killed: many tests do just that

    def _recipient(self, transaction: _Transaction, address: str) -> None:
        if reply := self.server.sink.refusals.get(address):
            self._say(reply)
            return
        transaction.recipients.append(address)
        self._say("250 2.1.5 ok")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True
    sink: Sink


class Sink:
    """Listens at host:port (the port is the system's choice) until `stop`."""

    def __init__(self, host: str, refusals: dict[str, str] | None = None) -> None:
        self.refusals = refusals or {}
        self._messages: list[Received] = []
        self._arrived = threading.Condition()
        self._listener = _Listener((host, 0), _Session)
        self._listener.sink = self
        self.host, self.port = host, int(self._listener.server_address[1])
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def messages(self) -> list[Received]:
        """What arrived up to now, in this order."""
        with self._arrived:
            return list(self._messages)

    def keep(self, transaction: _Transaction, content: bytes) -> None:
        """The message stands in `messages`."""
        with self._arrived:
            self._messages.append(Received(transaction.sender, tuple(transaction.recipients), content))
            self._arrived.notify_all()

    def wait_for(self, holds: Callable[[list[Received]], bool], seconds: float = 60.0) -> list[Received]:
        """The messages, once `holds` is true of them.

        Raises: AssertionError when it is not within the time.
        """
        with self._arrived:
            assert self._arrived.wait_for(lambda: holds(self._messages), seconds), (
                f"only {len(self._messages)} messages arrived"
            )
            return list(self._messages)

    def wait_for_count(self, count: int, seconds: float = 60.0) -> list[Received]:
        """At least `count` messages have arrived: all of them."""
        return self.wait_for(lambda messages: len(messages) >= count, seconds)

    def stop(self) -> None:
        """Nobody listens any more."""
        self._listener.shutdown()
        self._listener.server_close()


def read_content(stream: BufferedIOBase) -> bytes:
    """What stands before the line with a dot alone, without the dots added (RFC 5321 §4.5.2)."""
    lines = []
    while (line := stream.readline()) not in (b".\r\n", b""):
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


def _path(text: str) -> str:
    """The address in `FROM:<...>` or `TO:<...>`."""
    return text[text.index("<") + 1 : text.rindex(">")]
