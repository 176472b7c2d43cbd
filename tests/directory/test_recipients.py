"""Whose mail for a local address is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from directory.directories import DOMAINS, House, open_house
from gatepost.directory.directory import Alias, Mailbox, Resolution, UnknownRecipient
from gatepost.directory.recipients import LocalDomain, Recipients
from gatepost.mail.address import Address
from gatepost.store import tables


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as house:
        house.accounts.users.add(
            "bob@example.org", domains=DOMAINS, by="x", addresses=["robert@example.net"], quota_bytes=5
        )
        house.add("ann@example.org")
        yield house


def alias(house: House, address: str, *targets: str, outside: bool = False) -> None:
    house.accounts.aliases.add(address, targets, domains=DOMAINS, by="x", outside=outside)


def resolve(house: House, text: str) -> Resolution:
    house.directory.refresh()
    local, _, domain = text.rpartition("@")
    return house.directory.resolve(Address(local, domain))


BOB = Mailbox("bob@example.org", 5)
ANN = Mailbox("ann@example.org")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "bob@example.org",
            "BOB@example.org",
            "Bob@Example.ORG",
            "bob+x@example.org",
            "bob+x+y@example.org",
        ),
        *("robert@example.net", "Robert+@example.net", 'bob+a "quoted" tag@example.org'),
    ],
)
def test_an_account_has_its_addresses_in_any_case_and_with_tags(house: House, text: str) -> None:
    assert resolve(house, text) == BOB


@pytest.mark.parametrize(
    "text",
    [
        *("zoe@example.org", "bob@example.net", "robert@example.org", "bob@else.example", "+x@example.org"),
        *("bob@", "@example.org", "bo\0b@example.org", "ann@example.org@example.org"),
    ],
)
def test_other_addresses_are_unknown(house: House, text: str) -> None:
    assert resolve(house, text) == UnknownRecipient()


def test_an_account_with_a_plus_in_its_name_has_its_own_mail(house: House) -> None:
    house.add("bob+lists@example.org")
    assert resolve(house, "bob+lists@example.org") == Mailbox("bob+lists@example.org")
    assert resolve(house, "bob+other@example.org") == BOB


def test_a_disabled_account_still_gets_its_mail(house: House) -> None:
    house.accounts.users.set_disabled("bob@example.org", disabled=True, by="x")
    assert resolve(house, "bob@example.org") == BOB


def test_an_alias_leads_to_several_also_through_others(house: House) -> None:
    alias(house, "office@example.org", "ann@example.org")
    alias(house, "sales@example.org", "office@example.org", "bob+sales@example.org", "ann@example.org")
    for text in ("sales@example.org", "Sales+x@example.org"):
        found = resolve(house, text)
        assert isinstance(found, Alias)
        assert set(found.mailboxes) == {ANN, BOB}
        assert found.addresses == ()


def test_loops_are_cut(house: House) -> None:
    alias(house, "a@example.org", "b@example.org", "a@example.org")
    alias(house, "b@example.org", "a@example.org", "bob@example.org")
    assert resolve(house, "a@example.org") == Alias((BOB,), ())


def test_an_alias_that_leads_nowhere_is_unknown(house: House) -> None:
    alias(house, "a@example.org", "b@example.org", "gone@example.org")
    alias(house, "b@example.org", "a@example.org")
    assert resolve(house, "a@example.org") == UnknownRecipient()


def test_mail_goes_outside_only_where_that_alias_says_so(house: House) -> None:
    alias(house, "out@example.org", "Else@Else.example", "bob@example.org", outside=True)
    alias(house, "in@example.org", "out@example.org")
    outside = (Address("Else", "else.example"),)
    assert resolve(house, "out@example.org") == Alias((BOB,), outside)
    assert resolve(house, "in@example.org") == Alias((BOB,), outside)
    with house.accounts.database.writing() as connection:
        connection.execute(tables.aliases.update().values(outside=False))
    assert resolve(house, "out@example.org") == Alias((BOB,), ())


def test_an_unresolved_target_in_a_forwarding_domain_is_sent_on(house: House) -> None:
    alias(house, "a@example.org", "who@forward.example", "who@example.net")
    assert resolve(house, "a@example.org") == Alias((), (Address("who", "forward.example"),))


def test_a_catch_all_takes_what_nobody_has(house: House) -> None:
    alias(house, "@example.org", "ann@example.org")
    assert resolve(house, "zoe@example.org") == Alias((ANN,), ())
    assert resolve(house, "bob@example.org") == BOB
    assert resolve(house, "bob+x@example.org") == BOB
    assert resolve(house, "zoe@example.net") == UnknownRecipient()


@pytest.mark.parametrize("local", ["bob%else.example", "bob@else.example", "else.example!bob", "a!b+x"])
def test_a_catch_all_takes_no_routes(house: House, local: str) -> None:
    alias(house, "@example.org", "ann@example.org")
    assert house.directory.resolve(Address(local, "example.org")) == UnknownRecipient()


def test_postmaster_is_always_there(house: House) -> None:
    for domain in DOMAINS:
        assert resolve(house, f"PostMaster@{domain}") == Mailbox(f"postmaster@{domain}")
    assert house.directory.resolve(Address("Postmaster", "")) == Mailbox("postmaster@example.org")
    house.add("zoe@example.org", administrator=True)
    house.add("adam@example.org", administrator=True)
    assert resolve(house, "postmaster@example.net") == Mailbox("zoe@example.org")
    alias(house, "@example.org", "bob@example.org")
    assert resolve(house, "postmaster@example.org") == Mailbox("zoe@example.org")
    alias(house, "postmaster@example.org", "ann@example.org")
    assert resolve(house, "postmaster@example.org") == Alias((ANN,), ())
    house.accounts.users.set_disabled("zoe@example.org", disabled=True, by="x")
    assert resolve(house, "postmaster@example.net") == Mailbox("adam@example.org")


@pytest.mark.parametrize(
    ("named", "account"), [("Bob@example.org", "bob@example.org"), ("gone@example.org", "zoe@example.org")]
)
def test_postmaster_falls_to_the_named_account_while_it_is_there(
    tmp_path: Path, named: str, account: str
) -> None:
    with open_house(tmp_path, postmaster=named) as house:
        house.add("bob@example.org")
        house.add("zoe@example.org", administrator=True)
        assert resolve(house, "postmaster@forward.example") == Mailbox(account)


def test_a_domains_settings_have_a_say(house: House) -> None:
    recipients = Recipients(
        house.accounts,
        [
            LocalDomain("example.org", plus_addressing=False, catch_all="ann@example.org"),
            LocalDomain("example.net", catch_all="else@else.example", postmaster="postmaster@example.net"),
        ],
    )
    assert recipients.resolve(Address("bob", "example.org")) == BOB
    assert recipients.resolve(Address("bob+x", "example.org")) == Alias((ANN,), ())
    assert recipients.resolve(Address("zoe", "example.org")) == Alias((ANN,), ())
    assert recipients.resolve(Address("zoe", "example.net")) == UnknownRecipient()  # never outside
    assert recipients.resolve(Address("postmaster", "example.net")) == Mailbox("postmaster@example.net")
    alias(house, "@example.org", "bob@example.org")
    assert recipients.resolve(Address("zoe", "example.org")) == Alias((BOB,), ())


def test_both_writings_of_a_domain_lead_to_the_account(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        house.accounts.users.add("bob@münchen.example", domains=["münchen.example"], by="x")
        recipients = Recipients(house.accounts, [LocalDomain("münchen.example")])
        for domain in ("münchen.example", "xn--mnchen-3ya.example"):
            assert recipients.resolve(Address("Bob", domain)) == Mailbox("bob@xn--mnchen-3ya.example")


NAMES = [f"n{number}" for number in range(6)]
Graph = st.dictionaries(
    st.sampled_from(NAMES[:4]), st.frozensets(st.sampled_from([*NAMES, "out"]), min_size=1), max_size=4
)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("graphs")) as house:
        for name in NAMES[4:]:
            house.add(f"{name}@example.org")
        yield house


@settings(max_examples=50)
@given(graph=Graph, outside=st.booleans())
def test_nested_aliases_are_what_the_reference_says(
    graphs: House, graph: dict[str, frozenset[str]], outside: bool
) -> None:
    _write(graphs, graph, outside=outside)
    for name in NAMES[:4]:
        reached = _reference(graph, name)
        mailboxes = {f"{one}@example.org" for one in reached if one in NAMES[4:]}
        sent_on = {"out"} & reached if outside else set()
        found = resolve(graphs, f"{name}@example.org")
        if not mailboxes and not sent_on:
            assert found == UnknownRecipient()
            continue
        assert isinstance(found, Alias)
        assert {mailbox.account for mailbox in found.mailboxes} == mailboxes
        assert {address.local for address in found.addresses} == sent_on


def _write(house: House, graph: dict[str, frozenset[str]], *, outside: bool) -> None:
    with house.accounts.database.writing() as connection:
        connection.execute(delete(tables.aliases))
        for name, targets in graph.items():
            address = f"{name}@example.org"
            connection.execute(insert(tables.aliases).values(address=address, outside=outside))
            for target in targets:
                whole = f"{target}@{'else.example' if target == 'out' else 'example.org'}"
                connection.execute(insert(tables.alias_targets).values(address=address, target=whole))


def _reference(graph: dict[str, frozenset[str]], name: str) -> set[str]:
    """Everything reached from a name, said as simply as can be."""
    reached = {name} if name in graph else set()
    while True:
        more = set().union(*(graph.get(one, frozenset()) for one in reached)) - reached
        if not more:
            return reached
        reached |= more
