"""The envelope of a message (RFC 5321 §2.3.1) with its DSN parameters (RFC 3461). Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from gatepost.mail.address import Address
from gatepost.value import value


class Body(Enum):
    """The BODY parameter of MAIL FROM (RFC 6152, RFC 3030)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


@value
class Recipient:
    """One RCPT TO. `notify` and `orcpt` are RFC 3461 values as sent, None when absent."""

    address: Address
    notify: str | None = None
    orcpt: str | None = None


@value
class Origin:
    """Where a message came from: kept with it for tracing, holding and reports.

    `user` is the canonical name of who logged in, None when nobody did. `peer` is the peer's
    address as text. `received_at` is aware UTC.
    """

    session_id: str
    virtual_server: str
    peer: str
    user: str | None
    received_at: datetime


@value
class Envelope:
    """Who a message is from and for. The null reverse-path `<>` is sender None."""

    sender: Address | None
    recipients: tuple[Recipient, ...]
    origin: Origin
    body: Body = Body.EIGHT_BIT
    smtputf8: bool = False
    require_tls: bool = False
    ret: str | None = None
    envid: str | None = None
