"""Beside the boxes: the sentence of each entry, who could relay now, and what is dangerous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nicegui import ui
from nicegui.element import Element

from gatepost.admin.preview import Preview
from gatepost.admin.relay_now import RelayNow, relay_now
from gatepost.admin.relayers import Relayer, places
from gatepost.config.edit import Draft
from gatepost.config.finding import Finding, Severity
from gatepost.console.access.writing import Server, read_entries
from gatepost.console.bench import Bench
from gatepost.console.dangers import show_faults, show_findings
from gatepost.console.parts import heading, progress
from gatepost.console.texts import access as words
from gatepost.policy.access import Entry
from gatepost.policy.meanings import MEANINGS
from gatepost.policy.sentence import sentence

_NAMES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """`now` None: POP3, or the draft is not valid. `users` is how many accounts there are.

    `is_one_place`: the table tells no networks apart.
    """

    seen: Preview
    now: RelayNow | None
    users: int
    is_one_place: bool = True


def answer(bench: Bench, text: str, server: Server, seen: Preview) -> Answer:
    """Blocks: asks the accounts."""
    accounts = bench.context.house.accounts
    if seen.settings is None or server[0] != "smtp" or server[1] not in seen.settings.smtp:
        return Answer(seen, None, 0)
    now = relay_now(seen.settings, seen.settings.smtp[server[1]], accounts)
    return Answer(seen, now, accounts.users.count(), len(places(seen.settings.smtp[server[1]].access)) == 1)


class Meaning:
    """A panel that says what a text means for one virtual server, beside what `base` means."""

    def __init__(self, bench: Bench, server: Server, base: str) -> None:
        self._bench = bench
        self._server = server
        self._base = base
        self._asked = 0
        with ui.element("section").classes("gp-side").props('aria-live="polite"'):
            self._panel: Element = ui.element("div")
        with self._panel:
            progress(words.WORKING)

    async def show(self, text: str, left_alone: Sequence[Entry] = ()) -> None:
        """The panel speaks of `text`; what was asked before and comes later is not shown."""
        self._asked += 1
        mine = self._asked
        seen = await self._bench.look(text)
        found = await self._bench.context.house.work(lambda: answer(self._bench, text, self._server, seen))
        if mine != self._asked or self._panel.is_deleted:
            return
        self._panel.clear()
        with self._panel:
            show_faults(seen)
            show_findings(about(self._server, seen), seen)
            self._sentences(text)
            if left_alone:
                heading(words.LEFT_ALONE, 3)
                _list(sentence(entry) for entry in left_alone)
            if self._server[0] == "smtp":
                heading(words.WHO, 3)
                show_relay_now(found)

    def _sentences(self, text: str) -> None:
        before, after = self._said(self._base), self._said(text)
        heading(words.MEANS, 3)
        with ui.element("ul"):
            left = Counter(before)
            for said in after:
                is_new = left[said] <= 0
                left[said] -= 1
                _item(said, words.NEW_MARK if is_new else "", "text-weight-bold" if is_new else "")
            for said in (left & Counter(before)).elements():
                _item(said, words.GONE_MARK, "gp-bad")
            if not after:
                _item(words.TABLE_EMPTY, "", "")

    def _said(self, text: str) -> list[str]:
        draft = Draft(self._bench.work.file, text)
        return [sentence(entry) for entry in read_entries(draft, self._server) or ()]


def about(server: Server, seen: Preview) -> Iterator[Finding]:
    """The findings about lines of this virtual server, and errors wherever they are."""
    if seen.settings is None:
        return
    lines = {line for path, line in seen.settings.source.lines.items() if path[:2] == server}
    for one in seen.findings.items:
        if one.line in lines or one.severity is Severity.ERROR:
            yield one


def _item(text: str, mark: str, classes: str) -> None:
    with ui.element("li").classes("gp-break"):
        label = ui.label(f"{text} ({mark})" if mark else text).classes(classes)
        if mark == words.GONE_MARK:
            label.style("text-decoration: line-through")


def _list(texts: Iterable[str]) -> None:
    with ui.element("ul"):
        for text in texts:
            _item(text, "", "")


def show_relay_now(found: Answer) -> None:
    """The live answer."""
    now = found.now
    if now is None:
        ui.label(words.NOT_VALID).classes("gp-quiet")
        return
    if now.nobody:
        ui.label(words.NOBODY).classes("text-weight-bold")
    with ui.element("ul"):
        for one in now.without_login:
            _item(_who(one, found), "", "gp-warn")
        if now.everybody:
            _item(words.EVERYBODY.format(count=found.users), "", "gp-warn")
        for entry in now.groups_elsewhere:
            _item(words.GROUP_ELSEWHERE.format(name=entry.to.text.partition(":")[2]), "", "")
        _some([_who(one, found) for one in now.may])
        if not now.is_whole and not now.everybody:
            _item(words.MANY_MORE, "", "")
    if now.may_not:
        heading(words.MEANT_BUT_NOT, 3)
        with ui.element("ul"):
            _some(
                [words.WHY_NOT.format(who=_name(one), why=MEANINGS[one.reason].means) for one in now.may_not]
            )


def _some(texts: list[str]) -> None:
    for text in texts[:_NAMES_SHOWN]:
        _item(text, "", "")
    if len(texts) > _NAMES_SHOWN:
        _item(words.MORE.format(count=len(texts) - _NAMES_SHOWN), "", "gp-quiet")


def _name(one: Relayer) -> str:
    if one.identity is not None:
        return one.identity.name
    return one.principal.text if one.principal is not None else words.WITHOUT_LOGIN


def _who(one: Relayer, found: Answer) -> str:
    where = words.ANYWHERE if found.is_one_place else ", ".join(one.places)
    return words.FROM.format(who=_name(one), places=where, tls=words.OVER_TLS if one.over_tls else "")
