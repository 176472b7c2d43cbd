"""What is on record of a session, and what the file as it is now says to the same."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from gatepost.admin.explain import Case, explain
from gatepost.admin.explain_rows import explanation_row
from gatepost.admin.learn import Learning, learning
from gatepost.admin.trace import session_row
from gatepost.config.schema import Settings, SmtpServer, TlsMode
from gatepost.policy.reasons import Reason
from gatepost.store.accounts import Accounts
from gatepost.store.tracking import Tracking

Row = dict[str, Any]

_IN_CLEAR = frozenset({Reason.TLS_REQUIRED.value, Reason.AUTH_NEEDS_TLS.value})
_BEFORE_RCPT = ("connect", "tls", "login", "mail", "sender")


def session_explained(tracking: Tracking, session: str, settings: Settings, accounts: Accounts) -> Row | None:
    """What is on record, each event with `now`: the explanation of the same on an SMTP virtual server.

    None where nothing is on record. `now` is None where there is nothing to explain. Raises sqlite3.Error.
    """
    row = session_row(tracking, session)
    if row is None:
        return None
    server = settings.smtp.get(str(row["virtual_server"]).removeprefix("smtp."))
    with learning(settings, accounts) as known:
        for event in row["events"]:
            event["now"] = None if server is None else _now(known, server, event)
    return row


def _now(known: Learning, server: SmtpServer, event: Row) -> Row | None:
    """The event thought up again. Whether there was TLS follows from what else is known of it."""
    recipient = event["recipients"][0] if event["kind"] == "message" else event["recipient"]
    if recipient is None and event.get("stage") != "mail":
        return None
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
