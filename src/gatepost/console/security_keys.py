"""Security keys: WebAuthn (W3C Recommendation, level 2) by the library, for this site alone."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import webauthn
from starlette.requests import Request
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gatepost.store.administrators import Administrator, SecurityKey

_ANSWER_SECONDS: Final = 300.0
_MOST: Final = 1_000
_LABEL_CHARACTERS: Final = 60


class BadKey(Exception):
    """The key's answer is not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Site:
    """The host a key is bound to, and where the page came from. `host` None: an address has no keys."""

    host: str | None
    origin: str


def site_of(request: Request) -> Site:
    """The site as the browser sees it: the host is one of ours, which was looked at before."""
    url = request.url
    name = url.hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return Site(name, f"{url.scheme}://{url.netloc}")
    return Site(None, f"{url.scheme}://{url.netloc}")


class SecurityKeys:
    """What was asked of keys stays in memory, by session, for minutes."""

    def __init__(self) -> None:
        self._asked: dict[bytes, tuple[bytes, float]] = {}

    def add_options(self, session: bytes, owner: Administrator, site: Site) -> dict[str, Any]:
        """What the browser asks a new key. Raises BadKey at an address."""
        options = webauthn.generate_registration_options(
            rp_id=_host(site),
            rp_name="Gatepost",
            user_name=owner.name,
            user_id=f"gatepost-{owner.id}".encode(),
            challenge=self._challenge(session),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_described(owner),
        )
        return _plain(options)

    def added(self, session: bytes, credential: Any, label: str, site: Site) -> SecurityKey:
        """The new key. Raises BadKey."""
        challenge = self._answered(session)
        try:
            found = webauthn.verify_registration_response(
                credential=_dict(credential),
                expected_challenge=challenge,
                expected_rp_id=_host(site),
                expected_origin=site.origin,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
            raise BadKey(str(problem)) from None
        shown = "".join(c for c in label if c.isprintable()).strip()[:_LABEL_CHARACTERS] or "Key"
        return SecurityKey(found.credential_id, found.credential_public_key, found.sign_count, shown, "")

    def use_options(self, session: bytes, owner: Administrator, site: Site) -> dict[str, Any]:
        """What the browser asks a known key. Raises BadKey at an address."""
        options = webauthn.generate_authentication_options(
            rp_id=_host(site),
            challenge=self._challenge(session),
            allow_credentials=_described(owner),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return _plain(options)

    def used(self, session: bytes, owner: Administrator, credential: Any, site: Site) -> tuple[bytes, int]:
        """Which key of the owner's it was, and how far it has counted. Raises BadKey."""
        challenge = self._answered(session)
        try:
            number = base64url_to_bytes(str(_dict(credential)["rawId"]))
            key = next(one for one in owner.keys if one.credential_id == number)
            found = webauthn.verify_authentication_response(
                credential=_dict(credential),
                expected_challenge=challenge,
                expected_rp_id=_host(site),
                expected_origin=site.origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, StopIteration) as problem:
            raise BadKey(str(problem)) from None
        return key.credential_id, found.new_sign_count

    def _challenge(self, session: bytes) -> bytes:
        now = time.monotonic()
        if len(self._asked) >= _MOST:
            self._asked = {key: one for key, one in self._asked.items() if one[1] > now}
        challenge = secrets.token_bytes(32)
        self._asked[session] = (challenge, now + _ANSWER_SECONDS)
        return challenge

    def _answered(self, session: bytes) -> bytes:
        challenge, until = self._asked.pop(session, (b"", 0.0))
        if until < time.monotonic():
            raise BadKey("nothing was asked, or too long ago")
        return challenge


def _host(site: Site) -> str:
    if site.host is None:
        raise BadKey("an address has no security keys")
    return site.host


def _described(owner: Administrator) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=key.credential_id) for key in owner.keys]


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return plain


def _dict(credential: Any) -> dict[str, Any]:
    if not isinstance(credential, dict):
        raise BadKey("that is no credential")
    return credential
