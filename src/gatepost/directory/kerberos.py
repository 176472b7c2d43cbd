"""Kerberos tickets, checked with the keys of a keytab (RFC 4121 through GSSAPI).

A ticket says `alice@CORP.EXAMPLE`: the account `alice` of that realm, whatever anybody's mail address
or principal name may be. So it is looked for as `CORP.EXAMPLE\\alice`, which only the directory of that
very domain answers. The part is optional: `pip install gatepost[kerberos]`.
"""

from __future__ import annotations

from pathlib import Path

import gssapi
from gssapi.raw.ext_rfc6680 import get_name_attribute
from gssapi.raw.misc import GSSError

from gatepost.directory.pac import BadPac, sids_of
from gatepost.wire.gssapi import GssContext, GssError

_LOGON_INFO = b"urn:mspac:logon-info"


class KeytabUnusable(Exception):
    """No ticket can be checked with the file; the text says why."""


class Acceptor:
    """Begins contexts. Any key of the keytab serves: `smtp/HOST`, `pop/HOST`."""

    def __init__(self, keytab: Path) -> None:
        """Raises KeytabUnusable."""
        try:
            self._credentials = gssapi.Credentials(
                usage="accept", mechs=[gssapi.MechType.kerberos], store={"keytab": f"FILE:{keytab}"}
            )
        except GSSError as error:
            raise KeytabUnusable(_said(error)) from None

    def context(self) -> GssContext:
        return _Context(self._credentials)


class _Context:
    """One peer's context."""

    def __init__(self, credentials: gssapi.Credentials) -> None:
        self._context = gssapi.SecurityContext(usage="accept", creds=credentials)

    def step(self, token: bytes) -> bytes:
        try:
            return bytes(self._context.step(token) or b"")
        except GSSError as error:
            raise GssError(_said(error)) from None

    @property
    def complete(self) -> bool:
        return bool(self._context.complete)

    @property
    def initiator(self) -> str:
        return directory_name(str(self._context.initiator_name))

    @property
    def groups(self) -> frozenset[str]:
        try:
            said = get_name_attribute(self._context.initiator_name, _LOGON_INFO)
            return sids_of(bytes(said.values[0])) if said.authenticated and said.values else frozenset()
        except (GSSError, NotImplementedError, BadPac):
            return frozenset()  # no ticket of Active Directory: the directory knows the groups

    def wrap(self, message: bytes) -> bytes:
        try:
            return bytes(self._context.wrap(message, encrypt=False).message)
        except GSSError as error:
            raise GssError(_said(error)) from None

    def unwrap(self, message: bytes) -> bytes:
        try:
            return bytes(self._context.unwrap(message).message)
        except GSSError as error:
            raise GssError(_said(error)) from None


def directory_name(principal: str) -> str:
    """The name by which the directory of the realm knows the principal.

    Raises:
        GssError: a service, an instance, or nobody.
    """
    name, at, realm = principal.rpartition("@")
    if not at or not name or not realm or any(c in name for c in "/@\\"):
        raise GssError(f"{principal[:200]!r} is no user's ticket")
    return f"{realm}\\{name}"


def _said(error: GSSError) -> str:
    return " ".join(str(error).split())[:300]
