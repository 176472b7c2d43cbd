"""Users, groups, aliases, audit."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first form of the accounts database."""
    _users()
    _groups()
    _aliases()
    _audit_and_secrets()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("local", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("scram_salt", sa.LargeBinary),
        sa.Column("scram_iterations", sa.Integer),
        sa.Column("scram_stored_key", sa.LargeBinary),
        sa.Column("scram_server_key", sa.LargeBinary),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("quota_bytes", sa.Integer),
        sa.Column("created", sa.Text, nullable=False),
        sa.CheckConstraint("quota_bytes >= 0", name="quota_is_not_negative"),
        sqlite_autoincrement=True,
    )
    op.create_index("users_local", "users", ["local"])
    op.create_index(
        "users_administrator", "users", ["administrator"], sqlite_where=sa.text("administrator = 1")
    )
    op.create_table(
        "addresses",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("addresses_user", "addresses", ["user_id"])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "group_users",
        sa.Column("group_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("group_users_user", "group_users", ["user_id"])
    op.create_table(
        "group_groups",
        sa.Column("group_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("member_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("group_groups_member", "group_groups", ["member_id"])


def _aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("outside", sa.Boolean, nullable=False),
    )
    op.create_table(
        "alias_targets",
        sa.Column("address", sa.Text, sa.ForeignKey("aliases.address", ondelete="CASCADE"), primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
    )


def _audit_and_secrets() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
    )
    op.create_index("audit_subject", "audit", ["subject"])
    table = op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(table, [{"name": "unknown-names", "value": secrets.token_bytes(32)}])
