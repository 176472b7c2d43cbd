"""Where a message goes next, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """How the next hop is spoken to."""

    SMTP = "smtp"
    SMTPS = "smtps"
    LMTP = "lmtp"
    MX = "mx"
    CAPTURE = "capture"
    MAILBOX = "mailbox"


class TlsUse(Enum):
    """What is asked of TLS towards a next hop.

    `OFF`: never. `MAY`: when offered, unchecked, in clear when the handshake fails. `REQUIRE`:
    always, unchecked. `VERIFY`: always, and the certificate must be the host's.
    """

    OFF = "off"
    MAY = "may"
    REQUIRE = "require"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class RelayLogin:
    """How we log in at a smart host: with a password, or with a token of the issuer `oauth`.

    The password is read when it is needed, never kept here.
    """

    user: str
    password_file: Path | None = None
    oauth: str | None = None


@dataclass(frozen=True, slots=True)
class NextHop:
    """One next hop. `host` is a name or an address; for `MX` the mail domain whose exchangers are asked.

    `folder` is set for `CAPTURE` alone. `ca_file`: the only certificates trusted by `VERIFY`;
    None means the system's.
    """

    kind: Kind
    host: str = ""
    port: int = 25
    tls: TlsUse = TlsUse.MAY
    login: RelayLogin | None = None
    ca_file: Path | None = None
    folder: Path | None = None

    def __str__(self) -> str:
        if self.kind is Kind.CAPTURE:
            return f"capture:{self.folder}"
        if self.kind in (Kind.MX, Kind.MAILBOX):
            return f"{self.kind.value}:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind.value}://{host}:{self.port}"
