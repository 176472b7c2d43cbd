"""`gatepost import exchange` from the terminal."""

from __future__ import annotations

from pathlib import Path

from admin.exchange.exports import ALL_EXCEPT, FRONT, SERVICE, as_json, metabase, smtp_server
from cli.terminal import Terminal


def test_it_prints_what_it_would_write(terminal: Terminal, tmp_path: Path) -> None:
    export = tmp_path / "MetaBase.xml"
    export.write_bytes(metabase())
    said = terminal.bare("import", "exchange", str(export))
    assert said.code == 0
    assert said.out.startswith("# Made by `gatepost import exchange` from MetaBase.xml.")


def test_what_it_writes_passes_check(terminal: Terminal, tmp_path: Path) -> None:
    export, out = tmp_path / "MetaBase.xml", tmp_path / "new" / "gatepost.toml"
    export.write_bytes(metabase(SERVICE, smtp_server(RelayIpList=ALL_EXCEPT)))
    said = terminal.bare("import", "exchange", str(export), "--out", str(out))
    assert said.code == 0
    assert "OPEN RELAY" in said.out
    assert "2 to decide" in said.out
    assert terminal.bare("-c", str(out), "check").code == 0
    again = terminal.bare("import", "exchange", str(export), "--out", str(out))
    assert (again.code, "is there already" in again.err) == (1, True)
    assert terminal.bare("import", "exchange", str(export), "--out", str(out), "--overwrite").code == 0


def test_errors_are_one_line_with_the_place(terminal: Terminal, tmp_path: Path) -> None:
    export = tmp_path / "rc.json"
    export.write_text(as_json(FRONT)[:-5])
    said = terminal.bare("import", "exchange", str(export))
    assert said.code == 1
    assert said.err.startswith(f"gatepost: {export}:")
    assert said.err.count("\n") == 1
    gone = terminal.bare("import", "exchange", str(tmp_path / "gone.xml"))
    assert (gone.code, "cannot be read: No such file" in gone.err) == (1, True)
