"""Mail addresses (RFC 5321 §4.1.2, RFC 6531 §3.3). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# RFC 5321 §4.1.2 Dot-string; RFC 6531 §3.3 lets UTF-8 into atoms.
_DOT_STRING = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox address, split at its last `@`.

    `local` is the local part without quoting (`"a b"@x` has local `a b`), case kept.
    `domain` is lower case, as sent (A-labels or U-labels); an address literal keeps its brackets;
    it is empty only for the bare `postmaster` of RFC 5321 §4.1.1.3.
    """

    local: str
    domain: str

    @property
    def is_literal(self) -> bool:
        return self.domain.startswith("[")

    @property
    def is_ascii(self) -> bool:
        return self.local.isascii() and self.domain.isascii()

    def __str__(self) -> str:
        """Wire form, quoted where RFC 5321 asks for it."""
        local = self.local
        if _DOT_STRING.fullmatch(local) is None:
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{local}@{self.domain}" if self.domain else local
