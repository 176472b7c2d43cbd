"""Who does it, and whether he may."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.admin.roles import ACTS, Area, Role


class Forbidden(Exception):
    """The role or the token's scope does not reach so far; the text says what would."""


class SignInAgain(Exception):
    """It is dangerous, and the sign-in was a while ago: first the password again."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. `via` is how: console, api, socket or cli; `peer` from where.

    `areas` narrows what a token may touch; None: everything. `fresh`: he proved a moment ago who he is.
    """

    name: str
    role: Role
    via: str = "cli"
    peer: str = ""
    areas: frozenset[Area] | None = None
    fresh: bool = True

    @property
    def who(self) -> str:
        """As it stands in the audit."""
        return self.name if self.via in ("cli", "console") else f"{self.name} ({self.via})"

    def may(self, act: str) -> bool:
        """Whether role and scope reach so far; of a dangerous act not whether it may be done now."""
        wanted = ACTS[act]
        in_scope = self.areas is None or wanted.area in self.areas
        return in_scope and self.role.covers(wanted.least)

    def require(self, act: str) -> None:
        """Raises Forbidden, SignInAgain."""
        wanted = ACTS[act]
        if self.areas is not None and wanted.area not in self.areas:
            raise Forbidden(f"the token's scope does not hold {wanted.area.value!r}")
        if not self.role.covers(wanted.least):
            raise Forbidden(f"{act} needs the role {wanted.least.value}; {self.name} is {self.role.value}")
        if wanted.dangerous and not self.fresh:
            raise SignInAgain(f"{act} is done by whoever signed in within the last minutes")
