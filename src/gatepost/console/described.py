"""What the schema says of one key: its kind, what holds when it is left out, how it is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from gatepost.config.alarms import EVENTS
from gatepost.config.oauth import ALGORITHMS
from gatepost.config.watching import KINDS
from gatepost.console.texts import fields, settings
from gatepost.policy.principal import Principal

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "Alarm.events": EVENTS,
    "Issuer.algorithms": ALGORITHMS,
    "WatchedDevices.watch": KINDS,
}
_REFERS: Final[Mapping[str, str]] = {
    "Acme.certificate": "certificates",
    "Console.certificate": "certificates",
    "RouteLogin.oauth": "oauth",
}
"""Keys whose value is a name in another table."""
_UNITS: Final = ("seconds", "bytes", "days", "hours")
_SECRETS: Final = ("password_file", "secret_file")
_COMMAS_TOO: Final = ("Alarm.command", "OpenId.administrators", "OpenId.operators", "OpenId.viewers")
_LABELS: Final[Mapping[str, tuple[str, str]]] = {**fields.LABELS, **settings.LABELS}


@dataclass(frozen=True, slots=True)
class Key:
    """`name` is the key's own, `path` what stands before it in dots too. `kind` is without `| None`.

    `required` is not what may be left out with the table around it.
    """

    model: type[BaseModel]
    path: str
    name: str
    kind: Any
    default: Any
    required: bool

    @property
    def id(self) -> str:
        """Names the key among all models."""
        return f"{self.model.__name__}.{self.name}"

    @property
    def ids(self) -> list[str]:
        """The same, of every model that it has the key from; its own first."""
        return [f"{one.__name__}.{self.name}" for one in self.model.__mro__]

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is tuple

    @property
    def inner(self) -> Any:
        """Of what kind the members of a list are."""
        return bare(get_args(self.kind)[0])

    @property
    def is_enum(self) -> bool:
        return isinstance(self.kind, type) and issubclass(self.kind, Enum)

    @property
    def is_secret(self) -> bool:
        """It names a file that holds a secret of one line."""
        return self.name.endswith(_SECRETS)

    @property
    def is_keytab(self) -> bool:
        """It names a file that holds keys of Kerberos."""
        return self.id == "Kerberos.keytab"

    @property
    def choices(self) -> tuple[str, ...]:
        """Everything it may be, where that is a list of words."""
        if self.is_enum:
            return tuple(one.value for one in self.kind)
        return next((_CHOICES[one] for one in self.ids if one in _CHOICES), ())

    @property
    def refers(self) -> str | None:
        """The table among whose names it chooses."""
        return _REFERS.get(self.id)

    @property
    def splits_at_commas(self) -> bool:
        """Whether a comma between members of a list cannot belong to one of them."""
        return self.id not in _COMMAS_TOO and self.inner is not Principal

    @property
    def unit(self) -> str:
        """What its number counts, where the name says it."""
        last = self.name.rpartition("_")[2]
        return last if last in _UNITS and (self.kind is int or self.is_list) else ""

    @property
    def label(self) -> str:
        return self._words[0]

    @property
    def hint(self) -> str:
        return self._words[1]

    @property
    def _words(self) -> tuple[str, str]:
        for name in (*self.ids, self.path, self.name):
            if name in _LABELS:
                return _LABELS[name]
        return self.name.replace("_", " ").capitalize(), ""


def key_of(model: type[BaseModel], path: str) -> Key:
    """The key at this dotted path below the model."""
    inner, names, is_there = model, path.split("."), True
    for name in names[:-1]:
        is_there = is_there and inner.model_fields[name].default is not None
        inner = bare(inner.model_fields[name].annotation)
    field = inner.model_fields[names[-1]]
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return Key(inner, path, names[-1], bare(field.annotation), default, is_there and field.is_required())


def keys_of(model: type[BaseModel], *, without: Sequence[str] = ()) -> Iterator[str]:
    """The dotted paths of everything in the model that is one value, in the schema's order.

    Tables with names of their own are not among them, nor what stands in `without`.
    """
    for name, field in model.model_fields.items():
        if field.exclude or name in without or field.alias:
            continue
        kind = bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            below = [one.removeprefix(f"{name}.") for one in without if one.startswith(f"{name}.")]
            yield from (f"{name}.{inner}" for inner in keys_of(kind, without=below))
        elif get_origin(kind) is not dict:
            yield name


def plain(value: Any) -> Any:
    """The value as it would stand in the file."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def bare(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return bare(next(one for one in get_args(annotation) if one is not type(None)))
    return annotation
