"""What requests bring and answers have in common. Unknown fields are errors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, StringConstraints

Row = dict[str, Any]
Word = Annotated[str, StringConstraints(min_length=1, max_length=254)]
Limit = Annotated[int, Query(ge=1, le=1_000, description="At most so many.")]
After = Annotated[str, Query(max_length=512, description="The `next` of the page before.")]


class Body(BaseModel):
    """What a request brings."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel):
    """A part of a list. `next` is what `after` of the next request is; null: there is no more."""

    items: list[Row]
    next: str | None


class Done(BaseModel):
    """What it was done to."""

    done: list[str]


def example(value: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """An answer as it looks, for the OpenAPI document."""
    return {status: {"content": {"application/json": {"example": value}}}}


def examples(**values: dict[str, Any]) -> ConfigDict:
    """A request as it looks."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [*values.values()]})
