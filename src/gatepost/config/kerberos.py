"""`[kerberos]`: tickets instead of passwords, AUTH GSSAPI."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatepost.config.fault import Complaint
from gatepost.config.model import Model
from gatepost.config.value import FilePath

if TYPE_CHECKING:
    from gatepost.config.schema import Settings


class Kerberos(Model):
    """The keys of `smtp/HOST` and `pop/HOST`, by which tickets are checked."""

    keytab: FilePath


def kerberos_complaints(settings: Settings) -> Iterator[Complaint]:
    """GSSAPI is offered only where tickets can be checked."""
    if settings.kerberos is not None and importlib.util.find_spec("gssapi") is None:
        yield Complaint(("kerberos",), "the part for it is not installed", "`pip install gatepost[kerberos]`")
    for kind, servers in (("smtp", settings.smtp), ("pop3", settings.pop3)):
        for name, server in servers.items():
            if "GSSAPI" in server.auth and settings.kerberos is None:
                path = (kind, name, "auth", server.auth.index("GSSAPI"))
                yield Complaint(path, "tickets cannot be checked", "write [kerberos] with a keytab")
