"""The virtual servers: what each listens on, offers, allows and limits."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from pydantic import Field, PlainValidator, field_validator, model_validator

from gatepost.config import blocklists
from gatepost.config.model import NAME, Model
from gatepost.config.rows import AccessTable
from gatepost.config.value import (
    Address,
    Bytes,
    Count,
    FilePath,
    HttpUrl,
    Listed,
    Net,
    OnceEach,
    Seconds,
    choice,
    one_of,
    shown,
    wrong,
)

MECHANISMS: Final = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "PLAIN",
    "LOGIN",
    "EXTERNAL",
    "GSSAPI",
    "OAUTHBEARER",
    "XOAUTH2",
)
TLS_VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3")


class TlsMode(Enum):
    """`IMPLICIT`: TLS from the first byte. `REQUIRE`: STARTTLS or STLS before anything that matters."""

    OFF = "off"
    OFFER = "offer"
    REQUIRE = "require"
    IMPLICIT = "implicit"


class OnSilence(Enum):
    """What happens to mail while the content check gives no answer."""

    DEFER = "defer"
    ACCEPT = "accept"


class OnReject(Enum):
    """What is done with mail the content check would reject."""

    REFUSE = "refuse"
    MARK = "mark"
    ACCEPT = "accept"


class OnSuspicion(Enum):
    """What is done with mail the content check would have marked (`add header`)."""

    MARK = "mark"
    ACCEPT = "accept"


class OnGreylist(Enum):
    """What is done with mail the content check would have put off."""

    DEFER = "defer"
    ACCEPT = "accept"


class Scan(Model):
    """The content check: rspamd over HTTP."""

    url: HttpUrl
    deadline_seconds: Seconds = 10
    skip_over_bytes: Bytes = 50_000_000
    when_silent: Annotated[OnSilence, one_of(OnSilence)] = OnSilence.DEFER
    on_reject: Annotated[OnReject, one_of(OnReject)] = OnReject.REFUSE
    on_add_header: Annotated[OnSuspicion, one_of(OnSuspicion)] = OnSuspicion.MARK
    on_greylist: Annotated[OnGreylist, one_of(OnGreylist)] = OnGreylist.DEFER

    @model_validator(mode="before")
    @classmethod
    def _address_alone(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value


class Limits(Model):
    """What one virtual server takes at most; each of these keys may stand in its own table too."""

    message_size_bytes: Bytes = 36_700_160
    recipients_per_message: Count = 100
    connections: Count = 1_000
    connections_per_peer: Count = 50
    idle_seconds: Seconds = 300
    command_seconds: Seconds = 300
    data_seconds: Seconds = 3_600
    handshake_seconds: Seconds = 30
    messages_per_minute_per_user: Count = 60
    recipients_per_hour_per_user: Count | None = None
    recipients_per_day_per_user: Count = 2_000
    domains_per_day_per_user: Count | None = None
    received_headers: Annotated[int, Field(ge=1, le=1_000)] = 30
    errors_per_session: Count = 20


def _mechanism(value: object) -> str:
    return choice(value, MECHANISMS)


def _tls_version(value: object) -> str:
    if not isinstance(value, str):
        raise wrong(f"{value!r} is not a text", 'write it in quotes: "1.2"')
    return choice(value, TLS_VERSIONS)


def _certificate_names(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) for one in names):
        raise wrong(
            f"{shown(value)} names no certificate", 'write "default", or a list: ["default", "other"]'
        )
    return tuple(names)


CertificateNames = Annotated[tuple[str, ...], PlainValidator(_certificate_names), OnceEach]
Mechanisms = Annotated[tuple[Annotated[str, PlainValidator(_mechanism)], ...], Listed, OnceEach]


class VirtualServer(Limits):
    """What SMTP and POP3 virtual servers share. It is its own limits: `[limits]` is merged in already."""

    name: str = Field(default="", alias=NAME)
    listen: Annotated[tuple[Address, ...], Listed]
    tls: Annotated[TlsMode, one_of(TlsMode)] = TlsMode.OFFER
    certificate: CertificateNames = ("default",)
    tls_min: Annotated[str, PlainValidator(_tls_version)] = "1.2"
    auth: Mechanisms = ()
    auth_in_clear: bool = False
    access: AccessTable
    client_ca_file: FilePath | None = None
    client_crl_file: FilePath | None = None
    proxies: Annotated[tuple[Net, ...], Listed] = ()

    @property
    def demands_certificate(self) -> bool:
        """Who shows no client certificate cannot even speak: TLS is on before `connect` is asked."""
        return self.tls is TlsMode.IMPLICIT and self.access.demands_certificate

    @property
    def limits(self) -> Limits:
        return self

    @field_validator("listen")
    @classmethod
    def _listens(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if not value:
            raise wrong("there is no address", 'write listen = ["0.0.0.0:25", "[::]:25"]')
        return value


class SmtpServer(VirtualServer):
    """`[smtp.NAME]`."""

    scan: Scan | None = None
    block_lists: Annotated[tuple[blocklists.Entry, ...], Listed] = ()


class Pop3Server(VirtualServer):
    """`[pop3.NAME]`. RFC 1939 §3: a client has at least ten minutes of silence."""

    idle_seconds: Seconds = 600
    auth: Mechanisms = (
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-256",
        "PLAIN",
        "LOGIN",
    )
    user_pass: bool = True
    login_delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    expire_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
