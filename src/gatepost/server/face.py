"""Which certificate a server shows: by the name the client asks for (SNI, RFC 6066 §3), and by key type.

The first certificate of a virtual server is for clients that name nobody, or somebody unknown: mail
programs connect under all kinds of names, and a wrong certificate explains more than an alert. An
ECDSA and an RSA certificate for the same name are offered together; OpenSSL takes what the client can.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence

from gatepost.server.certificate import KeyPair, ServerCertificate, server_context
from gatepost.server.clientcert import ClientTrust


class Face(ssl.SSLContext):
    """A context that knows its certificates: one, or one of each key type for the same name."""

    certificates: tuple[ServerCertificate, ...] = ()

    def end_point_binding(self, cipher: str, version: str | None) -> bytes | None:
        """The `tls-server-end-point` data (RFC 5929 §4) of what a connection was shown.

        None when that cannot be told: TLS 1.3 does not say which of two certificates was taken.
        """
        if len(self.certificates) == 1:
            return self.certificates[0].end_point_binding
        kind = "ecdsa" if "ECDSA" in cipher else "rsa" if "RSA" in cipher else None
        if version == "TLSv1.3" or kind is None:
            return None
        return next((one.end_point_binding for one in self.certificates if one.kind == kind), None)


class Faces:
    """All faces of one virtual server."""

    __slots__ = ("_by_name", "default")

    def __init__(self, pairs: Sequence[KeyPair], *, tls_min: str, trust: ClientTrust | None = None) -> None:
        """Raises ValueError, ssl.SSLError for what cannot be served."""
        certificates = [ServerCertificate.of(pair) for pair in pairs]
        made: dict[tuple[int, ...], Face] = {}

        def face(chosen: tuple[int, ...]) -> Face:
            if chosen not in made:
                chain = [pairs[index] for index in chosen]
                context = server_context(chain, Face, tls_min=tls_min, trust=trust)
                context.certificates = tuple(certificates[index] for index in chosen)
                made[chosen] = context
            return made[chosen]

        self.default = face(_by_default(certificates))
        self._by_name = {name: face(chosen) for name, chosen in _by_name(certificates).items()}
        if len(made) > 1:
            self.default.sni_callback = self._choose

    def chosen(self, name: str | None) -> Face:
        """The face for a client that asks for `name`: an exact name, else a wildcard, else the default."""
        return chosen(self._by_name, name) or self.default

    def __iter__(self) -> Iterator[Face]:
        return iter({id(face): face for face in (self.default, *self._by_name.values())}.values())

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        face = self.chosen(name)
        if face is not self.default:
            tls.context = face


def chosen(faces: Mapping[str, Face], name: str | None) -> Face | None:
    """The face under the name itself, or under the wildcard that covers it."""
    if name is None:
        return None
    name = name.lower().rstrip(".")
    return faces.get(name) or faces.get("*." + name.partition(".")[2])


def _by_default(certificates: Sequence[ServerCertificate]) -> tuple[int, ...]:
    """The first, and beside it the first of each other key type that serves all its names."""
    names = set(certificates[0].names)
    serving = (index for index, one in enumerate(certificates) if not index or names <= set(one.names))
    return _one_a_kind(certificates, serving)


def _by_name(certificates: Sequence[ServerCertificate]) -> dict[str, tuple[int, ...]]:
    names = dict.fromkeys(name for one in certificates for name in one.names)
    return {
        name: _one_a_kind(certificates, (i for i, one in enumerate(certificates) if name in one.names))
        for name in names
    }


def _one_a_kind(certificates: Sequence[ServerCertificate], indexes: Iterator[int]) -> tuple[int, ...]:
    first: dict[str, int] = {}
    for index in indexes:
        first.setdefault(certificates[index].kind, index)
    return tuple(first.values())
