"""What a running Gatepost is doing, put together from what daemon and workers say."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatepost.admin.certificate import certificate_rows
from gatepost.config.schema import Settings
from gatepost.store.disk import FREE_LEAST_BYTES

Row = dict[str, Any]
_COUNTED = ("active", "deferred", "held", "total", "size_bytes")
_CERTIFICATE_KEYS = ("name", "names", "not_after", "days_left", "used_by", "problem")


def status_row(settings: Settings, said: Row) -> Row:
    """`said` is the daemon's answer to `status`. Times are ISO 8601, UTC."""
    workers: list[Row] = said["workers"]
    sessions: Counter[str] = Counter()
    for worker in workers:
        sessions.update(worker["sessions_by_server"])
    return {
        "hostname": said["hostname"],
        "file": said["file"],
        "started_at": datetime.fromtimestamp(said["started_at"], UTC).isoformat(timespec="seconds"),
        "generation": said["generation"],
        "trouble": said["trouble"] | _disk_trouble(settings.state),
        "selftest": _selftest_row(said["selftest"]),
        "workers": len(workers),
        "worker_restarts": said["restarts"],
        "virtual_servers": [_server_row(full_name, said, sessions) for full_name in said["listeners"]],
        "sessions": sum(worker["sessions"] for worker in workers),
        "queue": {key: sum(worker["queue"][key] for worker in workers) for key in _COUNTED},
        "certificates": [
            {key: row[key] for key in _CERTIFICATE_KEYS if key in row} for row in certificate_rows(settings)
        ],
    }


def _disk_trouble(state: Path) -> dict[str, str]:
    """Empty while mail is taken."""
    try:
        free = shutil.disk_usage(state).free
    except OSError as problem:
        return {"disk": f"{state} cannot be looked at: {problem.strerror}"}
    if free >= FREE_LEAST_BYTES:
        return {}
    least = FREE_LEAST_BYTES // 1_000_000
    return {
        "disk": f"{free // 1_000_000} MB are free at {state}: no mail is taken below {least} MB; make room"
    }


def _server_row(full_name: str, said: Row, sessions: Counter[str]) -> Row:
    protocol, _, name = full_name.partition(".")
    listening = said["listeners"][full_name]
    key = name if protocol == "smtp" else full_name
    row = {"protocol": protocol, "name": name, "listening": listening, "sessions": sessions[key]}
    return row | {"state": said["states"][full_name]}


def _selftest_row(said: Row) -> Row:
    if "at" not in said:
        return said
    return said | {"at": datetime.fromtimestamp(said["at"], UTC).isoformat(timespec="seconds")}
