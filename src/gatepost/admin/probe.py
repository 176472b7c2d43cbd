"""Tries one virtual server from outside, as a stranger would: does anything get through that should not?

Plain blocking sockets and the raw words of the protocol, on purpose: what is tried here are the forms a
well-behaved client library would never send. Nothing is ever handed in: no probe ends a DATA that could
be accepted.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from gatepost.secret import Secret

OUTSIDE = "selftest@relay-test.invalid"  # RFC 2606 §2: can never be somebody
STRANGER = "stranger@relay-test.invalid"
_TIMEOUT_SECONDS = 15.0
_REPLY_LIMIT = 64


class Result(Enum):
    """SKIPPED: could not be tried here, the detail says why."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was tried and what came of it."""

    server: str
    address: str
    name: str
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Guest:
    """An account that there is for one connection of the self-test, and for nobody else."""

    name: str
    password: Secret

    @staticmethod
    def new(domain: str) -> Guest:
        return Guest(f"selftest-{secrets.token_hex(8)}@{domain}", Secret(secrets.token_urlsafe(32)))


Announce = Callable[[str, int, Guest | None], None]
"""Is told address and port of a connection before it is made, and who will log in there."""


def unannounced(host: str, port: int, guest: Guest | None) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a virtual server listens. `implicit`: TLS from the first byte."""

    server: str
    host: str
    port: int
    implicit: bool
    announce: Announce = field(default=unannounced, compare=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def probe(self, name: str, *, passed: bool, detail: str = "") -> Probe:
        return Probe(self.server, str(self), name, Result.PASSED if passed else Result.FAILED, detail)

    def skipped(self, name: str, why: str) -> Probe:
        return Probe(self.server, str(self), name, Result.SKIPPED, why)


class Caller:
    """One connection, line by line. Raises OSError when the server is silent or gone."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rb")

    def send(self, data: bytes) -> None:
        self._end.sendall(data)

    def reply(self) -> str:
        """The next reply, its lines joined; "" when the server has closed."""
        lines = []
        for _ in range(_REPLY_LIMIT):
            try:
                line = self._file.readline(4096)
            except ConnectionError:
                line = b""
            if not line:
                break
            lines.append(line.decode("utf-8", "replace").rstrip())
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def say(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def start_tls(self) -> None:
        self._file.close()
        self._end = _context().wrap_socket(self._end)
        self._file = self._end.makefile("rb")

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._end.close()

    def certificate(self) -> bytes | None:
        """What the server showed, DER; None without TLS."""
        return self._end.getpeercert(binary_form=True) if isinstance(self._end, ssl.SSLSocket) else None

    def local_host(self) -> str:
        return str(self._end.getsockname()[0])


def _context() -> ssl.SSLContext:
    """Who the server is does not matter here: it is ourselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def call(address: Address, guest: Guest | None = None) -> Iterator[Caller]:
    """A connection to the address, on which the guest may log in. Raises OSError."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as plain:
        plain.settimeout(_TIMEOUT_SECONDS)
        plain.bind((host, 0))  # our own address: the port must be known before anybody sees the connection
        own, port = plain.getsockname()[:2]
        address.announce(own, port, guest)
        plain.connect((host, address.port))
        end: socket.socket = _context().wrap_socket(plain) if address.implicit else plain
        with end, closing(Caller(end)) as caller:
            yield caller


def relay_forms(domain: str, host: str) -> list[tuple[str, str]]:
    """Sender and recipient of the classic tricks by which mail was relayed. `domain` is local."""
    literal = f"[IPv6:{host}]" if ":" in host else f"[{host}]"
    user, remote = OUTSIDE.split("@")
    sender = STRANGER
    return [
        (sender, OUTSIDE),
        ("", OUTSIDE),
        (f"stranger@{domain}", OUTSIDE),
        (f"stranger@{literal}", OUTSIDE),
        ("stranger@localhost", OUTSIDE),
        (f"postmaster@{domain}", OUTSIDE),
        (sender, f"{user}%{remote}@{domain}"),
        (sender, f"{user}%{remote}@{literal}"),
        (sender, f'"{OUTSIDE}"@{domain}'),
        (sender, f'"{OUTSIDE}"@{literal}'),
        (sender, f'"{user}%{remote}"@{domain}'),
        (sender, f"{OUTSIDE}@{domain}"),
        (sender, f"{OUTSIDE}@{literal}"),
        (sender, f"@{domain}:{OUTSIDE}"),
        (sender, f"@{literal}:{OUTSIDE}"),
        (sender, f"{remote}!{user}@{domain}"),
        (sender, f"{remote}!{user}@{literal}"),
    ]


SMUGGLED_ENDS: tuple[bytes, ...] = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\n\n",
)
"""What some servers took for the end of DATA: behind it a message of the sender's making could follow."""
