"""The provider of `[console.openid]`, as the settings in force have it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gatepost.config.openid import OpenId
from gatepost.console.office import Office
from gatepost.console.people import Person

if TYPE_CHECKING:
    from gatepost.directory.provider import Provider


class HouseProvider:
    """Made anew when the settings are others; what is known of its keys goes on being known until then."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._made: Provider | None = None

    @property
    def openid(self) -> OpenId:
        """The table in force; asked for only where there is one."""
        openid = self._office.console().openid
        assert openid is not None
        return openid

    def provider(self) -> Provider:
        from gatepost.directory.provider import Provider  # an extra

        if self._made is None or self._made.openid != self.openid:
            if self._made is not None:
                self._made.close()
            self._made = Provider(self.openid, self._office.log, clock=time.monotonic, wall=time.time)
        return self._made

    async def note(self, person: Person) -> None:
        """The audit says whom the provider meant by the name, and what the role came from."""
        voucher, audit = person.voucher, self._office.house.accounts.audit
        assert voucher is not None
        after = {
            "role": person.role.value, "issuer": voucher.issuer, "subject": voucher.subject,
            "claim": [*voucher.values],
        }  # fmt: skip
        await self._office.house.work(
            lambda: audit.add(who=person.name, what="sign-in", subject=person.name, after=after)
        )
