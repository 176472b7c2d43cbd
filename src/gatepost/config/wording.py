"""pydantic's faults in the words of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gatepost.config.fault import Complaint
from gatepost.config.schema import Settings
from gatepost.config.source import KeyPath
from gatepost.config.value import FAULT, did_you_mean, shown

_TYPES = {
    "int_type": ("is not a whole number", "write digits without quotes"),
    "int_from_float": ("is not a whole number", "write digits without a point"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "string_type": ("is not a text", 'write it in quotes: "..."'),
    "tuple_type": ("is not a list", "write a list: [...]"),
    "too_short": ("is an empty list", "name at least one"),
    "dict_type": ("is not a table", "write key = value pairs below a [table]"),
    "model_type": ("is not a table", "write key = value pairs below a [table]"),
    "model_attributes_type": ("is not a table", "write key = value pairs below a [table]"),
}
_EXAMPLES = {
    "hostname": 'write hostname = "mail.example.org"',
    "state": 'write state = "/var/lib/gatepost"',
    "access": 'say who may do what: access = [ { allow = ["connect"], to = "anyone" } ]',
    "listen": 'write listen = ["0.0.0.0:25", "[::]:25"]',
    "to": 'say whom it means: to = "anyone"',
    "via": 'write via = "mx", or "smtp://HOST:PORT"',
}


def is_unknown_key(details: ErrorDetails) -> bool:
    return details["type"] == "extra_forbidden"


def complaint(details: ErrorDetails, raw: Mapping[str, Any]) -> Complaint | None:
    """What to say about one fault; None when the file does not hold it or it was said already."""
    path: KeyPath = tuple(key for key in details["loc"] if key != "[key]")
    if details["type"] == "missing":
        # What was taken out because of a fault is missing only to us.
        return None if _stands_in(raw, path) else _missing(path)
    if not _stands_in(raw, path):
        # `scan = "URL"` stands for a table that holds the URL; a limit may come from [limits].
        path = path[:-1]
        if not _stands_in(raw, path) or path[-1] != "scan":
            return None
    if is_unknown_key(details):
        return _unknown(path)
    return Complaint(path, *_said(details))


def _said(details: ErrorDetails) -> tuple[str, str]:
    context = details.get("ctx", {})
    if details["type"] == FAULT:
        return context["problem"], context["remedy"]
    value = shown(details["input"])
    match details["type"]:
        case "greater_than_equal":
            return f"{value} is too small", f"write {context['ge']} or more"
        case "less_than_equal":
            return f"{value} is too large", f"write {context['le']} or less"
        case kind if kind in _TYPES:
            problem, remedy = _TYPES[kind]
            return f"{value} {problem}", remedy
        case _:
            return f"{value} does not serve: {details['msg']}", "see the manual's page on configuration"


def _missing(path: KeyPath) -> Complaint:
    key = str(path[-1])
    return Complaint(path, "is missing", _EXAMPLES.get(key, f"write {key} = ..."))


def _unknown(path: KeyPath) -> Complaint:
    known = _keys_at(path[:-1])
    near = did_you_mean(str(path[-1]), known)
    remedy = f"did you mean {near!r}?" if near else "known here are: " + ", ".join(known)
    return Complaint(path, "no such setting", remedy)


def _keys_at(path: KeyPath) -> list[str]:
    """The keys that the schema knows in the table at `path`."""
    kind: Any = Settings
    for key in path:
        kind = _inside(kind, key)
    if not _is_model(kind):
        return []
    names = (field.alias or name for name, field in kind.model_fields.items())
    return [name for name in names if not name.startswith("\0")]


def _inside(kind: Any, key: str | int) -> Any:
    if _is_model(kind):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        return _bare(fields[str(key)].annotation) if key in fields else None
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return _bare(arguments[1])
    return _bare(arguments[0]) if get_origin(kind) is tuple else None


def _bare(annotation: Any) -> Any:
    """The annotation without `Annotated` and without `| None`."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) not in (dict, tuple):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _bare(inner[0]) if inner else annotation
    return annotation


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _stands_in(raw: Any, path: KeyPath) -> bool:
    for key in path:
        try:
            raw = raw[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True
