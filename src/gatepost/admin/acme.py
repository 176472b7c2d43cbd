"""A certificate from an authority that speaks ACME (RFC 8555), with the libraries of the extra `acme`.

It waits for others all the time, so it runs in a process of its own: `gatepost acme run`, by hand or
started by the daemon, which hands it the listening socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from gatepost.admin.acme_door import AcmeDoor, HttpDoor, TlsAlpnDoor
from gatepost.config.acme import Acme, Challenge
from gatepost.config.certificates import dns_names
from gatepost.server.certificate import KeyPair

_NONCES: Final = 5
_WITHIN: Final = timedelta(minutes=3)


class AcmeFailed(Exception):
    """The authority gave no certificate; the text says why."""


@challenges.ChallengeResponse.register
class TlsAlpnResponse(challenges.KeyAuthorizationChallengeResponse):
    """The library left this challenge out; what is sent is the same as for the others."""

    typ = Challenge.TLS_ALPN_01.value


@challenges.Challenge.register
class TlsAlpn(challenges.KeyAuthorizationChallenge):
    """RFC 8737 §3."""

    response_cls = TlsAlpnResponse
    typ = Challenge.TLS_ALPN_01.value

    def validation(self, account_key: JWK, **_: object) -> str:
        return self.key_authorization(account_key)


class _Patient(client.ClientNetwork):
    """RFC 8555 §6.5: who is told that a nonce is spent asks again with the fresh one. Some are told often."""

    def post(self, *args: Any, **more: Any) -> requests.Response:
        for _ in range(_NONCES):
            try:
                return super().post(*args, **more)
            except messages.Error as problem:
                if problem.code != "badNonce":
                    raise
        return super().post(*args, **more)


def due(leaf: x509.Certificate | None, acme: Acme, now: datetime) -> str | None:
    """Why a new certificate is to be fetched; None when it is not."""
    if leaf is None:
        return "there is none that can be read"
    if leaf.subject == leaf.issuer:
        return "it is self-signed"
    missing = set(acme.names) - {name.lower() for name in dns_names(leaf)}
    if missing:
        return f"it does not name {', '.join(sorted(missing))}"
    left = leaf.not_valid_after_utc - now
    return f"it ends in {left.days} days" if left < timedelta(days=acme.renew_days) else None


def fetched(acme: Acme, account_file: Path, end: socket.socket, now: datetime) -> KeyPair:
    """A certificate for the names, with a new key. `end` listens where the authority comes to look.

    Raises AcmeFailed, OSError.
    """
    try:
        return _fetched(acme, account_file, end, now)
    except errors.ValidationError as failed:
        raise AcmeFailed("; ".join(_refusals(failed.failed_authzrs))) from None
    except messages.Error as problem:
        raise AcmeFailed(f"the authority says: {problem.detail or problem.typ}") from None
    except errors.TimeoutError:
        raise AcmeFailed(f"the authority did not decide within {_WITHIN}") from None
    except (errors.Error, requests.RequestException) as problem:
        raise AcmeFailed(f"{acme.directory}: {problem}") from None


def _refusals(failed: Sequence[messages.AuthorizationResource]) -> Iterator[str]:
    for one in failed:
        name = one.body.identifier.value
        for challenge in one.body.challenges:
            if challenge.error is not None:
                yield f"{name}: {challenge.error.detail or challenge.error.typ}"


def _fetched(acme: Acme, account_file: Path, end: socket.socket, now: datetime) -> KeyPair:
    account_key = _account_key(account_file)
    authority = _registered(acme, account_key)
    key = ec.generate_private_key(ec.SECP256R1())
    order = authority.new_order(_request(acme.names, key))
    with _open(acme.challenge, end) as door:
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue  # proved not long ago
            body = _challenge(authorization, acme.challenge)
            response, _ = body.chall.response_and_validation(account_key)
            name, token = authorization.body.identifier.value, body.chall.encode("token")
            door.prove(name, token, response.key_authorization)
            authority.answer_challenge(body, response)
        # the library compares with a naive clock of its own
        order = authority.poll_and_finalize(order, now.astimezone().replace(tzinfo=None) + _WITHIN)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(order.fullchain_pem.encode("ascii"), pem)


def _challenge(authorization: messages.AuthorizationResource, wanted: Challenge) -> messages.ChallengeBody:
    for body in authorization.body.challenges:
        if body.chall.typ == wanted.value:
            found: messages.ChallengeBody = body
            return found
    offered = ", ".join(sorted(body.chall.typ for body in authorization.body.challenges))
    name = authorization.body.identifier.value
    raise AcmeFailed(f"{name} cannot be proved by {wanted.value} here, but by {offered or 'nothing'}")


def _registered(acme: Acme, key: JWKEC) -> client.ClientV2:
    """The authority, which knows our account."""
    network = _Patient(key, alg=ES256, user_agent="gatepost")
    if acme.ca_file is not None:
        network.verify_ssl = str(acme.ca_file)  # type: ignore[assignment] # requests takes a file there
    authority = client.ClientV2(client.ClientV2.get_directory(acme.directory, network), network)
    try:
        authority.new_account(
            messages.NewRegistration.from_data(email=acme.email, terms_of_service_agreed=True)
        )
    except errors.ConflictError as known:
        network.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
    return authority


def _account_key(file: Path) -> JWKEC:
    """The key of our account, made when there is none. Readable by its owner alone."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = ec.generate_private_key(ec.SECP256R1())
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as written:
            written.write(new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AcmeFailed(f"{file} is no ECDSA key; move it away, and a new account is made")
    return JWKEC(key=key)


def _request(names: Sequence[str], key: ec.EllipticCurvePrivateKey) -> bytes:
    """RFC 2986; names stand in the extension alone but for the first."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else [])
    )
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    request = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


@contextmanager
def _open(challenge: Challenge, end: socket.socket) -> Iterator[AcmeDoor]:
    door = HttpDoor(end) if challenge is Challenge.HTTP_01 else TlsAlpnDoor(end)
    try:
        yield door
    finally:
        door.close()
