"""The files that the settings name: there, readable, sound, and secret where they must be."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from gatepost.config.clientcerts import revocation_lists
from gatepost.config.fault import Complaint
from gatepost.config.oauth import OAuth
from gatepost.config.openid import OpenId
from gatepost.config.rules import servers
from gatepost.config.schema import Certificate, Settings
from gatepost.config.source import KeyPath


class Unusable(Exception):
    """A file does not serve; `problem` and `remedy` say why and what to do."""

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.key = key
        self.problem = problem
        self.remedy = remedy


def file_complaints(settings: Settings) -> Iterator[Complaint]:
    """Every complaint about certificates, keys, secrets and folders."""
    for name, certificate in settings.certificates.items():
        yield from _told(("certificates", name), partial(check_certificate, certificate))
    for pattern, route in settings.routes.items():
        path = ("routes", pattern)
        if route.login is not None and route.login.password_file is not None:
            password_file = route.login.password_file
            yield from _told((*path, "login"), partial(_secret_line, "password_file", password_file))
        if route.ca_file is not None:
            yield from _told(path, partial(_certificates, "ca_file", route.ca_file))
    for name, directory in settings.directory.items():
        path = ("directory", name)
        if directory.bind_password_file is not None:
            yield from _told(path, partial(_secret_line, "bind_password_file", directory.bind_password_file))
        if directory.ca_file is not None:
            yield from _told(path, partial(_certificates, "ca_file", directory.ca_file))
    for path, server in servers(settings):
        if server.client_ca_file is not None:
            yield from _told(path, partial(_certificates, "client_ca_file", server.client_ca_file))
        if server.client_crl_file is not None:
            yield from _told(path, partial(_revoked, "client_crl_file", server.client_crl_file))
    for path, issuer in _issuers(settings):
        if issuer.client_secret_file is not None:
            yield from _told(path, partial(_secret_line, "client_secret_file", issuer.client_secret_file))
        if issuer.ca_file is not None:
            yield from _told(path, partial(_certificates, "ca_file", issuer.ca_file))
    if settings.kerberos is not None:
        yield from _told(("kerberos",), partial(_secret, "keytab", settings.kerberos.keytab))
    if settings.state.exists() and not settings.state.is_dir():
        yield Complaint(("state",), f"{settings.state} is not a folder", "name a folder")


def _issuers(settings: Settings) -> Iterator[tuple[tuple[str, str], OAuth | OpenId]]:
    for name, oauth in settings.oauth.items():
        yield ("oauth", name), oauth
    if settings.console is not None and settings.console.openid is not None:
        yield ("console", "openid"), settings.console.openid


def _told(path: KeyPath, check: Callable[[], object]) -> Iterator[Complaint]:
    try:
        check()
    except Unusable as fault:
        yield Complaint((*path, fault.key), fault.problem, fault.remedy)


def check_certificate(certificate: Certificate) -> None:
    """The certificate can be served: chain and key are there, are secret, and belong together.

    Half a certificate is not judged here.

    Raises:
        Unusable: with the key at fault.
    """
    if certificate.pfx is not None and certificate.chain is None and certificate.key is None:
        _check_pfx(certificate.pfx, certificate.pfx_password_file)
    elif certificate.pfx is None and certificate.chain is not None and certificate.key is not None:
        leaf = _certificates("chain", certificate.chain)[0]
        if _public(_private_key(certificate.key).public_key()) != _public(leaf.public_key()):
            raise Unusable(
                "key", f"{certificate.key} is not the key of {certificate.chain}", "name the key made with it"
            )


def _check_pfx(pfx: Path, password_file: Path | None) -> None:
    password = _secret_line("pfx_password_file", password_file) if password_file else None
    content = _secret("pfx", pfx)
    try:
        key, leaf, _ = pkcs12.load_key_and_certificates(content, password)
    except ValueError:
        remedy = "check pfx_password_file" if password_file else "name its password with pfx_password_file"
        raise Unusable("pfx", f"{pfx} cannot be opened as PKCS#12", remedy) from None
    if key is None or leaf is None:
        raise Unusable("pfx", f"{pfx} lacks a certificate or its key", "export both together")


def _certificates(key: str, file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(key, file))
    except ValueError:
        raise Unusable(key, f"{file} holds no PEM certificate", "PKCS#12 files are named with pfx") from None


def _revoked(key: str, file: Path) -> None:
    try:
        revocation_lists(_content(key, file))
    except ValueError:
        remedy = "convert it: openssl crl -inform DER -in X -out Y"
        raise Unusable(key, f"{file} holds no PEM revocation list", remedy) from None


def _private_key(file: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_secret("key", file), password=None)
    except TypeError:
        remedy = "take the password off, or use a PKCS#12 file with pfx_password_file"
        raise Unusable("key", f"{file} is locked with a password", remedy) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable("key", f"{file} holds no PEM private key", "name the key's file") from None


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _secret_line(key: str, file: Path) -> bytes:
    line = _secret(key, file).rstrip(b"\r\n")
    if not line:
        raise Unusable(key, f"{file} is empty", "write the password into it")
    return line


def _secret(key: str, file: Path) -> bytes:
    content = _content(key, file)
    # The group may read: packages give root:gatepost 0640 to what the service must not change.
    if file.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise Unusable(key, f"{file} is open to other users of this machine", f"chmod 600 {file}")
    return content


def _content(key: str, file: Path) -> bytes:
    try:
        if not file.is_file():
            problem = "is not a file" if file.exists() else "is not there"
            raise Unusable(key, f"{file} {problem}", "paths are relative to the configuration file")
        return file.read_bytes()
    except OSError as error:
        raise Unusable(
            key, f"{file} cannot be read: {error.strerror}", "let Gatepost's user read it"
        ) from None
