"""`[console]`: the web console and the API, in a process of their own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final

from gatepost.config.fault import Complaint
from gatepost.config.model import Model
from gatepost.config.openid import OpenId, openid_complaints
from gatepost.config.value import Address, Domain, Listed, OneOrList, Seconds, Text, To, one_of
from gatepost.policy.principal import Kind, Principal

if TYPE_CHECKING:
    from gatepost.config.schema import Settings

_LISTS: Final = ("administrators", "operators", "viewers")


class SecondFactor(Enum):
    """OFFER: who has one needs it. REQUIRE: nobody does anything before he has one."""

    OFFER = "offer"
    REQUIRE = "require"


class Console(Model):
    """Who may sign in, and where. Administrators of Gatepost's own stand in its database."""

    listen: Address
    certificate: Text | None = None
    names: Annotated[tuple[Domain, ...], Listed] = ()
    administrators: Annotated[tuple[To, ...], OneOrList] = ()
    operators: Annotated[tuple[To, ...], OneOrList] = ()
    viewers: Annotated[tuple[To, ...], OneOrList] = ()
    second_factor: Annotated[SecondFactor, one_of(SecondFactor)] = SecondFactor.OFFER
    idle_seconds: Seconds = 1_800
    session_seconds: Seconds = 43_200
    fresh_seconds: Seconds = 600
    openid: OpenId | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return ip_address(self.listen.host).is_loopback


def console_complaints(settings: Settings, certificates: frozenset[str]) -> Iterator[Complaint]:
    """In clear only on the loopback; people and groups alone sign in."""
    console = settings.console
    if console is None:
        return
    if importlib.util.find_spec("nicegui") is None or importlib.util.find_spec("uvicorn") is None:
        yield Complaint(("console",), "the part for it is not installed", "`pip install gatepost[console]`")
    if console.certificate is None and not console.is_loopback:
        yield Complaint(
            ("console", "listen"),
            f"{console.listen} would be served in clear to other machines",
            'name a certificate: certificate = "default", or listen on 127.0.0.1',
        )
    if console.certificate is not None and console.certificate not in certificates:
        yield Complaint(
            ("console", "certificate"),
            f"there is no certificate {console.certificate!r}",
            f"write [certificates.{console.certificate}]",
        )
    for name in _LISTS:
        yield from _nobody(name, getattr(console, name))
    yield from _address_taken(settings)
    yield from openid_complaints(settings)


def _nobody(name: str, principals: tuple[Principal, ...]) -> Iterator[Complaint]:
    for index, principal in enumerate(principals):
        if principal.kind not in (Kind.GROUP, Kind.USER):
            yield Complaint(
                ("console", name, index), f"{principal} cannot sign in", 'write "group:NAME" or "user:NAME"'
            )


def _address_taken(settings: Settings) -> Iterator[Complaint]:
    console = settings.console
    assert console is not None
    for kind, servers in (("smtp", settings.smtp), ("pop3", settings.pop3)):
        for name, server in servers.items():
            if console.listen.port and console.listen in server.listen:
                problem = f"{console.listen} is {kind}.{name}'s already"
                yield Complaint(("console", "listen"), problem, "give the console a port of its own")
