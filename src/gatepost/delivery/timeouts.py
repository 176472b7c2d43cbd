"""How long a next hop may take for each step (RFC 5321 §4.5.3.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """All in seconds. The RFC's minimums, but for connecting and the TLS handshake, which it leaves open.

    `idle_seconds`: how long a connection without work is kept. `tick_seconds`: how often limits are
    looked at.
    """

    connect_seconds: float = 30.0
    handshake_seconds: float = 60.0
    greeting_seconds: float = 300.0
    command_seconds: float = 300.0
    data_seconds: float = 120.0
    block_seconds: float = 180.0
    dot_seconds: float = 600.0
    idle_seconds: float = 5.0
    tick_seconds: float = 1.0
