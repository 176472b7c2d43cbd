"""The envelope as bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body, Envelope, Origin, Recipient


def encode(e: Envelope) -> bytes:
    o = e.origin
    f = [
        "1",
        "" if e.sender is None else f"{e.sender.local}\x01{e.sender.domain}",
        o.session_id,
        o.virtual_server,
        o.peer,
        "\x01" if o.user is None else o.user,
        repr(o.received_at.timestamp()),
        e.body.value,
        "1" if e.smtputf8 else "",
        "1" if e.require_tls else "",
        "\x01" if e.ret is None else e.ret,
        "\x01" if e.envid is None else e.envid,
    ]
    for r in e.recipients:
        f.append(f"{r.address.local}\x01{r.address.domain}")
        f.append("\x01" if r.notify is None else r.notify)
        f.append("\x01" if r.orcpt is None else r.orcpt)
    return "\x00".join(f).encode("utf-8", "surrogateescape")


def _n(t: str) -> str | None:
    return None if t == "\x01" else t


def _a(t: str) -> Address:
    local, _, domain = t.partition("\x01")
    return Address(local, domain)


def decode(b: bytes) -> Envelope:
    f = b.decode("utf-8", "surrogateescape").split("\x00")
    return Envelope(
        _a(f[1]) if f[1] else None,
        tuple(Recipient(_a(f[i]), _n(f[i + 1]), _n(f[i + 2])) for i in range(12, len(f), 3)),
        Origin(f[2], f[3], f[4], _n(f[5]), datetime.fromtimestamp(float(f[6]), UTC)),
        Body(f[7]),
        f[8] == "1",
        f[9] == "1",
        _n(f[10]),
        _n(f[11]),
    )
