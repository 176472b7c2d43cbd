"""explain, over the accounts of a real folder."""

from __future__ import annotations

import pytest

from cli.terminal import Said, Terminal


def explain(
    terminal: Terminal, *more: str, name: str = "submission", user: str = "ann", sender: str | None = None
) -> Said:
    who = ("--tls", "--user", user) if user else ()
    mail_from = sender if sender is not None else f"{user}@example.org"
    mail = ("--mail-from", mail_from, "--rcpt", "x@else.example")
    return terminal("explain", name, "--from", "192.0.2.7", *who, *mail, *more)


def test_a_member_through_another_group_may(terminal: Terminal) -> None:
    said = explain(terminal)
    assert said.code == 0
    assert "in the group POP3 Relay, through Sales" in said.out
    assert "YES: submission takes this mail." in said.out
    assert explain(terminal, user="ANN@example.org", sender="ann@example.org").code == 0


def test_the_entry_is_named_with_its_line(terminal: Terminal) -> None:
    lines = terminal.file.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if 'to = "group:POP3 Relay"' in line)
    row = explain(terminal, "--json").json
    relay = row["stages"][-1]
    assert (relay["stage"], relay["answer"]) == ("relay", "yes")
    assert relay["entry"]["line"] == number
    assert relay["entry"]["text"].startswith("A member of the group “POP3 Relay” may")
    assert row["user"]["groups"] == [
        {"name": "POP3 Relay", "through": ["Sales"]},
        {"name": "Sales", "through": []},
    ]


@pytest.mark.parametrize(
    ("user", "reason"),
    [("bob", "relay-denied"), ("root", "protected-account"), ("carl", "protected-account"),
     ("nobody", "unknown-user"), ("", "tls-required")],
)  # fmt: skip
def test_others_may_not(terminal: Terminal, user: str, reason: str) -> None:
    said = explain(terminal, "--json", user=user, sender=f"{user or 'x'}@example.org")
    assert said.code == 3
    assert said.json["allowed"] is False
    assert said.json["reason"] == reason
    assert explain(terminal, user=user, sender=f"{user or 'x'}@example.org").code == 3


def test_the_peer_hears_what_is_said(terminal: Terminal) -> None:
    said = explain(terminal, user="bob")
    assert "reply: 550 5.7.1 Unable to relay for x@else.example [relay-denied SESSION]" in said.out
    assert '`gatepost group join "POP3 Relay" bob@example.org`' in said.out


def test_a_disabled_user_may_not_log_in(terminal: Terminal) -> None:
    terminal("user", "disable", "ann")
    assert explain(terminal, "--json").json["reason"] == "account-disabled"


def test_stages_behind_the_first_no_are_not_reached(terminal: Terminal) -> None:
    row = explain(terminal, "--json", user="").json
    assert [stage["reached"] for stage in row["stages"][:3]] == [True, True, False]
    assert "not reached; would be no, relay-denied" in explain(terminal, user="").out


def test_local_mail_needs_no_login(terminal: Terminal) -> None:
    said = terminal("explain", "internet", "--from", "::ffff:192.0.2.7", "--mail-from", "<>", "--rcpt",
                    "<bob@example.org>", "--json")  # fmt: skip
    assert said.code == 0
    assert said.json["peer"] == "192.0.2.7"
    assert said.json["stages"][-1]["text"] == "example.org is local: the mailbox of bob@example.org"


def test_an_alias_is_followed(terminal: Terminal) -> None:
    terminal("alias", "add", "info@example.org", "ann@example.org", "bob@example.org")
    said = terminal("explain", "smtp.internet", "--from", "192.0.2.7", "--mail-from", "", "--rcpt",
                    "info@example.org")  # fmt: skip
    assert "an alias for ann@example.org, bob@example.org" in said.out


def test_who_can_relay(terminal: Terminal) -> None:
    rows = terminal("explain", "--who-can-relay", "submission", "--json").json
    found = {row["name"]: (row["may_relay"], row["reason"], row["through"]) for row in rows}
    assert found == {
        "ann@example.org": (True, "allowed", [["Sales", "POP3 Relay"]]),
        "carl@example.org": (False, "protected-account", [["POP3 Relay"]]),
        "root@example.org": (False, "protected-account", [["POP3 Relay"]]),
    }
    said = terminal("explain", "--who-can-relay", "submission").out
    assert said.startswith("1 may relay through submission:\n  ann@example.org, over TLS only\n")


def test_nobody_can_relay_through_the_internet_server(terminal: Terminal) -> None:
    said = terminal("explain", "--who-can-relay", "internet")
    assert (said.code, said.out) == (0, "Nobody may relay through internet.\n")


def test_an_empty_group_and_one_that_is_not_there_are_told(terminal: Terminal) -> None:
    for member in ("group:Sales", "root", "carl"):
        terminal("group", "leave", "POP3 Relay", member)
    rows = terminal("explain", "--who-can-relay", "submission", "--json").json
    assert [(row["kind"], row["reason"]) for row in rows] == [("group", "no-members")]
    terminal("group", "delete", "POP3 Relay")
    rows = terminal("explain", "--who-can-relay", "submission", "--json").json
    assert [(row["name"], row["reason"]) for row in rows] == [("POP3 Relay", "no-such-group")]
