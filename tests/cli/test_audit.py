"""`gatepost audit` from the terminal: what it says, its exit codes, and the report for people."""

from __future__ import annotations

import re
import stat
import time
from ipaddress import ip_network
from pathlib import Path

from cli.terminal import Terminal
from gatepost.admin.audit_html import html_report
from gatepost.admin.audit_weakness import Grade
from gatepost.directory.password import Cost, Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import NewAppPassword
from gatepost.store.attempts import Attempts, LoginAttempt
from gatepost.store.guarddb import ContainedRow, GuardStore
from gatepost.store.place import Place
from gatepost.store.tokens import NewToken

NAMED = '  { allow = ["submit", "relay"], to = "user:root@example.org" },\n]\n\n[pop3.mail]'


def kinds(said: object) -> dict[str, dict[str, object]]:
    assert isinstance(said, dict)
    return {one["weakness"]: one for one in said["weaknesses"]}


def test_members_whom_the_group_gives_nothing_are_named_with_the_way(terminal: Terminal) -> None:
    said = terminal("audit", "--no-passwords", "--json")
    assert said.code == 0
    protected = [one for one in said.json["weaknesses"] if one["weakness"] == "protected-member"]
    assert sorted(one["where"][0] for one in protected) == ["carl@example.org", "root@example.org"]
    assert {one["severity"] for one in protected} == {"medium"}
    (ann,) = (row for row in said.json["relayers"]["submission"] if row["name"] == "ann@example.org")
    assert ann["may_relay"]
    assert ann["through"] == [["Sales", "POP3 Relay"]]


def test_a_guessable_name_that_relays_is_critical(terminal: Terminal, house: Path) -> None:
    file = house / "gatepost.toml"
    text = file.read_text().replace("127.0.0.1:2587", "0.0.0.0:2587")
    file.write_text(re.sub(r"\]\n\n\[pop3\.mail\]", lambda _: NAMED, text, count=1))
    said = terminal("audit", "--no-passwords")
    assert said.code == 3
    assert "CRITICAL submission: root@example.org may relay" in said.out
    line = next(n for n, one in enumerate(file.read_text().splitlines(), 1) if "user:root" in one)
    assert f"gatepost.toml:{line}, root@example.org" in said.out


def test_weak_passwords_are_found_and_the_next_run_is_quick(terminal: Terminal, house: Path) -> None:
    assert terminal("user", "passwd", "ann", "--password-stdin", "--even-so", given="ann1\n").code == 0
    for name in ("bob", "root", "carl"):
        assert terminal("user", "disable", name).code == 0
    said = terminal("audit", "--json")
    assert said.code == 3
    assert kinds(said.json)["weak-password"]["where"] == ["ann@example.org"]
    assert said.json["passwords"]["weak"] == ["ann@example.org"]
    again = terminal("audit", "--json")
    assert again.json["passwords"] == {"weak": ["ann@example.org"], "not_finished": [], "tried": 0}
    later = terminal("audit", "--no-passwords", "--json")
    assert kinds(later.json)["weak-password"]["where"] == ["ann@example.org"]
    assert terminal("user", "passwd", "ann", "--password-stdin", given="a long sentence\n").code == 0
    assert "weak-password" not in kinds(terminal("audit", "--no-passwords", "--json").json)
    assert "ann1" not in (house / "state" / "password-trials.json").read_text()


def test_passwords_that_were_not_tried_are_said(terminal: Terminal, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("one\ntwo\n")
    said = terminal("audit", "--json", "--password-minutes", "0", "--password-list", str(words))
    assert said.code == 0
    assert len(said.json["passwords"]["not_finished"]) == 4
    assert kinds(said.json)["passwords-not-tried"]["severity"] == "info"
    assert terminal("audit", "--no-passwords", "--password-list", str(words)).code == 2


def attempt(at: float, account: str | None) -> LoginAttempt:
    name = account or "x"
    return LoginAttempt(
        at, "192.0.2.7", "192.0.2.0/24", "submission", "S", "PLAIN", True, name, account, None, ""
    )


def test_accounts_that_nobody_uses(terminal: Terminal, house: Path) -> None:
    attempts = Attempts(Place(house / "state").attempts, days=1_000)
    now = time.time()
    for one in (attempt(now - 200 * 86_400, None), attempt(now - 60 * 86_400, "ann@example.org")):
        attempts.note(one)
    attempts.start()
    attempts.close()
    # accounts as new as these are not called unused: their time has not come yet
    assert "stale-member" not in kinds(terminal("audit", "--no-passwords", "--json").json)
    import sqlite3

    with sqlite3.connect(house / "state" / "accounts.sqlite3") as database:
        database.execute("UPDATE users SET created = '2020-01-01T00:00:00+00:00'")
    assert "stale-member" not in kinds(terminal("audit", "--no-passwords", "--json").json)
    stale = kinds(terminal("audit", "--no-passwords", "--days", "30", "--json").json)["stale-member"]
    assert str(stale["where"]).startswith("['ann@example.org (last on 20")


def test_without_records_nothing_is_called_unused(terminal: Terminal, house: Path) -> None:
    import sqlite3

    with sqlite3.connect(house / "state" / "accounts.sqlite3") as database:
        database.execute("UPDATE users SET created = '2020-01-01T00:00:00+00:00'")
    said = kinds(terminal("audit", "--no-passwords", "--json").json)
    assert said["no-records"]["severity"] == "info"
    assert "stale-member" not in said


def test_contained_disabled_and_ways_out(terminal: Terminal, house: Path) -> None:
    GuardStore(Place(house / "state").guard).keep_contained(
        ContainedRow("bob@example.org", "600 recipients", "guard", time.time())
    )
    terminal("user", "disable", "ann")
    terminal("alias", "add", "all@example.org", "ann@example.org", "fred@else.example", "--outside")
    said = kinds(terminal("audit", "--no-passwords", "--json").json)
    assert said["contained-account"]["where"] == ["bob@example.org"]
    assert said["disabled-member"]["where"] == ["ann@example.org"]
    assert said["alias-outside"]["where"] == ["all@example.org -> fred@else.example"]


def test_other_secrets_that_open_doors(terminal: Terminal, house: Path) -> None:
    accounts = Accounts.open(Place(house / "state").accounts)
    passwords = Passwords(slots=1, cost=Cost(memory_kib=8, passes=1))
    weak = passwords.credential(Secret("Boss2026")).password_hash
    passwords.close()
    accounts.administrators.add("boss", "administrator", by="test", password_hash=weak)
    accounts.tokens.add(NewToken("backup", "viewer"), by="test")
    accounts.app_passwords.add("ann@example.org", NewAppPassword("Scanner"), by="test")
    accounts.app_passwords.add(
        "ann@example.org", NewAppPassword("Printer", networks=(ip_network("10.0.5.0/24"),)), by="test"
    )
    accounts.close()
    for name in ("ann", "bob", "root", "carl"):
        terminal("user", "disable", name)
    with (house / "gatepost.toml").open("a") as file:
        file.write('[console]\nlisten = "127.0.0.1:8025"\n')
    said = terminal("audit", "--json")
    found = kinds(said.json)
    assert found["administrator-without-second-factor"]["where"] == ["boss (administrator)"]
    assert found["token-without-end"]["where"] == ["backup (viewer)"]
    assert found["app-password-anywhere"]["where"] == ["ann@example.org/Scanner"]
    assert found["weak-password"]["text"] == (
        "the password of console administrator boss is one that attackers try first"
    )
    assert said.code == 3


def test_a_group_with_everybody_in_it(terminal: Terminal) -> None:
    assert terminal("user", "add", "dora", "--password-stdin", given="a long sentence\n").code == 0
    for name in ("bob", "dora"):
        terminal("group", "join", "POP3 Relay", name)
    said = kinds(terminal("audit", "--no-passwords", "--json").json)
    assert said["everybody-relays"]["text"] == "everybody is in the group POP3 Relay: all 5 accounts"
    assert "everybody is in the group POP3 Relay: any of 5 passwords relays" in terminal("check").err


def test_the_report_is_one_file_that_only_its_owner_reads(terminal: Terminal, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    said = terminal("audit", "--no-passwords", "--html", str(report))
    assert f"{report} is written" in said.out
    text = report.read_text("utf-8")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert not re.search(r"(?:src|href)\s*=|@import|url\(|<script|https?://", text)
    assert "by way of Sales in POP3 Relay" in text
    assert len(text) < 20_000


def test_what_others_wrote_is_escaped(terminal: Terminal) -> None:
    from datetime import UTC, datetime

    from gatepost.admin.audit import Survey
    from gatepost.admin.audit_meanings import Weak
    from gatepost.admin.audit_weakness import Weakness

    evil = "<script>alert(1)</script>\"'&"
    row = {
        "kind": "user", "name": evil, "may_relay": True, "reason": "allowed", "remedy": evil,
        "entries": [{"text": evil, "line": 1, "effect": "allow", "to": evil}], "through": [[evil, evil]],
        "from": [evil], "only_over_tls": False, "directory": evil,
    }  # fmt: skip
    weakness = Weakness(Weak.STALE_MEMBER, Grade.MEDIUM, evil, (evil,) * 50, evil)
    rows = {evil: [row, row | {"may_relay": False, "reason": evil}]}
    text = html_report(Survey(evil, evil, datetime.now(UTC), (weakness,), rows))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 50
