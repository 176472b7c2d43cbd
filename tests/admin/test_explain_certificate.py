"""What a client certificate would be good for, thought up."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from admin.explaining import SETTINGS, server, table
from gatepost.admin.explain import Case, Known, explain
from gatepost.config.schema import SmtpServer, TlsMode
from gatepost.directory.directory import UnknownRecipient
from gatepost.policy.reasons import Reason

ACCESS = table("allow connect to anyone", "allow submit,relay to certificate:Scanner7")
KNOWN = Known(None, frozenset(), lambda address: UnknownRecipient())


def asking(*, asks: bool = True, tls: TlsMode = TlsMode.REQUIRE) -> SmtpServer:
    files = {"client_ca_file": Path("ca.pem")} if asks else {}
    return server(ACCESS, tls=tls, auth=("EXTERNAL",)).model_copy(update=files)


def case(certificate: str | None, *, user: str | None = None) -> Case:
    return Case(ip_address("192.0.2.7"), True, user, "s@example.org", "x@else.example", certificate)


def test_the_certificate_that_an_entry_names_relays() -> None:
    found = explain(SETTINGS, asking(), case("scanner7"), KNOWN)
    assert found.allowed
    assert found.stages[1].text == "TLS was started with the certificate scanner7"
    assert explain(SETTINGS, asking(tls=TlsMode.IMPLICIT), case("SCANNER7"), KNOWN).allowed


def test_no_other_does_and_none_where_it_is_not_asked_for() -> None:
    assert not explain(SETTINGS, asking(), case("scanner8"), KNOWN).allowed
    assert not explain(SETTINGS, asking(), case(None), KNOWN).allowed
    found = explain(SETTINGS, asking(asks=False), case("scanner7"), KNOWN)
    assert not found.allowed
    assert found.stages[1].text == "TLS was started; no client certificate is asked for here"


def test_external_without_a_certificate_is_told() -> None:
    stages = explain(SETTINGS, asking(), case(None, user="bob"), KNOWN).stages
    stage = next(one for one in stages if one.reply)
    assert stage.reason is Reason.CERTIFICATE_MISSING
