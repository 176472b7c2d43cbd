"""What must be true of each `[directory.NAME]`: whole, encrypted, and its files usable."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from gatepost.config.fault import Complaint
from gatepost.config.schema import Directory, DirectoryKind, LoginBy, Settings

Path = tuple[str, str]


def directory_complaints(settings: Settings) -> Iterator[Complaint]:
    """Every complaint about directories."""
    for name, directory in settings.directory.items():
        path = ("directory", name)
        if directory.kind is DirectoryKind.LOCAL:
            yield from _not_for_local(path, directory)
        else:
            yield from _incomplete(path, directory)
            yield from _in_clear(path, directory)
            yield from _direct(path, directory)
            yield from _ages(path, directory)


def _not_for_local(path: Path, directory: Directory) -> Iterator[Complaint]:
    if path[1] != "local":
        remedy = 'write kind = "ldap", or use [directory.local]'
        yield Complaint(path, "local accounts are [directory.local] alone", remedy)
    for key in sorted(directory.model_fields_set - {"kind"}):
        yield Complaint((*path, key), "means nothing for local accounts", "take it out")


def _incomplete(path: Path, directory: Directory) -> Iterator[Complaint]:
    if path[1] == "local":
        yield Complaint((*path, "kind"), "[directory.local] are Gatepost's own accounts", "name it otherwise")
    if not directory.url:
        yield Complaint((*path, "url"), "is missing", 'write url = "ldaps://dc1.corp.example"')
    if directory.bind_user is not None and not directory.bind_user:
        yield Complaint((*path, "bind_user"), "is empty", "name an account, or take it out")
    if (directory.bind_user is None) != (directory.bind_password_file is None):
        missing = "bind_user" if directory.bind_user is None else "bind_password_file"
        yield Complaint((*path, missing), "is missing", "the account that searches needs both or neither")


def _in_clear(path: Path, directory: Directory) -> Iterator[Complaint]:
    if directory.starttls:
        return
    for index, url in enumerate(directory.url):
        if url.startswith("ldap://") and not _is_this_machine(urlsplit(url).hostname or ""):
            yield Complaint(
                (*path, "url", index) if len(directory.url) > 1 else (*path, "url"),
                f"passwords would go to {url} in clear",
                "take starttls out, or use ldaps://",
            )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _direct(path: Path, directory: Directory) -> Iterator[Complaint]:
    name = directory.login_name
    if directory.login is LoginBy.SEARCH:
        if name is not None:
            yield Complaint(
                (*path, "login_name"), 'is used with login = "direct" alone', "take one of them out"
            )
    elif name is None and directory.domain is None:
        remedy = 'write domain = "CORP", or login_name = "uid={user},ou=people,dc=example,dc=org"'
        yield Complaint((*path, "login"), "says nothing of whom to log in as", remedy)
    elif name is not None and (name.count("{user}") != 1 or "=" not in name):
        remedy = 'write it like "uid={user},ou=people,dc=example,dc=org"'
        yield Complaint(
            (*path, "login_name"), f"{name!r} is no distinguished name with {{user}} in it", remedy
        )


def _ages(path: Path, directory: Directory) -> Iterator[Complaint]:
    if directory.stale_seconds < directory.facts_seconds:
        problem = f"{directory.stale_seconds} is less than facts_seconds ({directory.facts_seconds})"
        yield Complaint((*path, "stale_seconds"), problem, "believe facts at least until they are asked anew")
