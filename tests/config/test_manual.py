"""The manual's page names every setting with its default, and its examples are one file that loads."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.files import make_certificate, secret
from gatepost.config import acme, allotments, console, kerberos, metrics, oauth, openid, rows, schema
from gatepost.config.check import check
from gatepost.config.load import load_text

_DOCS = Path(__file__).parents[2] / "docs"
_PAGE = (_DOCS / "configuration.md").read_text(encoding="utf-8")

_TABLES: dict[str, type[BaseModel]] = {
    '`[domains."NAME"]`': schema.LocalDomain,
    "`[certificates.NAME]`": schema.Certificate,
    "`[smtp.NAME]`": schema.SmtpServer,
    "`[smtp.NAME.scan]`": schema.Scan,
    "`[pop3.NAME]`": schema.Pop3Server,
    "Entries of `access`": rows.AccessRow,
    '`[routes."PATTERN"]`': schema.Route,
    '`[routes."PATTERN".login]`': schema.RouteLogin,
    "`[directory.NAME]`": schema.Directory,
    "`[mailboxes]`": schema.Mailboxes,
    "`[limits]`": schema.SharedLimits,
    '`[limits.users."NAME"]`': allotments.Allotted,
    "`[retry]`": schema.Retry,
    "`[guard]`": schema.Guard,
    "`[guard.harvest]`": schema.Harvest,
    "`[guard.habits]`": schema.Habits,
    "`[guard.devices]`": schema.WatchedDevices,
    "`[log]`": schema.Log,
    "`[tracking]`": schema.Tracking,
    "`[console]`": console.Console,
    "`[console.openid]`": openid.OpenId,
    "`[metrics]`": metrics.Metrics,
    "`[acme]`": acme.Acme,
    "`[kerberos]`": kerberos.Kerberos,
    "`[oauth.NAME]`": oauth.OAuth,
    "`[alarms.NAME]`": schema.Alarm,
}
_ROW = re.compile(r"^\| `([a-z0-9_]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)


def _section(heading: str) -> dict[str, str]:
    """Key and default of each row below the heading."""
    begins = _PAGE.index(f"\n## {heading}\n")
    ends = _PAGE.find("\n## ", begins + 1)
    return dict(_ROW.findall(_PAGE[begins : ends if ends > 0 else None]))


def _toml(value: Any) -> str:
    match value:
        case Enum():
            return _toml(value.value)
        case bool():
            return str(value).lower()
        case int():
            return f"{value:_}"
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return f'"{value}"'


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel) or field.default_factory is not None:
        return "-"
    return f"`{_toml(field.default)}`"


def _fields(model: type[BaseModel], *, without: type[BaseModel] | None = None) -> dict[str, str]:
    left_out = without.model_fields if without else {}
    return {
        field.alias or name: _default(field)
        for name, field in model.model_fields.items()
        if not (field.alias or "").startswith("\0") and name not in left_out
    }


@pytest.mark.parametrize("heading", _TABLES)
def test_every_key_stands_in_the_manual_with_its_default(heading: str) -> None:
    model = _TABLES[heading]
    limits = schema.Limits if issubclass(model, schema.VirtualServer) else None
    expected = _fields(model, without=limits)
    if model is rows.AccessRow:
        expected["tls"] = "-"  # it can only be true
    assert _section(heading) == expected


def test_the_top_of_the_file_is_in_the_manual() -> None:
    tables = {heading.strip("`[]").partition(".")[0] for heading in _TABLES if heading.startswith("`[")}
    top = _section("At the top")
    assert set(_fields(schema.Settings)) == set(top) | tables


def test_the_examples_together_are_one_safe_file(tmp_path: Path) -> None:
    for folder in ("certs", "secrets"):
        (tmp_path / folder).mkdir()
    make_certificate(tmp_path / "certs")
    for kind in ("pem", "key", "pfx"):
        (tmp_path / "certs" / f"cert.{kind}").rename(tmp_path / "certs" / f"mail.{kind}")
    secret(tmp_path / "secrets" / "pfx", b"open sesame\n")
    secret(tmp_path / "secrets" / "smart-host", b"secret\n")
    secret(tmp_path / "secrets" / "openid", b"secret\n")
    text = "\n".join(re.findall(r"^```toml\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL))
    settings = load_text(text, tmp_path / "gatepost.toml")
    assert check(settings).is_safe
    assert len(settings.smtp) == 3


def test_the_access_page_names_every_right_and_principal() -> None:
    from gatepost.policy.access import Kind, Right

    page = (_DOCS / "access.md").read_text(encoding="utf-8")
    for word in (*(right.value for right in Right), *(kind.value for kind in Kind)):
        assert f"| `{word}" in page
