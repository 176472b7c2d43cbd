"""Where a directory can be asked: one server of `url`."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"ldap": 389, "ldaps": 636}


class Security(Enum):
    """How the connection is encrypted. `CLEAR` is for a server on this very machine alone."""

    TLS = "ldaps"
    START_TLS = "StartTLS"
    CLEAR = "in clear"


@dataclass(frozen=True, slots=True)
class LdapServer:
    """One server. Its certificate has to name `host`."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.security is Security.TLS else 'ldap'}://{host}:{self.port}"


def servers(urls: Iterable[str], *, start_tls: bool) -> tuple[LdapServer, ...]:
    """The servers of valid urls, in their order."""
    return tuple(_server(url, start_tls=start_tls) for url in urls)


def _server(url: str, *, start_tls: bool) -> LdapServer:
    parts = urlsplit(url)
    security = Security.START_TLS if start_tls else Security.CLEAR
    if parts.scheme == "ldaps":
        security = Security.TLS
    return LdapServer(parts.hostname or "", parts.port or _PORTS[parts.scheme], security)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificates and names; `ca_file` None trusts what this machine trusts.

    Raises OSError, ssl.SSLError for a file that holds no certificate.
    """
    return ssl.create_default_context(cafile=ca_file)
