"""SMTP and POP3 virtual servers of IIS and Exchange 2000/2003: addresses, TLS, logins, who may what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from gatepost.admin.exchange.doors import (
    CONNECT,
    PASSWORDS,
    RELAY,
    SUBMIT,
    allow,
    deny,
    left_out,
    named,
    open_relay,
    relay_by_address,
)
from gatepost.admin.exchange.ipsecurity import BadIpList, IpList, of_hex
from gatepost.admin.exchange.metabase import Key, Metabase, Property
from gatepost.admin.exchange.plan import Fate, ImportFault, Note, Plan, Section

_ANONYMOUS, _BASIC, _NTLM = 1, 2, 4
_AUTH_WORDS: Final = {"authanonymous": 1, "authbasic": 2, "authntlm": 4, "authmd5": 16, "authpassport": 64}
_SSL, _SSL_CERTIFICATE = 8, 64
_SSL_WORDS: Final = {
    "accessssl": 8, "accesssslnegotiatecert": 32, "accesssslrequirecert": 64, "accesssslmapcert": 128,
    "accessssl128": 256,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """One virtual server of the metabase on its way into the plan."""

    base: Metabase
    key: Key
    plan: Plan

    def origin(self, one: Property | None = None) -> str:
        return f"{self.base.file.name}:{self.key.line if one is None else one.line}"

    def fault(self, one: Property, problem: str) -> ImportFault:
        remedy = "export the metabase again, or take the property out of the export"
        return ImportFault(self.base.file, one.line, f"{one.name}: {problem}", remedy)


def servers(door: Door, kind: str) -> Iterator[Section]:
    """The sections it becomes: one, and another where it also listened with TLS from the first byte."""
    key = door.key
    comment = key.get("ServerComment")
    title = comment.text if comment is not None and comment.text else f"virtual server {_number(key)}"
    path = named(door.plan, kind, title, f"server-{_number(key)}")
    for bindings, implicit in (("ServerBindings", False), ("SecureBindings", True)):
        one = key.get(bindings)
        listen = [] if one is None else list(_listen(door, one))
        if one is None or not listen:
            continue
        here = named(door.plan, kind, f"{path[1]}-tls", "tls") if implicit else path
        section = door.plan.section(here, f"{key.kind} {key.location}, {title!r} ({door.origin()})")
        text = f'{bindings} "{" ".join(one.parts)}"'
        section.set("listen", listen, Fate.CARRIED, text, door.origin(one))
        if any(not address.startswith(("0.0.0.0", "[::]")) for address in listen):
            section.note(Fate.DECIDE, f"{', '.join(listen)}: are these addresses of the new machine?")
        _tls(door, section, implicit=implicit)
        yield section
    if (state := key.get("ServerAutoStart")) is not None and not state.is_true:
        text = f"{title} did not start by itself: stop it here with `gatepost stop {path[1]}`"
        door.plan.section(path, title).note(Fate.CHANGED, text, door.origin(state))


def _number(key: Key) -> str:
    return key.location.rpartition("/")[2]


def _listen(door: Door, one: Property) -> Iterator[str]:
    """`address:port:host`; the address is empty for all of them."""
    for binding in one.parts:
        address, colon, rest = binding.rpartition(":")[0].rpartition(":")
        port = rest if colon else ""
        host = address.strip("[]") or "0.0.0.0"
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise door.fault(one, f"{binding!r} is no address:port:host")
        try:
            version = ip_address(host).version
        except ValueError:
            raise door.fault(one, f"{host!r} is no IP address") from None
        yield f"[{host}]:{port}" if version == 6 else f"{host}:{port}"


def _tls(door: Door, section: Section, *, implicit: bool) -> None:
    flags = door.key.get("AccessSSLFlags")
    bits = 0 if flags is None else _bits(flags, _SSL_WORDS)
    origin = door.origin(flags)
    hashed = door.key.get("SSLCertHash")
    if implicit:
        section.set("tls", "implicit", Fate.CARRIED, "SecureBindings: TLS from the first byte", origin)
    elif bits & _SSL:
        section.set("tls", "require", Fate.CARRIED, "AccessSSLFlags: a secure channel is required", origin)
    elif hashed is not None and hashed.text:
        section.set("tls", "offer", Fate.CARRIED, "a certificate was there: STARTTLS is offered", origin)
    elif _auth_bits(door) & (_BASIC | _NTLM):
        text = "STARTTLS is offered, which it was not: passwords are heard over TLS alone"
        section.set("tls", "offer", Fate.CHANGED, text, origin)
    else:
        section.set("tls", "off", Fate.CARRIED, "no certificate was there", origin)
    if bits & _SSL_CERTIFICATE:
        text = "client certificates were required: write client_ca_file and certificate: entries"
        section.note(Fate.DECIDE, text, origin)


def logins(door: Door, section: Section, kind: str) -> bool:
    """AUTH as it was, but over TLS alone and without NTLM. Whether anybody can log in."""
    bits, one = _auth_bits(door), door.key.get("AuthFlags")
    origin = door.origin(one)
    if not bits & (_BASIC | _NTLM):
        section.set("auth", [], Fate.CARRIED, "AuthFlags: nobody logs in", origin)
        if kind == "pop3":
            section.set("user_pass", False, Fate.CARRIED, "AuthFlags: no Basic authentication", origin)
        return False
    if bits & _BASIC:
        text = "AuthFlags: Basic. Passwords are heard over TLS alone; an old device gets a server of its own"
        section.set("auth", list(PASSWORDS), Fate.CHANGED, text, origin)
    else:
        text = "AuthFlags: Integrated alone (NTLM), which Gatepost does not speak: passwords over TLS instead"
        section.set("auth", list(PASSWORDS), Fate.CHANGED, text, origin)
    if bits & _NTLM:
        text = "Integrated Windows authentication: NTLM is not spoken; for Kerberos tickets see [kerberos]"
        section.note(Fate.DROPPED, text, origin)
    return True


def takes_anonymous(door: Door) -> bool:
    return bool(_auth_bits(door) & _ANONYMOUS)


def _auth_bits(door: Door) -> int:
    one = door.key.get("AuthFlags")
    return _ANONYMOUS if one is None else _bits(one, _AUTH_WORDS)


def _bits(one: Property, words: dict[str, int]) -> int:
    """A number, or the names of flags with bars between them. Flags without a meaning here say nothing."""
    if one.number is not None:
        return one.number
    found = 0
    for part in one.text.split("|"):
        found |= words.get(part.strip().lower(), 0)
    return found


def connecting(door: Door, section: Section) -> None:
    """`IPSecurity`: who may connect at all."""
    one = door.key.get("IPSecurity")
    listed = _list(door, one)
    origin = door.origin(one)
    if listed is None or listed.grants_by_default:
        text = (
            "Connection: all except the list below"
            if listed is not None and listed.denied
            else "Connection: all"
        )
        allow(section, CONNECT, "anyone", Note(Fate.CARRIED, text, origin))
        for network in listed.denied if listed is not None else ():
            deny(section, CONNECT, f"net:{network}", Note(Fate.CARRIED, f"except {network}", origin))
    else:
        for network in listed.granted:
            note = Note(Fate.CARRIED, f"Connection: only the list below: {network}", origin)
            allow(section, CONNECT, f"net:{network}", note)
    for name in () if listed is None else (*listed.granted_names, *listed.denied_names):
        text = f"Connection by the domain {name}: names in the DNS are others' to write; name networks"
        section.note(Fate.DECIDE, text, origin)
    if not section.access:
        section.note(Fate.DECIDE, "Connection: only the list below, which is empty: nobody connects", origin)


def relaying(door: Door, section: Section, *, can_log_in: bool) -> None:
    """`RelayIpList` and `RelayForAuth`."""
    one = door.key.get("RelayIpList")
    listed = _list(door, one)
    origin = door.origin(one)
    if listed is None:
        section.note(Fate.CARRIED, "no RelayIpList: nobody relays by address", door.origin())
    elif listed.grants_by_default:
        excepted = f" except {', '.join(map(str, listed.denied))}" if listed.denied else ""
        open_relay(section, f"Relay: all{excepted}", origin)
    else:
        relay_by_address(section, listed.granted, "Relay: only the list below", origin)
        if not listed.granted and not listed.granted_names:
            section.note(Fate.CARRIED, "Relay: only the list below, which is empty", origin)
        for name in listed.granted_names:
            why = (
                f"Relay by the domain {name} and all below it: whoever writes that DNS decides. Name networks"
            )
            left_out(section, RELAY, f"host:{name}", why, origin)
    _relay_for_auth(door, section, can_log_in=can_log_in)


def _relay_for_auth(door: Door, section: Section, *, can_log_in: bool) -> None:
    one = door.key.get("RelayForAuth")
    origin = door.origin(one)
    if one is not None and one.number not in (0, None) and can_log_in:
        text = (
            "RelayForAuth: all who log in relay. Better: a group, as group:POP3 Relay, of those who need it; "
            "administrators and guessable names are left out here, which they were not"
        )
        allow(section, RELAY, "authenticated", Note(Fate.CHANGED, text, origin))
    elif can_log_in:
        allow(section, SUBMIT, "authenticated", Note(Fate.CARRIED, "who logs in may hand in mail", origin))
        text = "RelayForAuth is off: logging in gives no relay"
        section.note(Fate.CARRIED, text, origin)


def _list(door: Door, one: Property | None) -> IpList | None:
    """None where the property is not there. Raises ImportFault."""
    if one is None:
        return None
    try:
        return of_hex(one.text)
    except BadIpList as problem:
        raise door.fault(one, str(problem)) from None
