"""The operator's verbs inside one worker: its queue, its sessions. Values are what JSON can hold."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from gatepost.admin.link import Refused, Value
from gatepost.admin.queue import Filter, header_text, item_row
from gatepost.admin.queue_verbs import QueueVerbs
from gatepost.admin.selftest_round import Expected
from gatepost.meter import Meter
from gatepost.policy.reasons import Reason
from gatepost.server.sessions import SessionReport, Sessions
from gatepost.store.orders import Item
from gatepost.store.spool import Spool

_PAGE = 1_000
_RETURNED = "the operator of this server has given it up"
_ENDED_FOR = {
    Reason.SESSION_ENDED: "closed by the operator",
    Reason.SESSION_CONTAINED: "the account is contained",
}
Fields = dict[str, Value]


class ShardVerbs:
    """Answers the daemon. `drain` begins the end of the worker; `note` hears what was done with a message."""

    def __init__(
        self,
        spools: Sequence[Spool],
        sessions: Sessions,
        drain: Callable[[], None],
        meter: Meter,
        note: Callable[[str, str, str], None] = lambda queue_id, what, why: None,
    ) -> None:
        self._spools = spools
        self._sessions = sessions
        self._drain = drain
        self._meter = meter
        expected = Expected(sessions.ours)
        self._queue = queue = QueueVerbs(spools, note)
        self._own: dict[str, Callable[[Fields], Awaitable[Value]]] = {
            "queue-page": queue.page,
            "queue-retry": lambda fields: queue.order(fields, Spool.retry, "to be tried at once"),
            "queue-contain": queue.contain,
            "queue-hold": lambda fields: queue.order(fields, Spool.hold, "held"),
            "queue-release": lambda fields: queue.order(fields, Spool.release, "released"),
            "queue-delete": lambda fields: queue.order(fields, Spool.delete, "deleted"),
        }
        self._verbs: dict[str, Callable[[Fields], Value]] = {
            "status": self.status,
            "sessions": self._list_sessions,
            "queue-list": self._list_queue,
            "queue-show": self._show,
            "session-close": self._close_session,
            "metrics": self._metrics,
            "alive": lambda fields: True,
            "selftest-from": expected.announced,
            "selftest-over": expected.over,
            "drain": lambda fields: self._drain(),
        }

    def add(self, verb: str, act: Callable[[Fields], Awaitable[Value]]) -> None:
        """A verb of the worker's own."""
        self._own[verb] = act

    async def answer(self, verb: str, fields: Fields) -> Value:
        """Raises Refused for what is unknown or not found."""
        if verb in self._own:
            return await self._own[verb](fields)
        act = self._verbs.get(verb)
        if act is None:
            raise Refused(f"there is no verb {verb!r}")
        return act(fields)

    async def bounce(self, give_up: Callable[[str, str], bool], fields: Fields) -> Value:
        """As the other orders; senders get a report."""
        return await self._queue.order(
            fields, lambda spool, queue_id: give_up(queue_id, _RETURNED), "to go back to its sender"
        )

    def status(self, fields: Fields) -> Value:
        """Sessions by virtual server, and the queue in numbers."""
        counts = [spool.counts() for spool in self._spools]
        by_server = Counter(session.report().server_key for session in self._sessions)
        return {
            "sessions": len(self._sessions),
            "sessions_by_server": dict(by_server),
            "queue": {
                "active": sum(count.active for count in counts),
                "deferred": sum(count.deferred for count in counts),
                "held": sum(count.held for count in counts),
                "total": sum(count.total for count in counts),
                "size_bytes": sum(count.size_bytes for count in counts),
            },
        }

    def _metrics(self, fields: Fields) -> Value:
        """What this process has counted, and how it stands now."""
        status = self.status(fields)
        oldest = [at for spool in self._spools if (at := spool.oldest()) is not None]
        return self._meter.snapshot() | {
            "life": os.getpid(),
            "sessions": status["sessions_by_server"],
            "queue": status["queue"],
            "oldest": min(oldest, default=None),
        }

    def _list_sessions(self, fields: Fields) -> Value:
        return [session_row(session.report()) for session in self._sessions]

    def _close_session(self, fields: Fields) -> Value:
        """The ids of the sessions that were ended: the one named, or all of a user."""
        wanted, user = fields.get("session"), fields.get("user")
        reason = Reason(fields.get("reason", Reason.SESSION_ENDED.value))
        found = [
            s for s in self._sessions if s.id == wanted or (user is not None and s.report().user == user)
        ]
        for session in found:
            session.close(_ENDED_FOR[reason], reason)
        return [session.id for session in found]

    def _list_queue(self, fields: Fields) -> Value:
        """At most `limit` rows that the filter lets through, of `ids` if there are any."""
        wanted = Filter(**fields.get("filter", {}))
        items = map(self._find, fields["ids"]) if fields.get("ids") else self._items()
        rows = (item_row(item) for item in items if item is not None and wanted.lets(item))
        return list(itertools.islice(rows, int(fields.get("limit", _PAGE))))

    def _items(self) -> Iterator[Item]:
        return itertools.chain.from_iterable(spool.items() for spool in self._spools)

    def _find(self, queue_id: str) -> Item | None:
        return next((item for spool in self._spools if (item := spool.find(queue_id)) is not None), None)

    def _show(self, fields: Fields) -> Value:
        queue_id = str(fields["queue_id"])
        for spool in self._spools:
            item = spool.find(queue_id)
            if item is not None:
                return item_row(item) | {"header": header_text(spool.header(queue_id) or b"")}
        raise Refused(f"there is no message {queue_id} in the queue", exit_code=3)


def session_row(report: SessionReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "protocol": report.protocol,
        "virtual_server": report.virtual_server,
        "peer": report.peer,
        "user": report.user,
        "device": report.device,
        "tls": report.tls,
        "certificate": report.certificate,
        "since": report.since.isoformat(timespec="seconds"),
        "messages": report.messages,
    }
