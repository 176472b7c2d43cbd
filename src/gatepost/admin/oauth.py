"""Each step to an issuer of tokens, tried one after the other and told in words to act on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from gatepost.config.oauth import Issuer
from gatepost.config.openid import OpenId
from gatepost.config.schema import Settings
from gatepost.directory.bearer import Issuers
from gatepost.directory.certified import holder_of
from gatepost.directory.clienttoken import ClientTokens
from gatepost.directory.directory import Directory, Unavailable
from gatepost.directory.granted import TokenRefused
from gatepost.directory.issuer import IssuerSilent, discovered, web_of
from gatepost.directory.tokenkeys import BadToken, keys_of, label_of
from gatepost.directory.web import Silent
from gatepost.log import Log
from gatepost.policy.facts import UNKNOWN
from gatepost.secret import Secret

_CONSOLE: Final = "console.openid"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `good` None: told, and neither good nor bad."""

    issuer: str
    step: str
    good: bool | None
    text: str


async def steps(settings: Settings, log: Log) -> AsyncIterator[Step]:
    """Every step to every issuer: where its keys are, which they are, and whether it gives us a token."""
    for name, oauth in settings.oauth.items():
        try:
            endpoints = await discovered(oauth, web_of(oauth))
            yield Step(name, "discovery", True, f"{oauth.issuer} has its keys at {endpoints.keys}")
            if oauth.audience:
                yield await _keys(name, oauth, endpoints.keys)
        except Silent as problem:
            yield Step(name, "discovery", False, str(problem))
            continue
        if oauth.client_id is not None:
            yield await _own_token(name, settings, log)
    if settings.console is not None and settings.console.openid is not None:
        async for step in openid_steps(settings.console.openid):
            yield step


async def openid_steps(openid: OpenId) -> AsyncIterator[Step]:
    """Every step to the provider that signs people in to the console, but for signing in."""
    try:
        endpoints = await discovered(openid, web_of(openid))
        said = endpoints.sign_in or "no authorization_endpoint"
        yield Step(_CONSOLE, "discovery", endpoints.sign_in is not None, f"people sign in at {said}")
        yield Step(_CONSOLE, "token", endpoints.tokens is not None, endpoints.tokens or "no token_endpoint")
        yield await _keys(_CONSOLE, openid, endpoints.keys)
    except Silent as problem:
        yield Step(_CONSOLE, "discovery", False, str(problem))


async def _keys(name: str, oauth: Issuer, address: str) -> Step:
    """Raises Silent."""
    keys = keys_of(await web_of(oauth).get(address))
    listed = ", ".join(f"{key.kid or 'without a name'} ({key.algorithm or key.kind})" for key in keys)
    return Step(name, "keys", bool(keys), listed or "none for signatures is there")


async def _own_token(name: str, settings: Settings, log: Log) -> Step:
    try:
        token = await ClientTokens(settings.oauth, log, time.monotonic).token(name)
    except IssuerSilent as problem:
        return Step(name, "token", False, str(problem))
    return Step(name, "token", True, f"we get one{_said_of(token)}")


def _said_of(token: Secret) -> str:
    """For whom and for what it is, where that can be read."""
    try:
        claims = label_of(token.reveal()).claims
    except BadToken:
        return ", which only those can read for whom it is"
    audience, scope = claims.get("aud"), claims.get("scp") or claims.get("scope") or claims.get("roles")
    return f", for {audience}" + (f", good for {scope}" if scope else "")


async def judged(settings: Settings, directory: Directory, token: Secret, log: Log) -> list[Step]:
    """What a token of somebody would be good for at a login here."""
    issuers = Issuers(settings.oauth, log)
    name = issuers.name_of(token) or "?"
    try:
        granted = await issuers.granted(token)
    except TokenRefused as refused:
        return [Step(name, "somebody's token", False, f"{refused.reason.value}: {refused}")]
    except Unavailable as silent:
        return [Step(name, "somebody's token", False, str(silent))]
    groups = ", ".join(sorted(granted.groups)) or "none"
    told = [Step(name, "somebody's token", True, f"it is good, means {granted.user}; its groups: {groups}")]
    return [*told, await _user(name, granted.user, directory)]


async def _user(name: str, user: str, directory: Directory) -> Step:
    try:
        identity = await holder_of(directory, user)
    except Unavailable as silent:
        return Step(name, "user", False, f"no directory says now who {user} is: {silent}")
    if identity is None:
        return Step(
            name, "user", False, f"no directory has a user {user} who may log in: `gatepost user add`"
        )
    groups = "unknown" if identity.groups is UNKNOWN else ", ".join(sorted(identity.groups)) or "none"
    text = f"{identity.name}, of the directory {identity.directory}; its groups there: {groups}"
    return Step(name, "user", True, text)
