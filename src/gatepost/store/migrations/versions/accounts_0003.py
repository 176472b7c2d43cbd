"""App passwords: secrets of devices."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A device may have a secret of its own."""
    op.create_table(
        "app_passwords",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("label_key", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("networks", sa.Text, nullable=False),
        sa.Column("senders", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("collects", sa.Boolean, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("expires", sa.Text),
        sa.Column("revoked", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "app_passwords_label",
        "app_passwords",
        ["account", "label_key"],
        unique=True,
        sqlite_where=sa.text("revoked IS NULL"),
    )
    table = sa.table("secrets", sa.column("name", sa.Text), sa.column("value", sa.LargeBinary))
    op.bulk_insert(table, [{"name": "app-passwords", "value": secrets.token_bytes(32)}])
