"""What was agreed with a host before the first message."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.smtp.extension import Extensions


@dataclass(frozen=True, slots=True)
class Session:
    """`tls` is protocol and cipher, None in clear."""

    extensions: Extensions
    tls: str | None = None
    lmtp: bool = False
