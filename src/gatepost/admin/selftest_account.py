"""The relay forms of the self-test, and the same tried as an account of no group.

The account is there for the connections of the self-test alone (`directory.visitor`): it stands in no
database, and nobody else could use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from gatepost.admin.probe import STRANGER, Address, Caller, Guest, Probe, call, relay_forms
from gatepost.admin.selftest_login import log_in, mechanism_for
from gatepost.config.schema import Settings, TlsMode, VirtualServer
from gatepost.directory.visitor import Visitor
from gatepost.policy.access import Right, may
from gatepost.policy.facts import Facts

FORMS_A_CONNECTION = 6  # fewer than a guard takes for an attack
_WHAT = "relay as an account"


def as_account(address: Address, settings: Settings, server: VirtualServer, here: str) -> Iterator[Probe]:
    """Whoever logs in and is in no group may not relay; its own sender stands for the stranger's."""
    if not server.auth:
        return
    domain = next(iter(settings.domains), "relay-test.invalid")
    guest = Guest.new(domain)
    why_not = _why_not(address, server, guest, here)
    if why_not is not None:
        yield address.skipped(_WHAT, why_not)
        return
    mechanism = mechanism_for(server.auth)
    if mechanism is None:
        yield address.skipped(_WHAT, f"nobody logs in with a password here, only by {', '.join(server.auth)}")
        return
    forms = relay_forms(domain, here)
    for start in range(0, len(forms), FORMS_A_CONNECTION):
        with call(address, guest) as caller:
            caller.reply()
            introduce(caller, server, implicit=address.implicit, everywhere=True)
            answer = log_in(caller, guest, mechanism)
            if not answer.startswith("235"):
                yield address.skipped(_WHAT, f"the account of the self-test is not let in: {answer}")
                return
            for sender, recipient in forms[start : start + FORMS_A_CONNECTION]:
                own = guest.name if sender == STRANGER else sender
                yield one_form(address, caller, own, recipient, "as an account ")


def _why_not(address: Address, server: VirtualServer, guest: Guest, here: str) -> str | None:
    """Why it cannot be tried."""
    if server.tls is TlsMode.OFF and not server.auth_in_clear:
        return "nobody can log in here: there is no TLS"
    identity = Visitor(guest.name, guest.password).identity_of()
    facts = Facts(
        ip_address(here), tls=server.tls is not TlsMode.OFF, identity=identity, hostnames=frozenset()
    )
    if may(Right.RELAY, facts, server.access).allowed:
        return "the file lets everybody who logs in relay here"
    return None


def introduce(caller: Caller, server: VirtualServer, *, implicit: bool, everywhere: bool = False) -> None:
    """Hello, over TLS where it is required; `everywhere`: where it is offered too."""
    modes = (TlsMode.REQUIRE, TlsMode.OFFER) if everywhere else (TlsMode.REQUIRE,)
    caller.say("EHLO selftest.invalid")
    if server.tls in modes and not implicit and caller.say("STARTTLS").startswith("220"):
        caller.start_tls()
        caller.say("EHLO selftest.invalid")


def one_form(address: Address, caller: Caller, sender: str, recipient: str, whose: str = "") -> Probe:
    """The sender may not hand in mail for the recipient."""
    name = f"relay {whose}from <{sender}> to <{recipient}>"
    answer = caller.say(f"MAIL FROM:<{sender}>")
    if answer.startswith("2"):
        answer = caller.say(f"RCPT TO:<{recipient}>")
    refused = answer.startswith(("4", "5"))
    caller.say("RSET")
    return address.probe(name, passed=refused, detail=answer)
