"""One run of the self-test, as workers know it: several may go on at the same time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from gatepost.admin.link import Value
from gatepost.admin.probe import Announce, Guest
from gatepost.directory.visitor import Visitor
from gatepost.secret import Secret

_COMES_WITHIN_SECONDS: Final = 60.0  # a connection is made in the moment after it was announced
_Coming = tuple[str, int]


@contextmanager
def announced(ask: Callable[..., Value]) -> Iterator[Announce]:
    """Workers know of each connection that is announced, until the end; those of other runs stay known."""
    number = secrets.token_hex(8)

    def announce(host: str, port: int, guest: Guest | None) -> None:
        ask("selftest-from", round=number, **coming(host, port, guest))

    try:
        yield announce
    finally:
        ask("selftest-over", round=number)


def coming(host: str, port: int, guest: Guest | None) -> dict[str, str | int]:
    """The fields by which a worker is told of it."""
    known = {} if guest is None else {"account": guest.name, "password": guest.password.reveal()}
    return {"host": host, "port": port, **known}


@dataclass(slots=True)
class Expected:
    """What one worker was told of. `ours` is what its sessions look into."""

    ours: MutableMapping[_Coming, Visitor | None]
    _told: dict[_Coming, tuple[str, float]] = field(default_factory=dict)

    def announced(self, fields: dict[str, Value]) -> bool:
        """True: the connection from there is our own, and that account may log in on it."""
        account, now = fields.get("account"), time.monotonic()
        for end in [end for end, (_, at) in self._told.items() if now - at > _COMES_WITHIN_SECONDS]:
            self._forget(end)  # of a run that was killed
        end = str(fields["host"]), int(fields["port"])
        self.ours[end] = None if account is None else Visitor(str(account), Secret(str(fields["password"])))
        self._told[end] = str(fields["round"]), now
        return True

    def over(self, fields: dict[str, Value]) -> bool:
        """True: nothing more comes of that run."""
        for end in [end for end, (number, _) in self._told.items() if number == fields["round"]]:
            self._forget(end)
        return True

    def _forget(self, end: _Coming) -> None:
        del self._told[end], self.ours[end]
