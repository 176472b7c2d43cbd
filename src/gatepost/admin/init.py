"""A new working directory: the file, a certificate, the group "POP3 Relay"."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from gatepost.admin.certificate import self_signed, write_pair
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

RELAY_GROUP = "POP3 Relay"


class AlreadyThere(Exception):
    """The folder holds a configuration already; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the virtual servers of a new configuration listen. `address` is for all of them.

    `console` on the loopback; None: there is none.
    """

    address: str = "0.0.0.0"
    internet: int = 25
    submission: int = 587
    pop3: int = 110
    pop3_tls: int = 995
    console: int | None = None


def make_directory(
    folder: Path,
    *,
    hostname: str,
    domain: str,
    ports: Ports,
    next_hop: str,
    by: str,
    state: Path = Path("state"),
) -> Path:
    """The file that was written. Everything is closed: only members of the group relay, over TLS.

    `state` is a folder of its own, or one below `folder`.

    Raises AlreadyThere, OSError, DatabaseError.
    """
    file = folder / "gatepost.toml"
    if file.exists():
        raise AlreadyThere(f"{file} is there already; edit it, or name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    certs = folder / "certs"
    certs.mkdir(exist_ok=True, mode=0o700)
    write_pair(self_signed([hostname, "localhost"]), certs / "mail.pem", certs / "mail.key")
    (folder / state).mkdir(parents=True, exist_ok=True, mode=0o700)
    text = configuration(hostname=hostname, domain=domain, ports=ports, next_hop=next_hop, state=state)
    file.write_text(text, "utf-8")
    accounts = Accounts.open(Place(folder / state).accounts)
    try:
        if accounts.groups.find(RELAY_GROUP) is None:
            accounts.groups.add(RELAY_GROUP, by=by)
    finally:
        accounts.close()
    return file


def configuration(
    *, hostname: str, domain: str, ports: Ports, next_hop: str, state: Path = Path("state")
) -> str:
    """The text of a first configuration file."""
    text = _TEMPLATE.format(
        hostname=hostname,
        state=state.as_posix(),
        domain=domain,
        group=RELAY_GROUP,
        next_hop=next_hop,
        internet=f"{ports.address}:{ports.internet}",
        submission=f"{ports.address}:{ports.submission}",
        pop3=f"{ports.address}:{ports.pop3}",
        pop3_tls=f"{ports.address}:{ports.pop3_tls}",
    )
    if ports.console is None:
        return text
    loopback = ports.address if ip_address(ports.address).is_loopback else "127.0.0.1"
    return text + _CONSOLE.format(console=f"{loopback}:{ports.console}")


_TEMPLATE = """\
# Gatepost. After a change: `gatepost check` says whether it is valid and closed.

hostname = "{hostname}"
state    = "{state}"                       # spool, mailboxes, accounts, records

[domains."{domain}"]                     # mail for this domain is kept here
deliver = "mailbox"
unknown = "reject"

[certificates.default]                   # self-signed: replace it with one your clients trust
chain = "certs/mail.pem"
key   = "certs/mail.key"

[smtp.internet]                          # mail from outside: no AUTH, and nothing relays
listen = ["{internet}"]
tls    = "offer"
auth   = []
access = [
  {{ allow = ["connect", "submit"], to = "anyone" }},
]

[smtp.submission]                        # for people and devices that log in
listen = ["{submission}"]
tls    = "require"
auth   = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit"],  to = "authenticated" }},
  {{ allow = ["submit", "relay"], to = "group:{group}" }},
]

[pop3.mail]                              # collecting, after STLS
listen = ["{pop3}"]
tls    = "require"
access = [
  {{ allow = ["connect", "collect"], to = "anyone" }},
]

[pop3.mail-tls]                          # collecting, TLS from the first byte
listen = ["{pop3_tls}"]
tls    = "implicit"
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["collect"], to = "authenticated" }},
]

[routes."*"]                             # everywhere else
via = "{next_hop}"
"""

_CONSOLE = """
[console]                                # in the browser; other machines need a certificate = "default"
listen = "{console}"
"""
