"""What a reload would change, in words."""

from __future__ import annotations

from pathlib import Path

from gatepost.admin.difference import difference
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.policy.facts import Identity

ANN = Identity(
    "ann@example.org", frozenset({"ann@example.org", "ann"}), frozenset(), frozenset({"pop3 relay"})
)
BOB = Identity("bob@example.org", frozenset({"bob@example.org", "bob"}), frozenset(), frozenset())

FILE = """
hostname = "mail.example.org"
state = "state"
[domains."example.org"]
[smtp.submission]
listen = ["127.0.0.1:2587"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
access = [
  { allow = ["connect", "submit"], to = "net:10.0.0.0/8" },
  { allow = ["relay"], to = "group:POP3 Relay" },
]
"""


def settings(folder: Path, text: str) -> Settings:
    return load_text(text, folder / "gatepost.toml")


def said(folder: Path, after: str, before: str = FILE) -> list[str]:
    return [
        change.text for change in difference(settings(folder, before), settings(folder, after), [ANN, BOB])
    ]


def test_the_same_file_changes_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, FILE) == []
    assert said(tmp_path, "# a comment\n" + FILE) == []


def test_who_loses_and_who_gains_relay_is_said_first(tmp_path: Path) -> None:
    after = FILE.replace("group:POP3 Relay", "user:bob").replace("2587", "2588")
    found = said(tmp_path, after)
    assert found[0] == "ann@example.org could relay through 'submission', now it can't"
    assert found[1].startswith("bob@example.org could not relay through 'submission', now it can (from ")
    assert "smtp.submission.listen: 127.0.0.1:2587 becomes 127.0.0.1:2588" in found


def test_the_end_of_all_relay_is_one_sentence(tmp_path: Path) -> None:
    after = FILE.replace('  { allow = ["relay"], to = "group:POP3 Relay" },\n', "")
    found = said(tmp_path, after)
    assert found[0] == "nobody can relay through 'submission' any more"
    assert any("this entry goes: " in one and "POP3 Relay" in one for one in found)


def test_a_server_that_goes_and_one_that_comes_are_named_once(tmp_path: Path) -> None:
    found = said(tmp_path, FILE.replace("smtp.submission", "smtp.inside").replace("2587", "2588"))
    assert "virtual server smtp.submission goes; it listened on 127.0.0.1:2587" in found
    assert "virtual server smtp.inside is new; it listens on 127.0.0.1:2588" in found
    assert not any(one.startswith("smtp.") for one in found)


def test_a_limit_is_told_with_both_values(tmp_path: Path) -> None:
    assert said(tmp_path, FILE + "[limits]\nconnections = 7\n") == [
        "limits.connections: 1000 becomes 7",
        "smtp.submission.connections: 1000 becomes 7",
    ]


def test_another_name_is_one_sentence_and_other_changes_are_told_of_the_new_one(tmp_path: Path) -> None:
    after = FILE.replace("[smtp.submission]", "[smtp.clients]")
    (only,) = said(tmp_path, after)
    assert only.startswith("virtual server smtp.submission is called smtp.clients from now on")
    more = said(tmp_path, after.replace("group:POP3 Relay", "user:bob"))
    assert more[1] == "ann@example.org could relay through 'clients', now it can't"
