"""XML read without anything that could expand or fetch: no document type, no entities of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from gatepost.admin.exchange.plan import ImportFault

_DEEPEST: Final = 64
_TAG: Final = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE: Final = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")


@dataclass(frozen=True, slots=True)
class Element:
    """An element, its attributes, the line it begins in, and the nearest element around it (an index)."""

    name: str
    attributes: Mapping[str, str]
    line: int
    parent: int | None
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    def line_of(self, attribute: str) -> int:
        """Where the attribute stands; the element's line where that is not known (UTF-16)."""
        return self.lines.get(attribute, self.line)


def elements(content: bytes, file: Path) -> list[Element]:
    """All elements in the file's order. Raises ImportFault."""
    return _Reading(content, file).elements


class _Reading:
    def __init__(self, content: bytes, file: Path) -> None:
        self.elements: list[Element] = []
        self._file = file
        self._content = content
        self._open: list[int] = []
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            self._refuse(f"not XML: {what}", "export it again, and copy it whole", error.lineno)
        except (ValueError, LookupError) as error:  # an encoding that nobody knows
            self._refuse(f"not XML: {error}", "save it as UTF-8")

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("a document type, which exports do not have", "take the DOCTYPE out")

    def _entity(self, *_: object) -> NoReturn:
        self._refuse("an entity, which exports do not have", "take the ENTITY out")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            self._refuse("elements nested too deeply", "name a MetaBase.xml")
        parent = self._open[-1] if self._open else None
        line = self._parser.CurrentLineNumber
        lines = dict(self._attribute_lines(self._parser.CurrentByteIndex, line)) if attributes else {}
        self.elements.append(Element(name, attributes, line, parent, lines))
        self._open.append(len(self.elements) - 1)

    def _attribute_lines(self, at: int, line: int) -> Iterator[tuple[str, int]]:
        """The line of each attribute of the tag that begins at this byte."""
        tag = _TAG.match(self._content, at)
        at = at if tag is None else tag.end()
        while found := _ATTRIBUTE.match(self._content, at):
            yield found[1].decode("utf-8", "replace"), line + self._content.count(b"\n", at, found.start(1))
            line += self._content.count(b"\n", at, found.end())
            at = found.end()

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _refuse(self, problem: str, remedy: str, line: int | None = None) -> NoReturn:
        where = self._parser.CurrentLineNumber if line is None else line
        raise ImportFault(self._file, where, problem, remedy) from None
