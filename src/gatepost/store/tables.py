"""The tables of the accounts database. What made them stands in `migrations/`; a test compares both.

Every name column holds the canonical form of `store/naming.py`, so that a plain index answers.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("local", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("password_hash", Text),
    Column("scram_salt", LargeBinary),
    Column("scram_iterations", Integer),
    Column("scram_stored_key", LargeBinary),
    Column("scram_server_key", LargeBinary),
    Column("disabled", Boolean, nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("quota_bytes", Integer),
    Column("created", Text, nullable=False),
    CheckConstraint("quota_bytes >= 0", name="quota_is_not_negative"),
    Index("users_local", "local"),
    Index("users_administrator", "administrator", sqlite_where=Column("administrator") == 1),
    sqlite_autoincrement=True,  # the number of a deleted user is never given to another
)

addresses = Table(
    "addresses",
    metadata,
    Column("address", Text, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Index("addresses_user", "user_id"),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    sqlite_autoincrement=True,
)

group_users = Table(
    "group_users",
    metadata,
    Column("group_id", Integer, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index("group_users_user", "user_id"),
)

group_groups = Table(
    "group_groups",
    metadata,
    Column("group_id", Integer, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("member_id", Integer, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index("group_groups_member", "member_id"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("address", Text, primary_key=True),
    Column("outside", Boolean, nullable=False),
)

alias_targets = Table(
    "alias_targets",
    metadata,
    Column("address", Text, ForeignKey("aliases.address", ondelete="CASCADE"), primary_key=True),
    Column("target", Text, primary_key=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Index("audit_subject", "subject"),
)

# Random keys that all processes share and that outlive a restart.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# Who signs in to console and API. Without `role` somebody of a directory, whose groups give the role;
# the row then only holds what proves it.
administrators = Table(
    "administrators",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text),
    Column("password_hash", Text),
    Column("totp_secret", Text),
    Column("totp_step", Integer),
    Column("created", Text, nullable=False),
    sqlite_autoincrement=True,
)

security_keys = Table(
    "security_keys",
    metadata,
    Column("credential_id", LargeBinary, primary_key=True),
    Column("administrator_id", Integer, ForeignKey("administrators.id", ondelete="CASCADE"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("created", Text, nullable=False),
    Index("security_keys_administrator", "administrator_id"),
)

# One-time links. Without `administrator_id` whoever opens it becomes the first administrator.
invitations = Table(
    "invitations",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("administrator_id", Integer, ForeignKey("administrators.id", ondelete="CASCADE")),
    Column("expires", Text, nullable=False),
    Column("made_by", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("areas", Text),
    Column("created", Text, nullable=False),
    Column("expires", Text),
    Column("made_by", Text, nullable=False),
)

# One secret of one device. `account` may be somebody of any directory. A revoked one stays, so that
# its secret is told apart from a guess.
app_passwords = Table(
    "app_passwords",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", Text, nullable=False),
    Column("directory", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("label_key", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("networks", Text, nullable=False),
    Column("senders", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("collects", Boolean, nullable=False),
    Column("created", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires", Text),
    Column("revoked", Text),
    Index(
        "app_passwords_label", "account", "label_key", unique=True, sqlite_where=Column("revoked").is_(None)
    ),
    sqlite_autoincrement=True,
)

# What proves an app password by SCRAM, typed without and with its dashes. Those from before have none.
app_password_keys = Table(
    "app_password_keys",
    metadata,
    Column("app_password_id", Integer, ForeignKey("app_passwords.id", ondelete="CASCADE"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
    Column("dashed_stored_key", LargeBinary, nullable=False),
    Column("dashed_server_key", LargeBinary, nullable=False),
)

# How the account of an app password is called at logins: no directory is asked before the proof, so
# that none tells by its time which names it knows.
app_password_names = Table(
    "app_password_names",
    metadata,
    Column("name", Text, primary_key=True),
    Column("app_password_id", Integer, ForeignKey("app_passwords.id", ondelete="CASCADE"), primary_key=True),
)
