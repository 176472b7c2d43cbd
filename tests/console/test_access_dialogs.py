"""The dialogs lose nothing: what they show is written as it was read, what they can't show stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.edit import Draft
from gatepost.console.access import grants as people
from gatepost.console.access import listed, relay
from gatepost.console.access.atoms import NEW, Atom, atoms, changed
from gatepost.console.access.grants import ANONYMOUS, AUTHENTICATED, Grant
from gatepost.console.access.listed import Listing, Mode
from gatepost.console.access.relay import RIGHTS, RelayDialog
from gatepost.console.access.writing import read_entries, row, write_entries
from gatepost.policy.access import Entry, Right, Table, may, parse_principal
from policy import strategies as policy

tables = st.lists(policy.entries, max_size=8).map(
    lambda entries: tuple(replace(entry, line=index) for index, entry in enumerate(entries))
)
hosts = st.lists(
    st.sampled_from(
        [parse_principal(t) for t in ("net:10.0.5.0/24", "net:192.0.2.7", "host:mx.example.org")]
    ),
    unique=True,
    max_size=3,
).map(tuple)
listings = st.builds(Listing, st.sampled_from(Mode), hosts)
some_rights = st.frozensets(st.sampled_from(RIGHTS))
rows = (
    st.lists(
        st.builds(
            Grant,
            st.sampled_from([parse_principal(t) for t in ("user:ann", "user:Bob", "group:POP3 Relay")]),
            some_rights,
            some_rights,
        ),
        unique_by=lambda grant: str(grant.to),
        max_size=3,
    )
    .map(lambda grants: [one for one in grants if one.allowed or one.denied])
    .map(tuple)
)
dialogs = st.builds(RelayDialog, listings, st.booleans(), rows)


def as_set(dialog: RelayDialog) -> tuple[object, ...]:
    return (
        dialog.listing.mode,
        frozenset(map(str, dialog.listing.hosts)),
        dialog.authenticated,
        frozenset((str(one.to), one.allowed, one.denied) for one in dialog.grants),
    )


@given(dialogs)
def test_what_is_written_is_read_again(dialog: RelayDialog) -> None:
    assert as_set(relay.read(relay.write((), dialog))) == as_set(dialog)


@given(tables)
def test_opening_and_closing_changes_nothing(entries: tuple[Entry, ...]) -> None:
    assert relay.write(entries, relay.read(entries)) == entries


@given(tables, dialogs)
def test_what_the_dialog_cannot_show_is_kept(entries: tuple[Entry, ...], dialog: RelayDialog) -> None:
    shown = relay.expressed(relay.read(entries))
    rest = [atom for atom in atoms(entries) if atom not in shown]
    written = atoms(relay.write(entries, dialog))
    assert written.keys() == {*rest, *relay.expressed(dialog)}


@given(tables)
def test_everything_said_of_relay_is_shown_or_left_over(entries: tuple[Entry, ...]) -> None:
    shown = relay.expressed(relay.read(entries))
    rest = relay.left_over(RIGHTS, entries, shown)
    assert {atom for atom in atoms(entries) if atom.right in RIGHTS} == {*shown, *rest}
    for atom in rest:
        assert atoms([relay.alone(atom)]).keys() == {atom}


@given(tables, policy.facts, st.sampled_from(Right))
def test_the_answers_depend_on_the_atoms_alone(entries: tuple[Entry, ...], facts, right) -> None:  # type: ignore[no-untyped-def]
    apart = tuple(relay.alone(atom) for atom in atoms(entries))
    assert may(right, facts, Table(apart)).answer is may(right, facts, Table(entries)).answer


@given(tables, tables)
def test_atoms_go_and_come_as_told(entries: tuple[Entry, ...], others: tuple[Entry, ...]) -> None:
    gone, come = frozenset([*atoms(entries)][::2]), atoms(others)
    after = changed(entries, gone, come)
    assert atoms(after).keys() == (atoms(entries).keys() - gone) | come.keys()
    touched = {atom for entry in entries for atom in atoms([entry])} & gone
    for entry in entries:
        if not (atoms([entry]).keys() & touched) and not any(_joins(entry, atom) for atom in come):
            assert entry in after


def _joins(entry: Entry, atom: Atom) -> bool:
    return any(replace(one, right=atom.right) == atom for one in atoms([entry]))


@given(tables, listings, st.sampled_from([Right.CONNECT, Right.RELAY]))
def test_a_listing_changes_its_own_right_alone(
    entries: tuple[Entry, ...], wanted: Listing, right: Right
) -> None:
    after = listed.with_listing(right, entries, wanted)
    assert [a for a in atoms(entries) if a.right is not right] == [
        a for a in atoms(after) if a.right is not right
    ]
    seen = listed.listing(right, after)
    assert seen.mode is wanted.mode
    assert {*map(str, seen.hosts)} >= {*map(str, wanted.hosts)}


def test_only_becomes_all_except_and_back() -> None:
    office = parse_principal("net:10.0.5.0/24")
    start = listed.with_host(Right.RELAY, (), office)
    turned = listed.with_listing(Right.RELAY, start, Listing(Mode.EXCEPT, (office,)))
    assert [row(one) for one in turned] == [
        {"allow": ["relay"], "to": "anyone"}, {"deny": ["relay"], "to": "net:10.0.5.0/24"},
    ]  # fmt: skip
    back = listed.with_listing(Right.RELAY, turned, Listing(Mode.ONLY, (office,)))
    assert [row(one) for one in back] == [{"allow": ["relay"], "to": "net:10.0.5.0/24"}]
    assert listed.without_host(Right.RELAY, back, parse_principal("net:10.0.5.0/24")) == ()


@given(tables, st.booleans())
def test_anonymous_access_is_as_ticked(entries: tuple[Entry, ...], wanted: bool) -> None:
    after = people.with_anonymous(entries, allowed=wanted)
    assert people.anonymous_submits(after) is wanted


def test_taking_it_from_anyone_leaves_it_to_whoever_logs_in() -> None:
    anyone = people.with_box((), Right.SUBMIT, parse_principal("anyone"), ticked=True)
    after = people.with_anonymous(anyone, allowed=False)
    assert people.has(after, Right.SUBMIT, AUTHENTICATED)
    assert not people.has(after, Right.SUBMIT, ANONYMOUS)


FILE = """\
# the head
[smtp.submission] # named so of old
listen = ["127.0.0.1:2587"]
access = [
  { allow = ["connect"], to = "anyone" }, # everybody knocks
  # people
  { allow = ["submit"], to = "authenticated" }, # mail for ourselves
  { allow = ["submit", "relay"], to = "group:POP3 Relay", tls = true }, # the group
]
tls = "offer" # for old programs
"""


def test_comments_stay(tmp_path: Path) -> None:
    server = ("smtp", "submission")
    draft = Draft(tmp_path / "gatepost.toml", FILE)
    entries = read_entries(draft, server)
    assert entries is not None
    wanted = people.with_box(entries, Right.RELAY, AUTHENTICATED, ticked=True)
    wanted = people.with_grant(RIGHTS, wanted, Grant(parse_principal("group:Sales"), frozenset(RIGHTS)))
    write_entries(draft, server, wanted)
    assert '{ allow = ["submit", "relay"], to = "authenticated" }, # mail for ourselves' in draft.text
    assert '{ allow = ["submit", "relay"], to = "group:Sales" }' in draft.text
    for comment in (
        "# the head",
        "# named so of old",
        "# everybody knocks",
        "# people",
        "# the group",
        "# for old",
    ):
        assert comment in draft.text
    write_entries(draft, server, entries_without(draft, server, "authenticated"))
    assert "authenticated" not in draft.text
    for comment in ("# everybody knocks", "# people", "# the group", "# for old programs"):
        assert comment in draft.text


def entries_without(draft: Draft, server: tuple[str, str], to: str) -> tuple[Entry, ...]:
    entries = read_entries(draft, server)
    assert entries is not None
    return tuple(entry for entry in entries if str(entry.to) != to)


@given(tables, tables)
def test_a_draft_holds_what_was_written(before: tuple[Entry, ...], after: tuple[Entry, ...]) -> None:
    server = ("smtp", "submission")
    draft = Draft(Path("gatepost.toml"), '[smtp.submission]\naccess = [\n] # all\ntls = "offer"\n')
    write_entries(draft, server, tuple(replace(entry, line=NEW) for entry in before))
    kept = tuple(entry for entry in read_entries(draft, server) or () if entry.line % 2)
    wanted = (*kept, *(replace(entry, line=NEW) for entry in after))
    write_entries(draft, server, wanted)
    assert [row(entry) for entry in read_entries(draft, server) or ()] == [row(entry) for entry in wanted]
