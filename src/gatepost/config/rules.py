"""What must be true of settings taken together; each rule answers with its complaints."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gatepost.config.acme import Acme
from gatepost.config.allotments import allotment_complaints
from gatepost.config.clientcerts import client_certificate_complaints
from gatepost.config.console import console_complaints
from gatepost.config.directories import directory_complaints
from gatepost.config.fault import Complaint
from gatepost.config.kerberos import kerberos_complaints
from gatepost.config.oauth import oauth_complaints
from gatepost.config.schema import (
    Certificate,
    Pop3Server,
    RouteLogin,
    Settings,
    SmtpServer,
    TlsMode,
)
from gatepost.config.value import ascii_domain
from gatepost.policy.access import Effect, Entry, Kind, Network, Right

# Shorter than these a network is no place any more: 10.0.0.0/8 and fc00::/7 are the largest of one house.
_SHORTEST: Final = {4: 8, 6: 7}
_ASKED_IN_SMTP = frozenset({Right.CONNECT, Right.SUBMIT, Right.RELAY, Right.ANY_SENDER})
_ASKED_IN_POP3 = frozenset({Right.CONNECT, Right.COLLECT})


def complaints(settings: Settings, raw: Mapping[str, Any]) -> Iterator[Complaint]:
    """Every complaint; `raw` tells which names the file holds, sound or not."""
    known = frozenset(raw["certificates"]) if isinstance(raw.get("certificates"), dict) else frozenset()
    for kind in ("domains", "routes"):
        yield from _names_twice(kind, raw.get(kind))
    yield from allotment_complaints(raw)
    yield from _addresses_twice(settings)
    for path, server in servers(settings):
        yield from _certificate_missing(path, server, known)
        yield from _rights_never_asked(path, server)
        yield from _open_in_clear(path, server)
        yield from client_certificate_complaints(path, server)
        yield from _proxies_of_anywhere(path, server)
    for name, certificate in settings.certificates.items():
        yield from _half_certificate(("certificates", name), certificate)
    for pattern, route in settings.routes.items():
        if route.login is not None:
            yield from _half_login(("routes", pattern, "login"), route.login)
    yield from directory_complaints(settings)
    yield from kerberos_complaints(settings)
    yield from oauth_complaints(settings)
    yield from console_complaints(settings, known)
    if settings.acme is not None:
        yield from _acme(settings.acme, settings.certificates)
    yield from _retry_order(settings)
    yield from _unnamed(settings)


def servers(settings: Settings) -> Iterator[tuple[tuple[str, str], SmtpServer | Pop3Server]]:
    """Each virtual server with where it stands in the file."""
    for name, smtp in settings.smtp.items():
        yield ("smtp", name), smtp
    for name, pop3 in settings.pop3.items():
        yield ("pop3", name), pop3


def _names_twice(kind: str, tables: object) -> Iterator[Complaint]:
    """Two spellings of one domain would leave one of the two tables without effect."""
    taken: dict[str, str] = {}
    for name in tables if isinstance(tables, Mapping) else ():
        folded = ascii_domain(name.removeprefix("*.")) or name
        folded = f"*.{folded}" if name.startswith("*.") else folded
        if folded in taken:
            yield Complaint((kind, name), f"is the same domain as {taken[folded]!r}", "keep one of the two")
        taken.setdefault(folded, name)


def _addresses_twice(settings: Settings) -> Iterator[Complaint]:
    taken: dict[str, str] = {}
    for path, server in servers(settings):
        for index, endpoint in enumerate(server.listen):
            address = str(endpoint)
            if endpoint.port and address in taken:
                problem = f"{address} is {taken[address]}'s already"
                yield Complaint((*path, "listen", index), problem, "each address serves one virtual server")
            taken.setdefault(address, ".".join(path))


def _certificate_missing(
    path: tuple[str, str], server: SmtpServer | Pop3Server, known: frozenset[str]
) -> Iterator[Complaint]:
    for name in server.certificate if server.tls is not TlsMode.OFF else ():
        if name not in known:
            yield Complaint(
                (*path, "certificate") if "certificate" in server.model_fields_set else (*path, "tls"),
                f"TLS needs the certificate {name!r}, which is not there",
                f'write [certificates.{name}], or set tls = "off"',
            )


def _rights_never_asked(path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Complaint]:
    asked = _ASKED_IN_SMTP if isinstance(server, SmtpServer) else _ASKED_IN_POP3
    for index, entry in enumerate(server.access.entries):
        for right in sorted(entry.rights - asked, key=lambda right: right.value):
            yield Complaint(
                (*path, "access", index, entry.effect.value),
                f"{right.value!r} is never asked for in {path[0].upper()}",
                "use " + ", ".join(sorted(right.value for right in asked)),
            )


def _open_in_clear(path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Complaint]:
    """Weakened transport is for named networks, never for anyone."""
    weakenings = []
    if server.auth_in_clear:
        weakenings.append(("auth_in_clear", "AUTH in clear"))
    if server.tls_min < "1.2":
        weakenings.append(("tls_min", f"TLS {server.tls_min}"))
    exposed = [entry for entry in server.access.entries if is_open_to_all(entry)]
    for key, what in weakenings:
        if exposed:
            yield Complaint(
                (*path, key),
                f"{what} is open to anyone by the entry in line {exposed[0].line}",
                'allow "connect" to named networks alone: to = "net:10.0.5.0/24"',
            )


def _proxies_of_anywhere(path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Complaint]:
    """Who is believed may name any address as the client's, and so pass every entry for a network."""
    for index, network in enumerate(server.proxies):
        if not _is_a_place(network):
            yield Complaint(
                (*path, "proxies", index),
                f"{network} is half the world: whoever sits there could name any client",
                'name the load balancers themselves: proxies = ["10.0.0.7"]',
            )


def is_open_to_all(entry: Entry) -> bool:
    """Whether an allow entry lets strangers from anywhere in."""
    if entry.effect is Effect.DENY:
        return False
    if entry.networks is not None and all(map(_is_a_place, entry.networks)):
        return False
    if entry.to.network is not None:
        return not _is_a_place(entry.to.network)
    return entry.to.kind in (Kind.ANYONE, Kind.ANONYMOUS) or Right.CONNECT in entry.rights


def _is_a_place(network: Network) -> bool:
    return network.prefixlen >= _SHORTEST[network.version]


def _half_certificate(path: tuple[str, str], certificate: Certificate) -> Iterator[Complaint]:
    pem = (certificate.chain, certificate.key)
    remedy = "write chain and key, or pfx"
    if certificate.pfx is not None and any(pem):
        yield Complaint(path, "is both PEM and PKCS#12", remedy)
    elif certificate.pfx is None and not all(pem):
        missing = "key" if certificate.chain else "chain" if certificate.key else "a certificate"
        yield Complaint(path, f"{missing} is missing", remedy)
    if certificate.pfx is None and certificate.pfx_password_file is not None:
        yield Complaint((*path, "pfx_password_file"), "there is no pfx that it could open", remedy)


def _acme(acme: Acme, certificates: Mapping[str, Certificate]) -> Iterator[Complaint]:
    certificate = certificates.get(acme.certificate)
    if certificate is None or certificate.pfx is not None:
        yield Complaint(
            ("acme", "certificate"),
            f"there is no PEM certificate {acme.certificate!r} whose files could be renewed",
            "`gatepost cert self-signed` makes one to begin with; name it by chain and key",
        )
    if importlib.util.find_spec("acme") is None:
        yield Complaint(("acme",), "the part for it is not installed", "`pip install gatepost[acme]`")


def _half_login(path: tuple[str, str, str], login: RouteLogin) -> Iterator[Complaint]:
    if login.oauth is None and not (login.user and login.password_file):
        missing = "password_file" if login.user else "user"
        yield Complaint((*path, missing), "is missing", "a login needs user and password_file")


def _retry_order(settings: Settings) -> Iterator[Complaint]:
    retry = settings.retry
    if retry.delay_warning_seconds >= retry.give_up_seconds:
        yield Complaint(
            ("retry", "delay_warning_seconds"),
            f"{retry.delay_warning_seconds} is not before give_up_seconds ({retry.give_up_seconds})",
            "warn before giving up",
        )


def _unnamed(settings: Settings) -> Iterator[Complaint]:
    for path, _ in servers(settings):
        if not path[1]:
            yield Complaint(path, "the name is empty", "give the virtual server a name")
