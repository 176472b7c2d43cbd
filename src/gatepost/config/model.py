"""What all tables of the file have in common: nothing unknown, nothing guessed, nothing changed later."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

# Keys under which values of ours travel with the file's; no TOML text of ordinary people holds them.
NAME = "\0name"
LINE = "\0line"
SOURCE = "\0source"


class Model(BaseModel):
    """One table of the file. Reading an attribute costs what it costs on any plain object."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, protected_namespaces=()
    )
