"""TLS with a client is on, or failed over its certificate: what is put on record then."""

from __future__ import annotations

from gatepost.policy.reasons import Reason
from gatepost.server.client import Client, peer_address
from gatepost.server.connection import Connection
from gatepost.server.shard import Shard
from gatepost.server.tls import TlsChannel


def certificate_refused(
    shard: Shard, virtual_server: str, connection: Connection, client: Client | None, why: str
) -> None:
    """Stands in log and tracking, under the session's id where there is one already."""
    shard = shard.facing(connection.peer_name)
    session = shard.sessions.new_id() if client is None else client.id
    peer, reason = str(peer_address(connection.peer_name[0])), Reason.CERTIFICATE_REFUSED.value
    shard.log.event(
        "refused",
        session=session,
        virtual_server=virtual_server,
        peer=peer,
        stage="tls",
        reason=reason,
        problem=why,
    )
    shard.tracking.note_refused(
        session, virtual_server, peer, None, "tls", reason, None, None, why, shard.clock()
    )


def secured(shard: Shard, virtual_server: str, client: Client, channel: TlsChannel) -> None:
    """TLS is on. Whose certificate came with it stands in the log."""
    certificate = channel.certificate
    client.secured(channel.summary, certificate)
    if certificate is None:
        return
    shard.log.event(
        "client-certificate",
        session=client.id,
        virtual_server=virtual_server,
        peer=client.peer_text,
        certificate=certificate.name,
        names=" ".join(sorted(certificate.names)),
    )
