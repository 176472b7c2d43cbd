"""`[acme]`: certificates fetched and renewed by themselves (RFC 8555)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from gatepost.config.model import Model
from gatepost.config.value import Address, Domain, Endpoint, FilePath, HttpUrl, Listed, Text, one_of


class Challenge(Enum):
    """How the authority sees that a name is ours: HTTP_01 on port 80 (RFC 8555 §8.3), TLS_ALPN_01 on
    port 443 (RFC 8737)."""

    HTTP_01 = "http-01"
    TLS_ALPN_01 = "tls-alpn-01"

    @property
    def port(self) -> int:
        return 80 if self is Challenge.HTTP_01 else 443


class Acme(Model):
    """The files of `certificate` are replaced; they must be there, self-signed to begin with."""

    directory: HttpUrl = "https://acme-v02.api.letsencrypt.org/directory"
    email: Text
    names: Annotated[tuple[Domain, ...], Listed, Field(min_length=1)]
    certificate: Text = "default"
    challenge: Annotated[Challenge, one_of(Challenge)] = Challenge.HTTP_01
    listen: Address | None = None
    ca_file: FilePath | None = None
    renew_days: Annotated[int, Field(ge=1, le=365)] = 30

    @property
    def door(self) -> Endpoint:
        """Where the authority comes to look."""
        return self.listen or Endpoint("0.0.0.0", self.challenge.port)
