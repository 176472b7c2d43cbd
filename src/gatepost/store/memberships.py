"""Through which groups a user is in a group: for explaining, not for deciding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

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


class Ways:
    """The groups of everybody, read once: for reports on thousands, one by one else."""

    def __init__(self, database: Database) -> None:
        groups, users, links = tables.groups, tables.group_users, tables.group_groups
        self._above: Mapping[int, list[int]] = defaultdict(list)
        self._direct: Mapping[int, list[int]] = defaultdict(list)
        with database.reading() as connection:
            self._named = {row.id: (row.key, row.name) for row in connection.execute(select(groups))}
            for row in connection.execute(select(links)):
                self._above[row.member_id].append(row.group_id)
            for row in connection.execute(select(users)):
                self._direct[row.user_id].append(row.group_id)

    def of(self, number: int) -> dict[str, tuple[str, ...]]:
        """As `paths_of_user`."""
        found: dict[int, tuple[str, ...]] = {}
        edge = sorted(self._direct.get(number, ()))
        ways: dict[int, tuple[str, ...]] = {group: (self._named[group][1],) for group in edge}
        while edge:
            found |= {group: ways[group] for group in edge}
            above = [(parent, group) for group in edge for parent in self._above.get(group, ())]
            edge = []
            for parent, group in sorted(above, key=lambda pair: self._named[pair[0]][0]):
                if parent not in found and parent not in edge:
                    ways[parent] = (*ways[group], self._named[parent][1])
                    edge.append(parent)
        return {self._named[group][0]: way for group, way in found.items()}
