"""sd_notify (sd_notify(3)): the service manager hears what state Gatepost is in, and that it is alive.

Own code: it is one datagram. Without a manager ($NOTIFY_SOCKET is not set) nothing is said.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class ServiceManager:
    """Who started us. What it cannot be told is lost: a service that runs is worth more."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self.watchdog_seconds = _watchdog_seconds(environment)

    @property
    def is_there(self) -> bool:
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Every listener is bound, also after `reloading`."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
        self._say("RELOADING=1", f"MONOTONIC_USEC={now_us}", "STATUS=Taking over the edited file")

    def status(self, text: str) -> None:
        self._say(f"STATUS={text}")

    def stopping(self) -> None:
        self._say("STOPPING=1", "STATUS=Finishing what is under way")

    def alive(self) -> None:
        """To be said at least once in `watchdog_seconds`."""
        self._say("WATCHDOG=1")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
            try:
                end.setblocking(False)
                end.sendto(message, self._address)
            except OSError:
                return


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """How often the manager wants to hear from this process; None when it does not."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or not int(microseconds) or pid not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1_000_000
