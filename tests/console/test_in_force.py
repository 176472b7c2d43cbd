"""Which limit holds of a user: a table, one line one verdict."""

from __future__ import annotations

import pytest

from gatepost.config.allotments import SharedLimits
from gatepost.config.servers import Limits
from gatepost.console.in_force import InForce, Origin, in_force

SHARED = SharedLimits.model_validate(
    {
        "recipients_per_day_per_user": 2_000,
        "message_size_bytes": 100_000,
        "users": {
            "ann@example.org": {"messages_per_minute": 7},
            "big@example.org": {"message_size_bytes": 900_000},
        },
        "groups": {
            "Newsletter": {"recipients_per_day": 50_000},
            "Office": {"recipients_per_day": 400},
            "Floor 2": {"recipients_per_day": 400},
        },
    }
)
OUT = SHARED.model_dump(include=set(Limits.model_fields))
ALL, SERVER, GROUP, OWN = Origin.EVERYBODY, Origin.SERVER, Origin.GROUP, Origin.OWN
SERVERS = {
    "out": Limits.model_validate(
        OUT
        | {"messages_per_minute_per_user": 3, "recipients_per_day_per_user": 10, "message_size_bytes": 5_000}
    ),
    "same": Limits.model_validate(OUT),
}


@pytest.mark.parametrize(
    ("name", "groups", "key", "expected"),
    [
        ("bob", "", "messages_per_minute", [(60, ALL, "", ""), (3, SERVER, "out", "")]),
        ("bob", "", "recipients_per_hour", [(None, ALL, "", "")]),
        ("bob", "newsletter", "recipients_per_day", [(50_000, GROUP, "", "newsletter")]),
        ("bob", "newsletter office floor_2", "recipients_per_day", [(400, GROUP, "", "office,floor 2")]),
        ("ann", "office", "messages_per_minute", [(7, OWN, "", "")]),
        ("big", "", "message_size_bytes", [(100_000, ALL, "", ""), (5_000, SERVER, "out", "")]),
    ],
)  # fmt: skip
def test_the_own_word_then_the_groups_then_the_virtual_server(
    name: str, groups: str, key: str, expected: list[tuple[int | None, Origin, str, str]]
) -> None:
    folded = frozenset(one.replace("_", " ") for one in groups.split())
    rows = [one for one in in_force(SHARED, SERVERS, [f"{name}@example.org"], folded) if one.key == key]
    assert rows == [
        InForce(key, value, origin, server, tuple(whose.split(",")) if whose else ())
        for value, origin, server, whose in expected
    ]
