"""The self-test from outside: every virtual server is tried over its real address, as a stranger, and as
an account that has no right but those of everybody who logs in.

A stranger here is this host itself. Where the file lets it relay by its address, that is said and not
taken for a fault; everything else the access page denies must be denied on the wire too.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from gatepost.admin.probe import (
    OUTSIDE,
    SMUGGLED_ENDS,
    Address,
    Announce,
    Probe,
    call,
    relay_forms,
    unannounced,
)
from gatepost.admin.selftest_account import FORMS_A_CONNECTION, as_account, introduce, one_form
from gatepost.config.schema import Pop3Server, Settings, SmtpServer, TlsMode, VirtualServer
from gatepost.policy.access import Right, may
from gatepost.policy.facts import Facts


def selftest(
    settings: Settings,
    listeners: Mapping[str, Sequence[str]],
    announce: Announce = unannounced,
) -> Iterator[Probe]:
    """Every probe of every address. `listeners`: addresses by `smtp.NAME` and `pop3.NAME`, as in status."""
    for name, ends in listeners.items():
        protocol, _, short = name.partition(".")
        server: VirtualServer = settings.smtp[short] if protocol == "smtp" else settings.pop3[short]
        for end in ends:
            host, _, port = end.rpartition(":")
            address = Address(name, host.strip("[]"), int(port), server.tls is TlsMode.IMPLICIT, announce)
            yield from _guarded(address, settings, server)


def _guarded(address: Address, settings: Settings, server: VirtualServer) -> Iterator[Probe]:
    """A server that does not answer fails its test; it does not end it."""
    tests = _smtp_probes if isinstance(server, SmtpServer) else _pop3_probes
    try:
        yield from tests(address, settings, server)
    except (ssl.SSLError, ConnectionResetError) as problem:
        shut = server.demands_certificate
        words = "nobody without a certificate is heard" if shut else "answers"
        yield address.probe(words, passed=shut, detail=f"{type(problem).__name__}: {problem}")
    except OSError as problem:
        yield address.probe("answers", passed=False, detail=f"{type(problem).__name__}: {problem}")


# SMTP


def _smtp_probes(address: Address, settings: Settings, server: VirtualServer) -> Iterator[Probe]:
    with call(address) as caller:
        greeting = caller.reply()
        here = caller.local_host()
        if greeting.startswith(("421", "554")):
            yield address.skipped("relay", f"this host is turned away: {greeting}")
            return
        offer = caller.say("EHLO selftest.invalid")
    yield _auth_in_clear(address, server, offer)
    yield from _relay(address, settings, server, here)
    yield from as_account(address, settings, server, here)
    yield from _injection(address, server, "STARTTLS", "EHLO selftest.invalid")
    yield from _smuggling(address, settings, server)


def _auth_in_clear(address: Address, server: VirtualServer, offer: str) -> Probe:
    offered = any(line[4:].upper().startswith("AUTH") for line in offer.splitlines())
    meant = address.implicit or server.auth_in_clear
    return address.probe("no AUTH in clear", passed=meant or not offered, detail="" if meant else offer[:200])


def _relay(address: Address, settings: Settings, server: VirtualServer, here: str) -> Iterator[Probe]:
    facts = Facts(ip_address(here), tls=address.implicit, hostnames=frozenset())
    if may(Right.RELAY, facts, server.access).allowed:
        yield address.skipped("relay", f"the file lets {here}, which is this host, relay here")
        return
    domain = next(iter(settings.domains), "localhost")
    forms = relay_forms(domain, here)
    for start in range(0, len(forms), FORMS_A_CONNECTION):
        with call(address) as caller:
            caller.reply()
            introduce(caller, server, implicit=address.implicit)
            for sender, recipient in forms[start : start + FORMS_A_CONNECTION]:
                yield one_form(address, caller, sender, recipient)


def _injection(address: Address, server: VirtualServer, verb: str, hello: str) -> Iterator[Probe]:
    """What comes in clear behind the verb must be answered neither before nor after the handshake."""
    name = f"nothing smuggled behind {verb}"
    if server.tls not in (TlsMode.OFFER, TlsMode.REQUIRE):
        return
    with call(address) as caller:
        caller.reply()
        if hello:
            caller.say(hello)
        caller.send(f"{verb}\r\nNOOP\r\n".encode())
        answer = caller.reply()
        if answer.startswith(("220", "+OK")):
            # a server that waits for the handshake gets one; NOOP must not be answered in it
            try:
                caller.start_tls()
                answer = caller.say(hello or "CAPA")
                yield address.probe(
                    name, passed="NOOP" not in answer and not answer.startswith("250 2.0.0 OK")
                )
            except OSError:
                yield address.probe(name, passed=True)
            return
        yield address.probe(name, passed=not caller.reply(), detail=answer)


def _smuggling(address: Address, settings: Settings, server: VirtualServer) -> Iterator[Probe]:
    domain = next(iter(settings.domains), None)
    if domain is None:
        return
    for end in SMUGGLED_ENDS:
        name = f"no end of DATA at {end!r}"
        with call(address) as caller:
            caller.reply()
            introduce(caller, server, implicit=address.implicit)
            steps = (f"MAIL FROM:<{OUTSIDE}>", f"RCPT TO:<postmaster@{domain}>", "DATA")
            answers = [caller.say(step) for step in steps]
            if not answers[2].startswith("354"):
                yield address.skipped(
                    "no smuggled end of DATA", f"a stranger cannot hand in mail: {answers[0]}"
                )
                return
            caller.send(b"Subject: selftest\r\n\r\nx" + end + b"NOOP\r\n.\r\n")
            answer = caller.reply()
            yield address.probe(name, passed=answer.startswith("5"), detail=answer)


# POP3


def _pop3_probes(address: Address, settings: Settings, server: VirtualServer) -> Iterator[Probe]:
    assert isinstance(server, Pop3Server)
    if server.tls is TlsMode.REQUIRE:
        for lines in (["USER selftest", "PASS selftest"], ["AUTH PLAIN AHNlbGZ0ZXN0AHNlbGZ0ZXN0"]):
            with call(address) as caller:
                caller.reply()
                answers = [caller.say(line) for line in lines]
                refused = answers[0].startswith("-ERR")
                yield address.probe(f"no {lines[0][:4]} in clear", passed=refused, detail=answers[0])
    yield from _injection(address, server, "STLS", "")
