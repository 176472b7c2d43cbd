"""Whom a client certificate means: the user who has an address in it, or bears its common name."""

from __future__ import annotations

from typing import Final

from gatepost.directory.directory import Directory, Mailbox, Refusal, settled
from gatepost.mail.address import Address
from gatepost.policy.facts import ClientCertificate, Identity
from gatepost.policy.reasons import Reason

_LOOKED_AT: Final = 10  # no more names of one certificate are looked up


async def user_of(directory: Directory, certificate: ClientCertificate, wanted: str) -> Identity | Refusal:
    """The user whom the certificate means; of several the one that is `wanted`.

    Addresses and principal names count first; the common name only where the certificate has none of
    them. Raises Unavailable.
    """
    names = certificate.accounts[:_LOOKED_AT]
    if not names and certificate.common_name:
        names = (certificate.common_name,)
    found: dict[tuple[str, str], Identity] = {}
    disabled = False
    for name in names:
        identity = await holder_of(directory, name)
        if identity is not None:
            found[identity.directory, identity.name] = identity
        else:
            disabled = disabled or await directory.knows(name)
    if wanted:
        return await _chosen(directory, wanted, found)
    if len(found) == 1:
        return next(iter(found.values()))
    return Refusal(Reason.ACCOUNT_DISABLED if disabled and not found else Reason.CERTIFICATE_NOBODY)


async def holder_of(directory: Directory, name: str) -> Identity | None:
    """Who logs in by this name, or has this address."""
    identity = await directory.identity(name)
    local, at, domain = name.rpartition("@")
    if identity is not None or not at or await directory.knows(name):
        return identity
    address = Address(local, domain.lower())
    resolution = await settled(directory.named(address))
    if not isinstance(resolution, Mailbox):
        return None
    owner = await directory.identity(resolution.account)
    # a plus address is in nobody's certificate
    return owner if owner is not None and Address(local.lower(), domain.lower()) in owner.addresses else None


async def _chosen(
    directory: Directory, wanted: str, found: dict[tuple[str, str], Identity]
) -> Identity | Refusal:
    """The one of `found` whom the name means (RFC 4422 appendix A.3)."""
    identity = await directory.identity(wanted)
    if identity is None or (identity.directory, identity.name) not in found:
        return Refusal(Reason.AUTHORIZATION_IDENTITY)
    return identity
