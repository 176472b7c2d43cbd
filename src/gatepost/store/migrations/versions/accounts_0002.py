"""Administrators, what proves them, invitations, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Whoever signs in to console and API has a place."""
    op.create_table(
        "administrators",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.Text),
        sa.Column("password_hash", sa.Text),
        sa.Column("totp_secret", sa.Text),
        sa.Column("totp_step", sa.Integer),
        sa.Column("created", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "security_keys",
        sa.Column("credential_id", sa.LargeBinary, primary_key=True),
        _administrator(nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
    )
    op.create_index("security_keys_administrator", "security_keys", ["administrator_id"])
    op.create_table(
        "invitations",
        sa.Column("secret_hash", sa.LargeBinary, primary_key=True),
        _administrator(nullable=True),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("areas", sa.Text),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("expires", sa.Text),
        sa.Column("made_by", sa.Text, nullable=False),
    )


def _administrator(*, nullable: bool) -> sa.Column[int]:
    key = sa.ForeignKey("administrators.id", ondelete="CASCADE")
    return sa.Column("administrator_id", sa.Integer, key, nullable=nullable)
