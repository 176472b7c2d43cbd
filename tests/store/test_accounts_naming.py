"""One form of each name, whatever is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.store import naming
from gatepost.store.account_error import BadName

Texts = st.text(max_size=40) | st.text(alphabet="aB.@+ äÄß-_İ", max_size=20)


@given(Texts)
def test_the_canonical_form_stays_as_it_is(text: str) -> None:
    once = naming.canonical(text)
    assert naming.canonical(once) == once
    assert naming.group_key(naming.group_key(text)) == naming.group_key(text)


@given(st.text(alphabet=st.characters(), max_size=20))
def test_the_canonical_form_can_always_be_stored(text: str) -> None:
    for one in (text, text + "\ud800", "\udfff@" + text):
        naming.canonical(one).encode()


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_case_never_matters(text: str) -> None:
    assert naming.canonical(text.upper()) == naming.canonical(text.lower())
    assert naming.group_key(text.upper()) == naming.group_key(text.lower())


@given(Texts, st.sampled_from(["example.org", "münchen.example"]))
def test_a_name_is_accepted_in_its_canonical_form_or_refused(local: str, domain: str) -> None:
    try:
        name = naming.account_address(f"{local}@{domain}", [domain])
    except BadName:
        return
    else:
        assert naming.account_address(name, [domain]) == name
        assert not set(name) & set('/%!"\\ \0')
        assert name.count("@") == 1
        kept, _, under = name.partition("@")
        assert naming.key(Address(kept, under)) == name
        assert kept not in (".", "..")


@given(Texts)
def test_a_groups_name_leads_to_its_key(text: str) -> None:
    try:
        name = naming.group_name(text)
    except BadName:
        return
    assert naming.group_key(name) == naming.group_key(text) != ""


def test_a_domain_without_an_ascii_form_stays() -> None:
    assert naming.canonical("bob@" + "ä" * 80) == "bob@" + "ä" * 80


@pytest.mark.parametrize("target", ["Bob@Example.org", "o'neil+x@example.org", "ü@münchen.example"])
def test_a_target_keeps_the_case_of_its_local_part(target: str) -> None:
    assert naming.target(target).partition("@")[0] == target.partition("@")[0]
