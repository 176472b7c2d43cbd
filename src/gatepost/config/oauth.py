"""`[oauth.NAME]`: issuers whose tokens let people in, and from whom tokens for smart hosts are fetched."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator

from gatepost.config.fault import Complaint
from gatepost.config.model import Model
from gatepost.config.value import FilePath, HttpUrl, Listed, OneOrList, Seconds, Text, choice
from gatepost.policy.login import TOKENS

if TYPE_CHECKING:
    from gatepost.config.schema import RouteLogin, Settings

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
"""Signatures with a public key; whoever knows that key could make the others himself."""


def _algorithm(value: object) -> str:
    return choice(value, ALGORITHMS)


class Issuer(Model):
    """Whose tokens they are, and how it is asked."""

    issuer: HttpUrl
    ca_file: FilePath | None = None
    proxy: HttpUrl | None = None
    timeout_seconds: Seconds = 5
    algorithms: Annotated[tuple[Annotated[str, PlainValidator(_algorithm)], ...], Listed] = ALGORITHMS
    leeway_seconds: Annotated[int, Field(ge=0, le=600)] = 60
    keys_seconds: Seconds = 3_600
    stale_seconds: Seconds = 86_400


class OAuth(Issuer):
    """With `audience` its tokens let people in; with `client_id` we get a token of our own there."""

    audience: Annotated[tuple[Text, ...], OneOrList] = ()
    scopes: Annotated[tuple[Text, ...], Listed] = ()
    user_claim: Text = "preferred_username"
    groups_claim: Text | None = None
    client_id: Text | None = None
    client_secret_file: FilePath | None = None
    request_scopes: Annotated[tuple[Text, ...], Listed] = ()


def oauth_complaints(settings: Settings) -> Iterator[Complaint]:
    """Every complaint about issuers, and about those who need one."""
    if settings.oauth:
        yield from not_installed(("oauth",))
    takers: dict[str, str] = {}
    for name, oauth in settings.oauth.items():
        path = ("oauth", name)
        yield from _issuer(path, oauth)
        if oauth.audience and (other := takers.setdefault(oauth.issuer, name)) != name:
            remedy = "list both audiences in one of them"
            yield Complaint((*path, "issuer"), f"is the issuer of {other!r} already", remedy)
    for kind, servers in (("smtp", settings.smtp), ("pop3", settings.pop3)):
        for name, server in servers.items():
            for index, mechanism in enumerate(server.auth):
                if mechanism in TOKENS and not takers:
                    remedy = 'write [oauth.NAME] with issuer and audience = "..."'
                    problem = "no issuer's tokens let anybody in"
                    yield Complaint((kind, name, "auth", index), problem, remedy)
    for pattern, route in settings.routes.items():
        if route.login is not None and route.login.oauth is not None:
            encrypted = route.via.startswith("smtps://") or route.tls.value in ("require", "verify")
            path3 = ("routes", pattern, "login")
            yield from _route_login(path3, route.login, settings.oauth, encrypted=encrypted)


def not_installed(path: tuple[str, ...]) -> Iterator[Complaint]:
    """Complains when what checks tokens is missing."""
    if not all(importlib.util.find_spec(module) for module in ("authlib", "joserfc")):
        yield Complaint(path, "the part for it is not installed", "`pip install gatepost[oauth]`")


def issuer_complaints(path: tuple[str, str], issuer: Issuer) -> Iterator[Complaint]:
    """What cannot be of an issuer's address, its signatures and its keys."""
    parts = urlsplit(issuer.issuer)
    if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
        yield Complaint((*path, "issuer"), "its keys would come in clear", "write https://")
    if parts.query or parts.fragment:
        yield Complaint((*path, "issuer"), "has a query, which issuers have not", "write the issuer alone")
    if not issuer.algorithms:
        yield Complaint((*path, "algorithms"), "no token could be good", "take it out")
    if issuer.stale_seconds < issuer.keys_seconds:
        problem = f"{issuer.stale_seconds} is less than keys_seconds ({issuer.keys_seconds})"
        yield Complaint((*path, "stale_seconds"), problem, "believe keys at least until they are asked anew")


def _issuer(path: tuple[str, str], oauth: OAuth) -> Iterator[Complaint]:
    yield from issuer_complaints(path, oauth)
    if (oauth.client_id is None) != (oauth.client_secret_file is None):
        missing = "client_id" if oauth.client_id is None else "client_secret_file"
        yield Complaint((*path, missing), "is missing", "fetching a token needs both")
    elif not oauth.audience and oauth.client_id is None:
        remedy = "write audience, to take its tokens, or client_id, to fetch one"
        yield Complaint(path, "serves for nothing", remedy)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _route_login(
    path: tuple[str, str, str], login: RouteLogin, issuers: dict[str, OAuth], *, encrypted: bool
) -> Iterator[Complaint]:
    issuer = issuers.get(login.oauth or "")
    if issuer is None or issuer.client_id is None:
        remedy = f"write [oauth.{login.oauth}] with client_id and client_secret_file"
        yield Complaint((*path, "oauth"), f"no token can be had from {login.oauth!r}", remedy)
    if not login.user:
        yield Complaint((*path, "user"), "is missing", "name the mailbox for which the token is good")
    if login.password_file is not None:
        yield Complaint((*path, "password_file"), "is not used with a token", "take it out")
    if not encrypted:
        yield Complaint((*path, "oauth"), "a token never goes out in clear", 'set tls = "verify"')
