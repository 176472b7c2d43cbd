"""Through which groups a user is in a group: for explaining, not for deciding."""

from __future__ import annotations

from sqlalchemy import select

from gatepost.store import tables
from gatepost.store.database import Database


def paths_of_user(database: Database, number: int) -> dict[str, tuple[str, ...]]:
    """For every group the user is in, by key, the shortest way there.

    A way is the names of groups: first the one whose member the user is itself, last the group of
    the key. Loops are cut.
    """
    groups, users, links = tables.groups, tables.group_users, tables.group_groups
    with database.reading() as connection:
        direct = select(groups).join(users, users.c.group_id == groups.c.id).where(users.c.user_id == number)
        found: dict[int, tuple[str, tuple[str, ...]]] = {
            row.id: (row.key, (row.name,)) for row in connection.execute(direct)
        }
        edge = sorted(found)
        while edge:
            above = (
                select(links.c.member_id, groups)
                .join(groups, groups.c.id == links.c.group_id)
                .where(links.c.member_id.in_(edge))
                .order_by(groups.c.key)
            )
            edge = []
            for row in connection.execute(above).all():
                if row.id not in found:
                    found[row.id] = (row.key, (*found[row.member_id][1], row.name))
                    edge.append(row.id)
    return dict(found.values())
