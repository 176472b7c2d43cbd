"""App passwords may be proved by SCRAM."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """An app password has SCRAM keys, and the names under which its account logs in."""
    op.create_table(
        "app_password_keys",
        _app_password(primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("iterations", sa.Integer, nullable=False),
        sa.Column("stored_key", sa.LargeBinary, nullable=False),
        sa.Column("server_key", sa.LargeBinary, nullable=False),
        sa.Column("dashed_stored_key", sa.LargeBinary, nullable=False),
        sa.Column("dashed_server_key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "app_password_names",
        sa.Column("name", sa.Text, primary_key=True),
        _app_password(primary_key=True),
    )


def _app_password(*, primary_key: bool) -> sa.Column[int]:
    target = sa.ForeignKey("app_passwords.id", ondelete="CASCADE")
    return sa.Column("app_password_id", sa.Integer, target, primary_key=primary_key)
