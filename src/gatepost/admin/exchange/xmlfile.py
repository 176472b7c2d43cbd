"""XML read without anything that could expand or fetch: no document type, no entities of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from gatepost.admin.exchange.plan import ImportFault

_DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class Element:
    """An element, its attributes, the line it begins in, and the nearest element around it (an index)."""

    name: str
    attributes: Mapping[str, str]
    line: int
    parent: int | None


def elements(content: bytes, file: Path) -> list[Element]:
    """All elements in the file's order. Raises ImportFault."""
    return _Reading(content, file).elements


class _Reading:
    def __init__(self, content: bytes, file: Path) -> None:
        self.elements: list[Element] = []
        self._file = file
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
        self.elements.append(Element(name, attributes, self._parser.CurrentLineNumber, parent))
        self._open.append(len(self.elements) - 1)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _refuse(self, problem: str, remedy: str, line: int | None = None) -> NoReturn:
        where = self._parser.CurrentLineNumber if line is None else line
        raise ImportFault(self._file, where, problem, remedy) from None
