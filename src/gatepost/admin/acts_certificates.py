"""Acts on certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatepost.admin.certfiles import named_in, places, put, service_owner
from gatepost.admin.certificate import self_signed
from gatepost.admin.certimport import CannotImport, Imported, doubts, known_roots, objections, opened
from gatepost.admin.desk import Desk
from gatepost.config.certificates import dns_names
from gatepost.secret import Secret

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """PKCS#12, or PEM with the key in it or beside it. `even_so`: also one that has ended or not begun."""

    content: bytes
    name: str = "default"
    key: bytes | None = None
    password: Secret | None = None
    even_so: bool = False


class CertificateActs:
    """The certificates that the file names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def bring(self, new: NewCertificate) -> Row:
        """The certificate lies beside the file, is named in it, and is shown to new connections.

        What may keep clients from trusting it stands in `doubts`.

        Raises:
            CannotImport, PasswordNeeded: it is no certificate with its key.
            EditError: the file was changed meanwhile.
        """
        self._desk.require("cert-import")
        async with self._house.changing:
            row = await self._house.work(lambda: self._brought(new))
            row["generation"] = (await self._house.ask("reload", by=self._desk.by))["generation"]
            await self._house.ask("certificates-look")
        after = {"names": ", ".join(row["names"]), "not_after": row["not_after"]}
        await self._desk.note("cert-import", new.name, after=after)
        return row

    async def make(self, names: Sequence[str], *, name: str = "default") -> Row:
        """A self-signed certificate for the host names, shown as one that was brought.

        Raises as `bring`; CannotImport too for what is no host name.
        """
        self._desk.require("cert-import")
        try:
            pair = await self._house.work(lambda: self_signed(names))
        except (ValueError, IndexError):
            raise CannotImport("these are no host names; write them like mail.example.org") from None
        return await self.bring(NewCertificate(pair.chain + pair.key, name))

    def _brought(self, new: NewCertificate) -> Row:
        settings, file = self._house.settings(), self._house.file
        where = places(file.parent, new.name)
        imported = opened(new.content, new.password, new.key)
        _judge(imported, even_so=new.even_so)
        kept = put(imported.pair(), where, service_owner(settings.state))
        named_in(file, new.name, where)
        return {
            "name": new.name,
            "names": dns_names(imported.leaf),
            "not_after": imported.leaf.not_valid_after_utc.isoformat(),
            "chain": str(where.chain),
            "kept": [str(one) for one in kept],
            "doubts": list(doubts(imported, settings.hostname, known_roots())),
        }


def _judge(imported: Imported, *, even_so: bool) -> None:
    for objection in objections(imported, datetime.now(UTC)):
        if not even_so:
            raise CannotImport(objection)
