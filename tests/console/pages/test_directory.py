"""The directory's page before a real slapd: what works, what does not, and names that are no code."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.pages.gate import Gate
from console.pages.looking import axe, fits, in_dark, opened, unharmed
from live.authority import Authority
from live.conftest import why_missing
from live.openldap import BASE, LDAPS, PASSWORD, ROOT, SLAPD, OpenLdap

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
_BAD = "<script>window.pwned()</script>"  # without =: names of groups with it are not told


def _group(name: str, member: str) -> str:
    """LDIF (RFC 2849), its values in base64; RFC 4514 §2.4 escapes what a name may not hold."""
    escaped = name.replace("<", "\\<").replace(">", "\\>")
    values = {"dn": f"cn={escaped},ou=groups,{BASE}", "cn": name, "member": f"uid={member},ou=people,{BASE}"}
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    lines = [f"{key}:: {value}" for key, value in coded.items()]
    return "\n".join([lines[0], "objectClass: groupOfNames", *lines[1:], ""])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    if not Path(SLAPD).exists():
        pytest.skip(why_missing("slapd"))
    folder = tmp_path_factory.mktemp("staff")
    server = OpenLdap(folder / "slapd", Authority(folder / "authority"), _group(_BAD, "nora"))
    yield server
    server.stop()


def test_each_step_is_told_and_a_failure_says_what_to_do(page: Any, gate: Gate, staff: OpenLdap) -> None:
    before = gate.house.file.read_text()
    secret = gate.house.folder / "staff.password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    gate.change(
        "[directory.staff]", 'kind = "ldap"', f'url = "ldaps://{staff.host}:{LDAPS}"',
        f'bind_user = "{ROOT}"', f'bind_password_file = "{secret}"', f'ca_file = "{staff.ca_file}"',
    )  # fmt: skip
    gate.house.ask("reload", by="test")
    try:
        _looked_at(page, secret)
    finally:
        gate.house.file.write_text(before)
        gate.house.ask("reload", by="test")


def _looked_at(page: Any, secret: Path) -> None:
    opened(page, "/directory")
    person = page.get_by_label("Also this person, as in bob")
    person.fill("nora")
    person.press("Enter")
    page.get_by_text("Every step worked.").wait_for()
    text = page.inner_text("main")
    assert f"logged in as {ROOT}" in text
    assert _BAD in text
    assert "in POP3 Relay, through nora in Sales in EMEA in POP3 Relay" in text
    unharmed(page)
    assert axe(page) == []
    in_dark(page)
    assert axe(page, colours=True) == []

    secret.write_text("wrong")
    page.get_by_role("button", name="Try each step").click()
    page.get_by_text("1 step failed; what to do stands beside it.").wait_for()
    page.get_by_text("cannot log in").wait_for()
    assert axe(page, colours=True) == []
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
