"""The tables of the tracking database, and the words by which rows are found.

Every row has a key (a queue id or, of a refusal, a session), the time, `words` by which it is found, and
`facts` that are only shown; `trackrows` says what stands in them. Few columns: each costs at every message.
An FTS5 index over `words` answers in milliseconds where a scan of ten million rows takes seconds, and costs a
fraction of what ordinary indexes do. Rows are indexed a while after they were written; `tail` says how far.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = ("message", "outcome", "refusal")
VERSION: Final = 6
MOVING: Final = 5  # rows of the version before are still in tables of their own, called `old_...`

_TABLE = """
CREATE TABLE {0} (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, at REAL NOT NULL, words TEXT NOT NULL, facts TEXT NOT NULL
);
CREATE INDEX {0}_key ON {0} (key);
CREATE VIRTUAL TABLE {0}_words USING fts5(words, content={0}, content_rowid=number, detail=none, columnsize=0,
    tokenize="ascii tokenchars '@.-_+='");
INSERT INTO {0}_words ({0}_words, rank) VALUES ('automerge', 64);
INSERT INTO {0}_words ({0}_words, rank) VALUES ('crisismerge', 64);
INSERT INTO {0}_words ({0}_words, rank) VALUES ('hashsize', 400000);
INSERT INTO tail VALUES ('{0}', 0);
"""
TABLES: Final = "CREATE TABLE tail (name TEXT PRIMARY KEY, number INTEGER NOT NULL);" + "".join(
    _TABLE.format(name) for name in NAMES
)

# What versions 1 to 3 lacked of version 4.
ADDED_IN: Final = {
    1: "ALTER TABLE message ADD COLUMN subject TEXT;",
    2: "ALTER TABLE message ADD COLUMN device TEXT; ALTER TABLE refusal ADD COLUMN device TEXT;",
    3: "ALTER TABLE message ADD COLUMN said TEXT;",
}
# Version 4 found rows by views over some ten columns.
PUT_ASIDE: Final = (
    "".join(
        f"""
DROP TABLE IF EXISTS {name}_words; DROP VIEW IF EXISTS {name}_text; DROP INDEX IF EXISTS {name}_queue_id;
DROP INDEX IF EXISTS {name}_session; ALTER TABLE {name} RENAME TO old_{name};
"""
        for name in NAMES
    )
    + "DROP TABLE IF EXISTS tail;"
)
