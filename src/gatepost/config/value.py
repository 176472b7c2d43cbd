"""The kinds of value a setting may have, each with its own words for what is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from gatepost.policy.principal import (
    Network,
    Principal,
    PrincipalError,
    certificate_name,
    parse_network,
    parse_principal,
)

E = TypeVar("E", bound=Enum)

FAULT = "gatepost"  # the type under which pydantic reports faults worded here


@dataclass(frozen=True, slots=True)
class Reading:
    """What validation has to know besides the values: relative paths start at `folder`."""

    folder: Path


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    """The fault to raise; a value of any length in it is cut to a line."""
    problem, remedy = (text if len(text) <= 200 else text[:197] + "..." for text in (problem, remedy))
    return PydanticCustomError(FAULT, "{problem}", {"problem": problem, "remedy": remedy})


def shown(value: object) -> str:
    """The value as a person would write it, at most some 60 characters of it."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`, None when nothing is near."""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def choice(word: object, known: Iterable[str]) -> str:
    """The word, if it is one of `known`; else raises with what would be right."""
    known = list(known)
    if isinstance(word, str) and word in known:
        return word
    near = did_you_mean(word, known) if isinstance(word, str) else None
    remedy = f"did you mean {near!r}?" if near else "write one of " + ", ".join(known)
    raise wrong(f"{shown(word)} is not known here", remedy)


def one_of(words: type[E]) -> PlainValidator:
    """A word of the file becomes the member of the enum that has it as value."""

    def member(value: object) -> E:
        return value if isinstance(value, words) else words(choice(value, (word.value for word in words)))

    return PlainValidator(member)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a text", 'write it in quotes: "..."')
    return value


def _lower_text(value: object) -> str:
    return _text(value).lower()


def _as_tuple(value: object) -> object:
    if isinstance(value, str):
        raise wrong(f"{shown(value)} stands alone", f"write a list: [{shown(value)}]")
    return tuple(value) if isinstance(value, list) else value


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    text = _text(value)
    if not text or "\0" in text:
        raise wrong("the path is empty", "name a file or folder")
    return _folder(info) / Path(text).expanduser()


def _folder(info: ValidationInfo) -> Path:
    return info.context.folder if isinstance(info.context, Reading) else Path.cwd()


# RFC 1123 §2.1 labels; an underscore is in use in private networks.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


def ascii_domain(text: str) -> str | None:
    """The domain in lower case A-labels; None when it is no domain name."""
    name = text.lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return None
    return name if _DOMAIN.fullmatch(name) else None


def _domain(value: object) -> str:
    name = ascii_domain(_text(value))
    if name is None:
        raise wrong(f"{shown(value)} is not a domain name", "write it like mail.example.org")
    return name


def _route_pattern(value: object) -> str:
    text = _text(value)
    if text == "*":
        return text
    star = "*." if text.startswith("*.") else ""
    name = ascii_domain(text.removeprefix("*."))
    if name is None:
        raise wrong(f"{shown(value)} matches no domain", 'write "example.org", "*.example.org" or "*"')
    return star + name


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on. `host` is an IP address without brackets; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ENDPOINT = re.compile(r"(?:\[([^]]*)\]|([^:]*)):([0-9]{1,6})")


def _endpoint(value: object) -> Endpoint:
    if isinstance(value, Endpoint):
        return value
    found = _ENDPOINT.fullmatch(_text(value))
    if found is None:
        raise wrong(f"{shown(value)} is not an address with a port", 'write "0.0.0.0:25" or "[::]:25"')
    host, port = found[1] or found[2], int(found[3])
    if port > 65_535:
        raise wrong(f"there is no port {port}", "ports go from 0 to 65535")
    return Endpoint(_host(host, bracketed=found[1] is not None), port)


def _host(text: str, *, bracketed: bool) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise wrong(
            f"{shown(text)} is not an IP address",
            'names do not serve here: write "127.0.0.1:25" or "[::]:25"',
        ) from None
    if bracketed != (address.version == 6):
        raise wrong(
            f"{shown(text)} in brackets", "only IPv6 addresses stand in brackets: [::1]:25, 127.0.0.1:25"
        )
    return str(address)


def _next_hop(words: tuple[str, ...], schemes: tuple[str, ...]) -> Callable[[object, ValidationInfo], str]:
    known = [*words, *(f"{scheme}://HOST:PORT" for scheme in schemes)]
    remedy = "write one of " + ", ".join(known)

    def next_hop(value: object, info: ValidationInfo) -> str:
        text = _text(value)
        if text in words:
            return text
        if "capture:DIR" in words and text.startswith("capture:"):
            return f"capture:{_path(text.removeprefix('capture:'), info)}"
        if not any(text.startswith(f"{scheme}://") for scheme in schemes) or not _is_host_url(text):
            raise wrong(f"{shown(text)} leads nowhere", remedy)
        return text

    return next_hop


def _is_host_url(text: str) -> bool:
    """Whether the text is scheme://host[:port] and no more."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return bare and _is_host(parts.hostname or "") and port != 0


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return ascii_domain(text) is not None
    return True


def _ldap_url(value: object) -> str:
    text = _text(value)
    if not text.startswith(("ldap://", "ldaps://")) or not _is_host_url(text.removesuffix("/")):
        raise wrong(f"{shown(text)} is no directory server", 'write it like "ldaps://dc1.corp.example"')
    return text.removesuffix("/")


def _one_or_list(value: object) -> object:
    return (value,) if isinstance(value, str) else _as_tuple(value)


def _http_url(value: object) -> str:
    text = _text(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise wrong(f"{shown(text)} is not an HTTP address", 'write it like "http://127.0.0.1:11333"')
    return text.rstrip("/")


def _principal(value: object) -> Principal:
    return value if isinstance(value, Principal) else _parsed(parse_principal, value)


def _network_text(value: object) -> str:
    return str(_parsed(parse_network, value))


def _certificate_name(value: object) -> str:
    return _parsed(certificate_name, value)


def _network(value: object) -> Network:
    return _parsed(parse_network, value) if isinstance(value, str) or value is None else _known_network(value)


def _known_network(value: object) -> Network:
    if isinstance(value, Network):
        return value
    raise wrong(f"{shown(value)} is not a network", 'write it in quotes: "10.0.5.0/24"')


P = TypeVar("P")


def _parsed(parse: Callable[[str], P], value: object) -> P:
    try:
        return parse(_text(value))
    except PrincipalError as error:
        problem, _, remedy = str(error).partition("; ")
        raise wrong(problem, remedy) from None


def _mail_address(value: object) -> str:
    local, at, domain = _text(value).rpartition("@")
    if not at or not local or ascii_domain(domain) is None:
        raise wrong(f"{shown(value)} is not an address", 'write "user@example.org"')
    return f"{local}@{domain.lower()}"


def _once_each(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = [value for index, value in enumerate(values) if value in values[:index]]
    if twice:
        raise wrong(f"{twice[0]!r} stands twice", "name each once")
    return values


def _only_true(value: object) -> bool:
    if value is not True:
        raise wrong(f"{shown(value)} does not narrow anything", "write true, or leave it out")
    return True


Text = Annotated[str, PlainValidator(_text)]
Name = Annotated[str, PlainValidator(_lower_text)]
Domain = Annotated[str, PlainValidator(_domain)]
RoutePattern = Annotated[str, PlainValidator(_route_pattern)]
FilePath = Annotated[Path, PlainValidator(_path)]
Address = Annotated[Endpoint, PlainValidator(_endpoint)]
HttpUrl = Annotated[str, PlainValidator(_http_url)]
LdapUrl = Annotated[str, PlainValidator(_ldap_url)]
To = Annotated[Principal, PlainValidator(_principal)]
Net = Annotated[Network, PlainValidator(_network)]
NetText = Annotated[str, PlainValidator(_network_text)]  # as a key
CertificateName = Annotated[str, PlainValidator(_certificate_name)]
OnlyTrue = Annotated[bool, PlainValidator(_only_true)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Bytes = Annotated[int, Field(ge=1_024, le=2**40)]
Seconds = Annotated[int, Field(ge=1, le=366 * 86_400)]
Listed = BeforeValidator(_as_tuple)
OneOrList = BeforeValidator(_one_or_list)
OnceEach = AfterValidator(_once_each)
MailAddress = Annotated[str, PlainValidator(_mail_address)]

Via = Annotated[str, PlainValidator(_next_hop(("mx", "capture:DIR"), ("smtp", "smtps", "lmtp")))]
Deliver = Annotated[str, PlainValidator(_next_hop(("mailbox",), ("smtp", "lmtp")))]
SmartHost = Annotated[str, PlainValidator(_next_hop((), ("smtp", "smtps")))]
Forward = Annotated[str, PlainValidator(_next_hop(("reject",), ("smtp",)))]
