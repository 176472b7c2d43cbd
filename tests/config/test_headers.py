"""Tables taken out, put in another order and named otherwise: everything around them stays as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gatepost.config.edit import Draft
from gatepost.config.headers import renamed, reordered, without_table

FILE = """\
hostname = "mail.example.org" # the name

# asked first
[directory.local]

# the forest
[directory.ad] # of the office
kind = "ldap"
url = [
  "ldaps://dc1.corp.example", # the old one
]

# universities
[directory.uni]
kind = "ldap"


# all that leaves
[routes."*"]
via = "mx"
[routes."*".login]
user = "relay"
"""


def test_the_comment_above_the_next_header_stays() -> None:
    text = without_table(FILE, ("directory", "ad"))
    assert text == FILE.replace(FILE[FILE.index("[directory.ad]") : FILE.index("# universities")], "")


def test_what_is_inside_goes_with_its_table() -> None:
    text = without_table(FILE, ("routes", "*"))
    assert text is not None
    assert "login" not in text
    assert text.endswith("# all that leaves\n")


def test_a_draft_deletes_so_too() -> None:
    draft = Draft(Path("gatepost.toml"), FILE)
    draft.delete(("directory", "ad"))
    assert draft.text == without_table(FILE, ("directory", "ad"))
    draft.set(("hostname",), "other.example.org")
    assert 'hostname = "other.example.org" # the name' in draft.text


@pytest.mark.parametrize(
    "text",
    [
        'directory = { ad = { kind = "ldap" } }\n',
        'directory.ad.kind = "ldap"\n',
        '[directory.ad]\nkind = "ldap"\n[routes]\n[directory.ad.more]\nx = 1\n',
    ],
)
def test_what_has_no_header_of_its_own_is_not_cut_out(text: str) -> None:
    assert without_table(text, ("directory", "ad")) is None
    draft = Draft(Path("gatepost.toml"), text)
    draft.delete(("directory", "ad"))
    assert draft.value(("directory", "ad")) is None


def test_another_order_keeps_comments_and_what_stands_between() -> None:
    text = reordered(FILE, "directory", ["uni", "local", "ad"])
    assert text is not None
    assert list(tomllib.loads(text)["directory"]) == ["uni", "local", "ad"]
    assert tomllib.loads(text) == tomllib.loads(FILE)
    assert "# asked first\n[directory.local]\n\n# the forest\n[directory.ad] # of the office\n" in text
    assert '# universities\n[directory.uni]\nkind = "ldap"\n\n# asked first' in text
    assert sorted(text.splitlines()) == sorted(FILE.splitlines())


def test_the_order_as_it_is_changes_nothing() -> None:
    assert reordered(FILE, "directory", ["local", "ad", "uni"]) == FILE


def test_an_order_that_cannot_be_made_is_said() -> None:
    assert reordered("directory.a.kind = 1\ndirectory.b.kind = 1\n", "directory", ["b", "a"]) is None


SERVERS = """\
[smtp.old] # for people
listen = ["127.0.0.1:25"]
[smtp.old.scan]
url = "http://old.example" # not this old
[[smtp.old.access]]
allow = ["connect"]
to = "user:old"
[[smtp."old".access]]
deny = ["relay"]
to = "anyone"
[pop3.old]
listen = ["127.0.0.1:110"]
"""


def test_a_table_is_named_otherwise_wherever_it_is_written() -> None:
    text = renamed(SERVERS, ("smtp", "old"), "new one")
    before, after = tomllib.loads(SERVERS), tomllib.loads(text)
    assert after["smtp"] == {"new one": before["smtp"]["old"]}
    assert after["pop3"] == before["pop3"]
    assert '[smtp."new one"] # for people\n' in text
    assert '[[smtp."new one".access]]' in text
    assert "# not this old" in text


@pytest.mark.parametrize(
    "text",
    [
        'smtp = { old = { listen = ["x"] }, other = { listen = ["y"] } }\n',
        'smtp.old.listen = ["x"]\nsmtp."old".tls = "off"\nsmtp.other.listen = ["y"]\n',
        "[smtp]\nold.listen = ['x']\n'old'.tls = 'off'\nother = {}\n",
    ],
)
def test_in_any_spelling(text: str) -> None:
    before, after = tomllib.loads(text)["smtp"], tomllib.loads(renamed(text, ("smtp", "old"), "new"))["smtp"]
    assert list(after) == ["new", "other"]
    assert after["new"] == before["old"]
