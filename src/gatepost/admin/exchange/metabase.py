"""The IIS metabase: its keys, what each has of its own, and what it has from the keys above it.

A property stands as an attribute of the key's element or in a `Custom` element below it. SMTP and POP3
virtual servers take from their service what they do not say themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatepost.admin.exchange.plan import ImportFault
from gatepost.admin.exchange.xmlfile import Element, elements

UNLIMITED: Final = 2_000_000_000  # IIS writes 0xFFFFFFFF, -1 or two thousand million
_INHERITING: Final = ("iissmtpserver", "iispop3server", "iissmtpdomain")


@dataclass(frozen=True, slots=True)
class Property:
    """A value as written, and its line."""

    name: str
    text: str
    line: int
    inherited: bool = False

    @property
    def number(self) -> int | None:
        """None when it is none. -1 and all ones are UNLIMITED."""
        try:
            value = int(self.text.strip(), 0)
        except ValueError:
            return None
        return UNLIMITED if value < 0 or value >= UNLIMITED else value

    @property
    def is_true(self) -> bool:
        return self.text.strip().lower() in ("true", "1", "-1", "4294967295")

    @property
    def parts(self) -> list[str]:
        """The values of a list: XML makes the line breaks between them blanks."""
        return self.text.split()


@dataclass(frozen=True, slots=True)
class Key:
    """One key, as `IIsSmtpServer` at `/LM/SmtpSvc/1`; `properties` by lower-case name."""

    kind: str
    location: str
    line: int
    properties: Mapping[str, Property]

    def get(self, name: str) -> Property | None:
        return self.properties.get(name.lower())


@dataclass(frozen=True, slots=True)
class Metabase:
    file: Path
    keys: tuple[Key, ...]

    def of_kind(self, kind: str) -> Iterator[Key]:
        return (key for key in self.keys if key.kind.lower() == kind.lower())


def metabase(content: bytes, file: Path) -> Metabase:
    """The keys of an export. Raises ImportFault."""
    found = elements(content, file)
    own = {key.location.lower(): key for key in _keys(found)}
    keys = tuple(_with_inherited(key, own) for key in own.values())
    if not any(key.kind.lower().startswith("iis") for key in keys):
        line = found[0].line if found else 1
        raise ImportFault(file, line, "no IIS metabase", "name the MetaBase.xml of the SMTP service")
    return Metabase(file, keys)


def _keys(found: list[Element]) -> Iterator[Key]:
    customs: dict[int, list[Element]] = {}
    for element in found:
        if element.name == "Custom" and element.parent is not None:
            customs.setdefault(element.parent, []).append(element)
    for index, element in enumerate(found):
        location = element.attributes.get("Location")
        if location is not None:
            properties = dict(_properties(element, customs.get(index, ())))
            yield Key(element.name, location.strip(), element.line, properties)


def _properties(element: Element, customs: Iterable[Element]) -> Iterator[tuple[str, Property]]:
    for name, text in element.attributes.items():
        if name != "Location":
            yield name.lower(), Property(name, text, element.line_of(name))
    for custom in customs:
        name = custom.attributes.get("Name", "")
        if name:
            yield name.lower(), Property(name, custom.attributes.get("Value", ""), custom.line_of("Value"))


def _with_inherited(key: Key, own: Mapping[str, Key]) -> Key:
    if key.kind.lower() not in _INHERITING:
        return key
    properties = dict(key.properties)
    above = key.location.lower()
    while "/" in above.strip("/"):
        above = above.rpartition("/")[0]
        parent = own.get(above)
        if parent is not None and parent.kind.lower().startswith(("iissmtp", "iispop3")):
            for name, one in parent.properties.items():
                inherited = Property(one.name, one.text, one.line, inherited=True)
                properties.setdefault(name, inherited)
    return Key(key.kind, key.location, key.line, properties)
