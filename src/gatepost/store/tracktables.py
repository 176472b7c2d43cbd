"""The tables of the tracking database, and the words by which rows are found.

The words of a row are what a view shows of it; an FTS5 index over the view answers in milliseconds
where a scan of ten million rows takes seconds, and costs a quarter of what ordinary indexes on the
same columns do. A session's id is one of the words: it comes in no order, and an index of its own would
cost more than all the rest of the row. Rows are indexed a while after they were written; `tail` says how far
that is.
"""

from __future__ import annotations

VERSION = 4
TABLES = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL,
    session TEXT NOT NULL,
    virtual_server TEXT NOT NULL,
    peer TEXT NOT NULL,
    user TEXT,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    at REAL NOT NULL,
    outcomes TEXT,
    said TEXT,
    subject TEXT,
    device TEXT
);
CREATE INDEX message_queue_id ON message (queue_id);
CREATE TABLE outcome (
    number INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    disposition TEXT NOT NULL,
    code INTEGER NOT NULL,
    enhanced TEXT NOT NULL,
    text TEXT NOT NULL,
    next_hop TEXT,
    at REAL NOT NULL
);
CREATE INDEX outcome_queue_id ON outcome (queue_id);
CREATE TABLE refusal (
    number INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    virtual_server TEXT NOT NULL,
    peer TEXT NOT NULL,
    user TEXT,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT,
    reply TEXT NOT NULL,
    at REAL NOT NULL,
    device TEXT
);
CREATE INDEX refusal_session ON refusal (session);
"""
WORDS = """
CREATE VIEW message_text AS SELECT number,
    CASE WHEN user IS NULL OR user = sender THEN '' ELSE user || ' ' END || sender || ' ' || recipients || ' '
    || peer || ' ' || session || ' ' || coalesce(said, outcomes, '') || ' ' || coalesce(subject, '') AS words
    FROM message;
CREATE VIEW outcome_text AS SELECT number, text || ' ' || coalesce(next_hop, '') || ' ' || enhanced || ' '
    || code || ' ' || recipient || ' =' || disposition AS words FROM outcome;
CREATE VIEW refusal_text AS SELECT number, sender || ' ' || coalesce(recipient, '') || ' '
    || coalesce(user, '') || ' ' || peer || ' ' || reason || ' ' || reply AS words FROM refusal;
CREATE VIRTUAL TABLE message_words USING fts5(words, content_rowid=number, detail=none, columnsize=0,
    tokenize="ascii tokenchars '@.-_+='", content=message_text);
CREATE VIRTUAL TABLE outcome_words USING fts5(words, content_rowid=number, detail=none, columnsize=0,
    tokenize="ascii tokenchars '@.-_+='", content=outcome_text);
CREATE VIRTUAL TABLE refusal_words USING fts5(words, content_rowid=number, detail=none, columnsize=0,
    tokenize="ascii tokenchars '@.-_+='", content=refusal_text);
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 16);
CREATE TABLE tail (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
INSERT INTO tail VALUES ('message', 0), ('outcome', 0), ('refusal', 0)
"""
WITHOUT_WORDS = """
DROP TABLE message_words; DROP TABLE outcome_words; DROP TABLE refusal_words;
DROP VIEW message_text; DROP VIEW outcome_text; DROP VIEW refusal_text;
DROP INDEX IF EXISTS message_session; DROP TABLE tail
"""
NAMES = ("message", "outcome", "refusal")
