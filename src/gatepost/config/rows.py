"""The `access` list of a virtual server, from rows of TOML to the policy's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from gatepost.config.model import LINE, Model
from gatepost.config.value import Listed, Net, OnlyTrue, To, one_of, wrong
from gatepost.policy.access import Effect, Entry, Right, Table

_Rights = Annotated[tuple[Annotated[Right, one_of(Right)], ...], Listed]


class AccessRow(Model):
    """One entry as it stands in the file: `allow` or `deny`, `to`, and what narrows it."""

    allow: _Rights | None = None
    deny: _Rights | None = None
    to: To
    networks: Annotated[tuple[Net, ...], Listed] | None = Field(default=None, alias="from")
    tls: OnlyTrue = False
    line: int = Field(default=0, alias=LINE)

    @model_validator(mode="after")
    def _is_one_thing(self) -> AccessRow:
        if (self.allow is None) == (self.deny is None):
            raise wrong(
                "an entry either allows or denies", 'write allow = ["..."] or deny = ["..."], one of them'
            )
        if not (self.allow or self.deny):
            raise wrong(
                "the entry names no right", "write one of " + ", ".join(right.value for right in Right)
            )
        return self

    def entry(self) -> Entry:
        effect = Effect.DENY if self.allow is None else Effect.ALLOW
        rights = frozenset(self.allow or self.deny or ())
        return Entry(effect, rights, self.to, self.networks, self.tls, self.line)


def _table(rows: tuple[AccessRow, ...]) -> Table:
    return Table(tuple(row.entry() for row in rows))


if TYPE_CHECKING:
    AccessTable = Table
else:
    AccessTable = Annotated[tuple[AccessRow, ...], Listed, AfterValidator(_table)]
