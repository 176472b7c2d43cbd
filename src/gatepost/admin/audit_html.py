"""The audit as one HTML file for people who do not read configuration: no parts from elsewhere, no script.

Everything in it that came from accounts, files or peers is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final

from gatepost.admin.audit import Survey
from gatepost.admin.audit_meanings import MEANINGS
from gatepost.admin.audit_weakness import Grade, Weakness

Row = dict[str, Any]

_WORDS: Final = {
    Grade.CRITICAL: "act today: strangers can send mail here, or need one guess to",
    Grade.HIGH: "act this week: one more step and somebody gets in",
    Grade.MEDIUM: "plan it: it makes an attack easier, or worse when it succeeds",
    Grade.LOW: "know it, and change it when there is time",
    Grade.INFO: "for completeness",
}
_SHOWN: Final = 30


def html_report(found: Survey) -> str:
    """The whole file."""
    title = f"Mail gate {escape(found.hostname)}: who can send through it, and what is weak"
    parts = (
        f"<h1>{escape(found.hostname)}</h1>",
        "<p class=sub>Who can send mail through this gate, and what is weak. "
        f"{found.at:%d %B %Y, %H:%M} UTC, from {escape(found.file)}</p>",
        _summary(found),
        "<h2>What is weak, worst first</h2>",
        "".join(map(_weakness, found.weaknesses)) or "<p>Nothing was found.</p>",
        "<h2>Who can send mail to the outside world</h2>",
        "".join(_server(name, rows) for name, rows in found.relayers.items())
        or "<p>There is no SMTP virtual server.</p>",
        _glossary(),
    )
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
    style = f"<style>{_STYLE}</style>"
    body = f"<body><main>{''.join(parts)}</main></body>"
    return f"<!doctype html><html lang=en><head>{head}{style}</head>{body}</html>\n"


def _summary(found: Survey) -> str:
    tiles = "".join(
        f"<div class='tile {grade.value}'><b>{found.count(grade)}</b>{grade.value}</div>" for grade in Grade
    )
    worst = next((grade for grade in Grade if found.count(grade)), None)
    verdict = "Nothing was found." if worst is None else f"{_WORDS[worst].capitalize()}."
    people, others = _relaying(found)
    who = (
        f"{_many(people, 'account')} and {_many(others, 'place')} (networks, hosts) can send mail to the "
        f"outside world without further questions."
    )
    return f"<div class=tiles>{tiles}</div><p class=verdict>{escape(verdict)} {who}{_passwords(found)}</p>"


def _relaying(found: Survey) -> tuple[int, int]:
    users, others = set(), 0
    for rows in found.relayers.values():
        for row in rows:
            if row["may_relay"] and row["kind"] == "user":
                users.add(row["name"])
            elif row["may_relay"]:
                others += max(1, len(row["from"]))
    return len(users), others


def _passwords(found: Survey) -> str:
    tried = found.passwords
    if tried is None:
        return " Passwords were not tried."
    rest = f"; {_many(len(tried.left), 'account')} not to the end" if tried.left else ""
    return f" Of the passwords kept here, {len(tried.weak)} fell to what attackers try first{rest}."


def _weakness(one: Weakness) -> str:
    row = one.row()
    where = _listed(one.where)
    lines = (
        f"<h3><span class=grade>{one.grade.value}</span> {escape(_sentence(one.text))}</h3>",
        f"<p>{escape(row['why'])}</p>",
        f"<p class=todo><b>What to do:</b> {_code(row['remedy'])}</p>",
        f"<p class=where>{where}</p>" if where else "",
    )
    return f"<section class='weak {one.grade.value}'>{''.join(lines)}</section>"


def _listed(where: tuple[str, ...]) -> str:
    shown = " &middot; ".join(escape(one) for one in where[:_SHOWN])
    rest = where[_SHOWN:]
    if not rest:
        return shown
    more = " &middot; ".join(map(escape, rest))
    return f"{shown}<details><summary>and {len(rest):,} more</summary>{more}</details>"


def _server(name: str, rows: Iterable[Row]) -> str:
    may = [row for row in rows if row["may_relay"]]
    may_not = [row for row in rows if not row["may_relay"]]
    parts = [f"<h3>{escape(name)}</h3>"]
    parts.append(_table(("Who", "Because", "From"), map(_may, may)) if may else "<p>Nobody.</p>")
    if may_not:
        inner = _table(("Who", "Why not"), map(_may_not, may_not))
        summary = f"Named by an entry, and may not all the same: {len(may_not)}"
        parts.append(f"<details><summary>{summary}</summary>{inner}</details>")
    return "".join(parts)


def _may(row: Row) -> Iterator[str]:
    yield _who(row)
    entries = [f"{entry['text']} <small>line {entry['line']}</small>" for entry in _escaped(row["entries"])]
    through = [
        f"<small>by way of {escape(' in '.join(way))}</small>" for way in row["through"] if len(way) > 1
    ]
    yield "<br>".join((*entries, *through))
    places = ", ".join("anywhere" if one == "elsewhere" else one for one in row["from"])
    yield escape(places + (", over TLS only" if row["only_over_tls"] else ""))


def _may_not(row: Row) -> Iterator[str]:
    yield _who(row)
    yield escape(f"{row['reason']}. {row['remedy'] or ''}")


def _who(row: Row) -> str:
    kind = {"user": "", "not-logged-in": ""}.get(row["kind"], f" <small>{escape(row['kind'])}</small>")
    elsewhere = row.get("directory", "local")
    named = "" if elsewhere == "local" else f" <small>in {escape(elsewhere)}</small>"
    return f"{escape(row['name'])}{kind}{named}"


def _escaped(entries: Iterable[Row]) -> Iterator[Row]:
    for entry in entries:
        yield {"text": escape(entry["text"]), "line": int(entry["line"])}


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _code(text: str) -> str:
    """`code` in backticks is set as such."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _sentence(text: str) -> str:
    """With a capital, unless it begins with the name of a virtual server."""
    named = text.partition(" ")[0].endswith(":")
    return (text if named else text[:1].upper() + text[1:]) + ("" if text.endswith(".") else ".")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _glossary() -> str:
    grades = "".join(f"<dt>{grade.value}</dt><dd>{escape(words)}</dd>" for grade, words in _WORDS.items())
    return (
        "<h2>Words</h2><dl>"
        "<dt>relay</dt><dd>to hand in mail for addresses outside; spammers look for gates that let them</dd>"
        "<dt>entry, line</dt><dd>the line of the configuration file that allows it</dd>"
        f"{grades}</dl><p class=sub>Made by <code>gatepost audit</code>, which knows {len(MEANINGS)} kinds "
        "of weak points; its manual page lists them.</p>"
    )


_STYLE: Final = """
:root{--critical:#a3001e;--high:#b4540a;--medium:#806600;--low:#2f6690;--info:#5b6470}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:#1d2329;background:#fff;
max-width:60rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.9rem;margin:0}h2{font-size:1.3rem;margin:2.2rem 0 .8rem;border-bottom:1px solid #d5dade;
padding-bottom:.3rem}h3{font-size:1.02rem;margin:0 0 .3rem}
p{margin:.3rem 0}.sub,small{color:#56606a}small{font-size:.85em}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.3rem 0 .8rem}
.tile{flex:1;min-width:6rem;border:1px solid #d5dade;border-top:4px solid var(--c);border-radius:4px;
padding:.5rem .8rem;color:#3b444d}.tile b{display:block;font-size:1.7rem;line-height:1.2;color:#1d2329}
.verdict{font-size:1.08rem}
.weak{border-left:4px solid var(--c);padding:.2rem 0 .3rem .9rem;margin:1.1rem 0;break-inside:avoid}
.grade{display:inline-block;font-size:.74rem;font-weight:600;text-transform:uppercase;letter-spacing:.04em;
color:#fff;background:var(--c);border-radius:3px;padding:.08rem .45rem;margin-right:.3rem;vertical-align:.1em}
.critical{--c:var(--critical)}.high{--c:var(--high)}.medium{--c:var(--medium)}.low{--c:var(--low)}
.info{--c:var(--info)}
.where{color:#56606a;font-size:.9rem;overflow-wrap:anywhere}.todo{overflow-wrap:anywhere}
code{font:.9em ui-monospace,Menlo,Consolas,monospace;background:#f0f2f4;border-radius:3px;padding:.05em .25em}
table{border-collapse:collapse;width:100%;margin:.3rem 0 1rem;font-size:.94rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #e3e7ea;
overflow-wrap:anywhere}td:first-child{min-width:15rem}thead{display:table-header-group}tr{break-inside:avoid}
summary{cursor:pointer;color:#2f6690}dt{font-weight:600}dd{margin:0 0 .4rem 1.2rem}
@media print{body{margin:0;max-width:none;font-size:11pt}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,h3{break-after:avoid}}
"""
