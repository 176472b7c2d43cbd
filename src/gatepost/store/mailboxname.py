"""The name of an account becomes the name of its folder, and back.

Every name gets a folder of its own, right below the folder of all mailboxes: what is not a plain letter,
digit or sign is written `%xx`, so nothing leads elsewhere (`..`, `/`, NUL) and file systems that fold case or
rewrite Unicode can't join two accounts.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final
from urllib.parse import unquote

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789@._-+=")
# A name in most file systems has at most 255 bytes.
_LIMIT: Final = 200


def folder_name(account: str) -> str:
    """The folder's name; accounts that differ only in case share it.

    Raises:
        ValueError: the account has no name.
    """
    if not account:
        raise ValueError("an account without a name has no mailbox")
    text = "".join(
        chr(byte) if byte in _PLAIN else f"%{byte:02x}"
        for byte in account.lower().encode("utf-8", "surrogatepass")
    )
    if text.startswith("."):
        text = "%2e" + text[1:]
    if len(text) <= _LIMIT:
        return text
    # "%~" stands in no other name, so a long name can't be mistaken for a short one.
    return text[: _LIMIT - 42] + "%~" + blake2b(text.encode(), digest_size=20).hexdigest()


def account_name(folder: str) -> str | None:
    """The account of a folder, lower case; None for a folder that is none of ours, or cut for its length."""
    if "%~" in folder or not folder:
        return None
    try:
        account = unquote(folder, errors="surrogatepass")
        return account if folder_name(account) == folder else None
    except ValueError:
        return None
