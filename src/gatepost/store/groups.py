"""Groups: of users and of groups, to any depth. A loop among them is cut wherever it is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import CTE, Connection, Select, Table, bindparam, delete, func, insert, or_, select
from sqlalchemy.dialects.sqlite import insert as insert_or

from gatepost.store import naming, tables, user
from gatepost.store.account_error import Ambiguous, BadMember, NameTaken, NotFound, ProtectedMember
from gatepost.store.administrators import ADMINISTRATOR
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `groups` are the names of its members that are groups; users are only counted here."""

    name: str
    groups: tuple[str, ...]
    user_count: int


@dataclass(frozen=True, slots=True)
class _Member:
    """What is to join or leave: `table` is the link table, `number` the user or group."""

    table: Table
    number: int
    shown: str

    @property
    def column(self) -> str:
        return "user_id" if self.table is tables.group_users else "member_id"


class Groups:
    """All verbs on groups. Names are compared without case. Changes are audited under `by`."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    # -- questions ---------------------------------------------------------------------------

    def page(self, *, after: str = "", limit: int = _PAGE) -> list[Group]:
        """Up to `limit` groups in order of their names without case, behind the name `after`."""
        table = tables.groups
        query = select(table).where(table.c.key > naming.group_key(after)).order_by(table.c.key).limit(limit)
        with self._database.reading() as connection:
            return [_group(connection, row.id, row.name) for row in connection.execute(query).all()]

    def find(self, name: str) -> Group | None:
        with self._database.reading() as connection:
            row = _row(connection, name)
            return None if row is None else _group(connection, row.number, row.name)

    def get(self, name: str) -> Group:
        """Raises: NotFound: no such group."""
        group = self.find(name)
        if group is None:
            raise _not_found(name)
        return group

    def members(self, name: str, *, nested: bool = False, after: str = "", limit: int = _PAGE) -> list[str]:
        """Up to `limit` names of users in the group, behind `after`; with those of its groups if `nested`.

        Raises:
            NotFound: no such group.
        """
        users, links = tables.users, tables.group_users
        with self._database.reading() as connection:
            number = _required(connection, name).number
            inside = (
                select(_inside(number).c.id)
                if nested
                else select(tables.groups.c.id).where(tables.groups.c.id == number)
            )
            some = select(links.c.user_id).where(links.c.group_id.in_(inside))
            query = select(users.c.name).where(users.c.id.in_(some), users.c.name > after)
            return list(connection.execute(query.order_by(users.c.name).limit(limit)).scalars())

    def of_user(self, number: int) -> frozenset[str]:
        """The keys of all groups the user is in, through groups too."""
        with self._database.reading() as connection:
            return keys_of_user(connection, number)

    # -- changes -----------------------------------------------------------------------------

    def add(self, name: str, *, by: str) -> Group:
        """The group is there, empty.

        Raises:
            BadName: it cannot be a group's name.
            NameTaken: there is one, perhaps written in other case.
        """
        name = naming.group_name(name)
        with self._database.writing() as connection:
            taken = _row(connection, name)
            if taken is not None:
                raise NameTaken(
                    f"there is a group {taken.name!r}", "choose another name, or delete that one first"
                )
            connection.execute(insert(tables.groups).values(key=naming.group_key(name), name=name))
            self._audit.note(connection, who=by, what="group-add", subject=name, after={"name": name})
        return Group(name, (), 0)

    def delete(self, name: str, *, by: str) -> None:
        """The group and its memberships are gone; its members stay.

        Raises:
            NotFound: no such group.
        """
        with self._database.writing() as connection:
            row = _required(connection, name)
            group = _group(connection, row.number, row.name)
            before: dict[str, Fact] = {"groups": list(group.groups), "user_count": group.user_count}
            connection.execute(delete(tables.groups).where(tables.groups.c.id == row.number))
            self._audit.note(connection, who=by, what="group-delete", subject=row.name, before=before)

    def join(
        self,
        group: str,
        member: str,
        *,
        by: str,
        domains: Collection[str],
        guessable: Collection[str],
        relay_groups: Collection[str] | None = None,
        even_so: bool = False,
    ) -> None:
        """The member, a user or a group, is in the group; so it may be already.

        `member` is a user's address, a bare user name in one of `domains`, or a group; `user:` or
        `group:` in front says which where both exist. `relay_groups` are the groups that an access
        entry gives relay; None: any may be. If the group is one of them or in one of them, neither
        administrators nor `guessable` names come in, be it inside another group, unless `even_so`.

        Raises:
            NotFound, Ambiguous: the group or the member.
            BadMember: a group in itself.
            ProtectedMember: relay for those who must not have it.
        """
        with self._database.writing() as connection:
            into = _required(connection, group)
            joining = _member(connection, member, domains)
            if joining.table is tables.group_groups and joining.number == into.number:
                raise BadMember(f"{into.name!r} cannot be its own member", "name another group")
            if not even_so and _gives_relay(connection, into.number, relay_groups):
                _require_harmless(connection, into.name, joining, guessable)
            row = {"group_id": into.number, joining.column: joining.number}
            added = connection.execute(insert_or(joining.table).values(row).on_conflict_do_nothing())
            if added.rowcount:
                after: dict[str, Fact] = {"member": joining.shown, "even_so": even_so}
                self._audit.note(connection, who=by, what="group-join", subject=into.name, after=after)

    def leave(self, group: str, member: str, *, by: str, domains: Collection[str]) -> None:
        """The member is not in the group; through another group it may be still.

        Raises:
            NotFound, Ambiguous: the group or the member.
            BadMember: it was not in it.
        """
        with self._database.writing() as connection:
            out_of = _required(connection, group)
            leaving = _member(connection, member, domains)
            table = leaving.table
            where = (table.c.group_id == out_of.number, table.c[leaving.column] == leaving.number)
            if not connection.execute(delete(table).where(*where)).rowcount:
                raise BadMember(
                    f"{leaving.shown} is not itself a member of {out_of.name!r}",
                    "gatepost group show tells the members",
                )
            before: dict[str, Fact] = {"member": leaving.shown}
            self._audit.note(connection, who=by, what="group-leave", subject=out_of.name, before=before)


def _keys_of_user_query() -> Select[str]:
    # Made once: making it takes longer than SQLite takes to answer it. UNION cuts loops.
    groups, users, links = tables.groups, tables.group_users, tables.group_groups
    direct = select(users.c.group_id.label("id")).where(users.c.user_id == bindparam("number"))
    found = direct.cte("around", recursive=True)
    found = found.union(select(links.c.group_id).join(found, links.c.member_id == found.c.id))
    return select(groups.c.key).where(groups.c.id.in_(select(found.c.id)))


_KEYS_OF_USER: Final = _keys_of_user_query()


def keys_of_user(connection: Connection, number: int) -> frozenset[str]:
    """The keys of all groups the user is in, through groups too."""
    return frozenset(connection.execute(_KEYS_OF_USER, {"number": number}).scalars())


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    name: str


def _row(connection: Connection, name: str) -> _Row | None:
    table = tables.groups
    row = connection.execute(select(table).where(table.c.key == naming.group_key(name))).first()
    return None if row is None else _Row(row.id, row.name)


def _required(connection: Connection, name: str) -> _Row:
    row = _row(connection, name)
    if row is None:
        raise _not_found(name)
    return row


def _not_found(name: str) -> NotFound:
    return NotFound(f"no group {name!r}", "gatepost group list shows all, group add makes one")


def _group(connection: Connection, number: int, name: str) -> Group:
    groups, links, users = tables.groups, tables.group_groups, tables.group_users
    inner = (
        select(groups.c.name).join(links, links.c.member_id == groups.c.id).where(links.c.group_id == number)
    )
    names = connection.execute(inner.order_by(groups.c.key)).scalars()
    count = select(func.count()).select_from(users).where(users.c.group_id == number)
    return Group(name, tuple(names), connection.execute(count).scalar_one())


def _inside(number: int) -> CTE:
    """The group and all within it. UNION, unlike UNION ALL, cuts loops."""
    links = tables.group_groups
    found = select(tables.groups.c.id).where(tables.groups.c.id == number).cte("inside", recursive=True)
    return found.union(select(links.c.member_id).join(found, links.c.group_id == found.c.id))


def _keys_around(connection: Connection, number: int) -> frozenset[str]:
    """The keys of the group and of all it is within."""
    groups, links = tables.groups, tables.group_groups
    found = select(groups.c.id).where(groups.c.id == number).cte("around", recursive=True)
    found = found.union(select(links.c.group_id).join(found, links.c.member_id == found.c.id))
    return frozenset(
        connection.execute(select(groups.c.key).where(groups.c.id.in_(select(found.c.id)))).scalars()
    )


def _gives_relay(connection: Connection, number: int, relay_groups: Collection[str] | None) -> bool:
    if relay_groups is None:
        return True
    return not _keys_around(connection, number).isdisjoint(naming.group_key(name) for name in relay_groups)


def _require_harmless(
    connection: Connection, into: str, joining: _Member, guessable: Collection[str]
) -> None:
    users, links = tables.users, tables.group_users
    names = {naming.canonical(name) for name in guessable}
    people = tables.administrators
    own = select(people.c.name).where(people.c.role == ADMINISTRATOR)
    administers = or_(users.c.administrator.is_(True), users.c.name.in_(own), users.c.local.in_(own))
    query = select(users.c.name, administers.label("administers")).where(
        or_(administers, users.c.local.in_(names), users.c.name.in_(names))
    )
    if joining.table is tables.group_users:
        query = query.where(users.c.id == joining.number)
    else:
        inside = select(_inside(joining.number).c.id)
        query = query.where(users.c.id.in_(select(links.c.user_id).where(links.c.group_id.in_(inside))))
    row = connection.execute(query.order_by(users.c.name).limit(1)).first()
    if row is None:
        return
    why = "is an administrator" if row.administers else "is a name that attackers try"
    through = f" (through {joining.shown})" if joining.table is tables.group_groups else ""
    raise ProtectedMember(
        f"{row.name}{through} {why} and {into!r} gives relay",
        "use another account for sending",
        risk="relay then still needs an entry to = user:NAME",
    )


def _member(connection: Connection, member: str, domains: Collection[str]) -> _Member:
    kind, colon, name = member.partition(":")
    if not colon or kind not in ("user", "group"):
        kind, name = "", member
    users = user.numbers(connection, name, domains) if kind != "group" else []
    group = _row(connection, name) if kind != "user" else None
    if len(users) + (group is not None) > 1:
        raise Ambiguous(f"{name!r} means more than one", "give the whole address, or group:NAME")
    if group is not None:
        return _Member(tables.group_groups, group.number, f"group {group.name!r}")
    if users:
        return _Member(tables.group_users, users[0], user.read(connection, users[0]).name)
    raise NotFound(f"no user or group {name!r}", "gatepost user list and group list show all")
