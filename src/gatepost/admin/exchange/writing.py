"""The plan as the text of a configuration file: above each setting what became of the old one."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gatepost.admin.exchange.plan import AccessLine, Plan, Section, Setting, TomlValue

_WIDTH = 108


def written(plan: Plan, files: Sequence[str]) -> str:
    """The text. Whatever came from the exports stands in quotes or behind a `#`, on one line."""
    return "\n".join(_lines(plan, files)) + "\n"


def _lines(plan: Plan, files: Sequence[str]) -> Iterator[str]:
    yield from _comment(f"Made by `gatepost import exchange` from {', '.join(files)}.")
    yield from _comment(
        "carried: as it was. changed: not quite, and why. dropped: has no place here, and why. "
        "DECIDE: only you can say; until then it is left out, closed. Then run `gatepost check`."
    )
    yield ""
    yield from _body(plan.top)
    for section in plan.sections.values():
        yield ""
        hash_ = "" if section.live else "# "
        if section.title:
            yield from _comment(section.title)
        yield f"{hash_}[{'.'.join(map(_key, section.path))}]"
        yield from (
            f"{hash_}{line}" if hash_ and not line.startswith("#") else line for line in _body(section)
        )


def _body(section: Section) -> Iterator[str]:
    for setting in section.settings:
        yield from _setting(setting)
    if section.access:
        yield "access = ["
        for line in section.access:
            yield from (f"  {text}" for text in _access(line))
        yield "]"
    for note in section.notes:
        yield from _comment(str(note))


def _setting(setting: Setting) -> Iterator[str]:
    yield from _comment(str(setting.note))
    yield f"{setting.key} = {_value(setting.value)}"


def _access(line: AccessLine) -> Iterator[str]:
    yield from _comment(str(line.note), _WIDTH - 2)
    yield f"{'' if line.live else '# '}{_table(line.entry)},"


def _table(entry: Mapping[str, TomlValue]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in entry.items()) + " }"


def _value(value: TomlValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, str):
        return _quoted(value)
    return "[" + ", ".join(_value(one) for one in value) + "]"


def _quoted(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL, which only JSON takes as it is."""
    return json.dumps(_printable(text), ensure_ascii=False)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _quoted(key)


def _comment(text: str, width: int = _WIDTH) -> Iterable[str]:
    clean = " ".join(_printable(text).split())
    return textwrap.wrap(
        clean, width, initial_indent="# ", subsequent_indent="#   ", break_long_words=True,
        break_on_hyphens=False,
    )  # fmt: skip


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
