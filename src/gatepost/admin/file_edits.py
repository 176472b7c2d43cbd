"""The file edited key by key, as a person would: for the command line and the API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tomlkit.exceptions import TOMLKitError

from gatepost.config.edit import Draft, EditError
from gatepost.config.source import KeyPath

_STEP: Final = re.compile(r'"([^"]+)"|([^."\[\]]+)|\[(\d+)\]')
_KEY: Final = re.compile(r'(?:"[^"]+"|[^."\[\]]+)(?:\.(?:"[^"]+"|[^."\[\]]+)|\[\d+\])*')


class BadEdit(EditError):
    """What is to be edited is not there, or cannot be; the text says why."""


class BadKey(BadEdit):
    """The text is no key."""


@dataclass(frozen=True, slots=True)
class SetKey:
    """The key has the value."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class UnsetKey:
    """The key, table or entry is out of the file."""

    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The access table of the virtual server ends with it. `word` is allow or deny."""

    server: str
    word: str
    rights: Sequence[str]
    to: str
    source: Sequence[str] = ()


Edit = SetKey | UnsetKey | Entry


def edit(draft: Draft, edits: Iterable[Edit]) -> None:
    """The draft has the edits, one after the other. Raises BadEdit; the draft is of no use then."""
    for one in edits:
        try:
            _edit(draft, one)
        except BadEdit:
            raise
        except (EditError, TOMLKitError, ValueError, TypeError, LookupError) as problem:
            raise BadEdit(str(problem)) from None


def _edit(draft: Draft, one: Edit) -> None:
    match one:
        case SetKey(key, value):
            draft.set(key_path(key), value)
        case UnsetKey(key):
            draft.delete(key_path(key))
        case Entry(name, word, rights, to, source):
            entry: dict[str, Any] = {word: [*rights], "to": to}
            if source:
                entry["from"] = [*source]
            draft.append_access(server_path(draft, name), entry)


def key_path(text: str) -> KeyPath:
    """The steps of a key as TOML writes it, with `[N]` for an entry of a list. Raises BadKey."""
    if _KEY.fullmatch(text) is None:
        raise BadKey(f'{text!r} is no key; write it as smtp.submission.tls or domains."a.example".unknown')
    return tuple(int(index) if index else quoted or bare for quoted, bare, index in _STEP.findall(text))


def server_path(draft: Draft, name: str) -> tuple[str, str]:
    """Where the virtual server stands. Raises BadEdit."""
    protocol, dot, bare = name.partition(".")
    if dot and protocol in ("smtp", "pop3"):
        return protocol, bare
    found = [one for one in ("smtp", "pop3") if draft.value((one, name)) is not None]
    if len(found) != 1:
        why = "both SMTP and POP3 have" if found else "there is no"
        raise BadEdit(f"{why} virtual server {name!r}; say smtp.{name} or pop3.{name}")
    return found[0], name
