"""What is on record of a session, and what the file of then and the file of now say to the same."""

from __future__ import annotations

from contextlib import ExitStack
from ipaddress import ip_address
from typing import Any, Final

from gatepost.admin.explain import Case, explain
from gatepost.admin.explain_rows import explanation_row
from gatepost.admin.explain_then import Past, Then
from gatepost.admin.house import House
from gatepost.admin.learn import Learning, learning
from gatepost.admin.trace import session_row
from gatepost.config.schema import Settings, SmtpServer, TlsMode
from gatepost.policy.reasons import Reason
from gatepost.store.tracking import Tracking

Row = dict[str, Any]

_IN_CLEAR = frozenset({Reason.TLS_REQUIRED.value, Reason.AUTH_NEEDS_TLS.value})
_BEFORE_RCPT = ("connect", "tls", "login", "mail", "sender")
# What an explanation can come to: of other reasons (limits, content, the guard) it says nothing.
_JUDGED: Final = frozenset(
    reason.value
    for reason in (
        Reason.CONNECT_DENIED, Reason.TLS_REQUIRED, Reason.AUTH_REQUIRED, Reason.SUBMIT_DENIED,
        Reason.SENDER_NOT_OWN, Reason.RELAY_DENIED, Reason.ACCESS_DENIED,
        Reason.PROTECTED_ACCOUNT, Reason.UNKNOWN_RECIPIENT,
    )
)  # fmt: skip


def session_explained(house: House, session: str, settings: Settings) -> Row | None:
    """What is on record, each event with `then` and `now`: what an SMTP virtual server says to the same.

    None where nothing is on record. `then` is by the generation that the session ran under, None where that
    is not known; either is None where there is nothing to explain. Raises sqlite3.Error, OSError.
    """
    row = session_row(Tracking(house.place.tracking), session)
    if row is None:
        return None
    name = str(row["virtual_server"]).removeprefix("smtp.")
    with learning(settings, house.accounts) as known, ExitStack() as ways_out:
        past = Past(house.generations, house.file, house.accounts, known, ways_out)
        for event in row["events"]:
            event["now"] = _answer(known, name, event)
            event["then"] = _then(past, name, event)
    return row


def _then(past: Past, name: str, event: Row) -> Row | None:
    """By the generation in force at that time, or by one before it that leads to what happened."""
    if not _can_be_judged(event):
        return None
    found = [(then, _answer_of(then, name, event)) for then in past.around(event["at"])]
    if not found:
        return None
    which = next((n for n, (_, answer) in enumerate(found) if _agrees(event, answer) is True), 0)
    then, answer = found[which]
    return {
        "generation": then.generation.number,
        "since": then.generation.at,
        "until": then.until,
        "replaced_meanwhile": which > 0,
        "same_file": then.same_file,
        "problem": then.problem,
        "agrees": _agrees(event, answer),
        "answer": answer,
    }


def _answer_of(then: Then, name: str, event: Row) -> Row | None:
    return None if then.known is None else _answer(then.known, name, event)


def _agrees(event: Row, answer: Row | None) -> bool | None:
    """Whether it leads to what happened; None where it does not say."""
    if answer is None:
        return None
    if event["kind"] == "message":
        return bool(answer["allowed"])
    if event["reason"] not in _JUDGED:
        return None
    return bool(answer["reason"] == event["reason"])


def _can_be_judged(event: Row) -> bool:
    return event["kind"] == "message" or event["recipient"] is not None or event["stage"] == "mail"


def _answer(known: Learning, name: str, event: Row) -> Row | None:
    """The event thought up again on the virtual server of this name, if there is one."""
    server = known.settings.smtp.get(name)
    if server is None or not _can_be_judged(event):
        return None
    return _explanation(known, server, event)


def _explanation(known: Learning, server: SmtpServer, event: Row) -> Row:
    """Whether there was TLS follows from what else is known of it."""
    recipient = event["recipients"][0] if event["kind"] == "message" else event["recipient"]
    in_clear = event.get("reason") in _IN_CLEAR or server.tls is TlsMode.OFF
    tls = not in_clear and (event["user"] is not None or server.tls is not TlsMode.OFFER)
    case = Case(ip_address(event["peer"]), tls, event["user"], event["sender"], recipient or "")
    facts = known.known(server, case)
    answer = explain(known.settings, server, case, facts)
    row = explanation_row(server.name, case, answer, facts.login, known.paths(facts.login))
    if recipient is None:
        row["stages"] = [stage for stage in row["stages"] if stage["stage"] in _BEFORE_RCPT]
        row["allowed"] = all(stage["answer"] == "yes" for stage in row["stages"])
    return row
