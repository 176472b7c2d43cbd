"""A message with a UTF-8 header as clients get it that did not say UTF8 (RFC 6856 §2.1, RFC 6858). Pure.

Only the header of the message is changed. Text becomes encoded words (RFC 2047), parameters are
percent-encoded (RFC 2231), an address that ASCII cannot say is replaced by one that cannot be written to, and
any other field is left out. A header that is no UTF-8 stays as it came: RFC 6856 does not mean it.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import Final

_ADDRESSES: Final = frozenset(
    (
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "return-path",
        "delivered-to",
        "disposition-notification-to",
        "errors-to",
        "mail-followup-to",
    )
)
_PARAMETERS: Final = frozenset(("content-type", "content-disposition"))
_STRUCTURED: Final = frozenset(
    (
        "received",
        "message-id",
        "resent-message-id",
        "in-reply-to",
        "references",
        "date",
        "resent-date",
        "dkim-signature",
        "authentication-results",
        "received-spf",
        "content-transfer-encoding",
        "content-id",
        "mime-version",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
        "list-unsubscribe",
        "list-id",
    )
)
_FIELD_END: Final = re.compile(rb"\r?\n(?![ \t])")
_HEADER_END: Final = re.compile(rb"\n\r?\n")
_NAME: Final = re.compile(rb"[!-9;-~]+(?=[ \t]*:)")
# A quoted string, an angle address, a comment, a separator, or a run of words.
_TOKEN: Final = re.compile(r'<[^<>]*>|\([^()]*\)|[,:;]|(?:"(?:[^"\\]|\\.)*"|[^"<>(),:;])+|["<>()]')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PARAMETER: Final = re.compile(r';\s*([!#$%&+\-.^_`{|}~\w]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]*)')
# RFC 2231 §7, attribute-char, and fewer.
_ATTRIBUTE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
_ENCODED_BYTES: Final = 42  # of text in an encoded word, which may have 75 octets (RFC 2047 §2)
_NO_ADDRESS: Final = "invalid@internationalized-address.invalid"  # RFC 6858 §2.1


def surrogate(message: bytes) -> bytes:
    """The message, or its surrogate when its header is UTF-8 beyond ASCII. Line ends as they were."""
    if message.isascii():
        return message
    found = _HEADER_END.search(message)
    end = found.start() + 1 if found is not None else len(message)
    header = message[:end]
    if header.isascii():
        return message
    try:
        header.decode()
    except UnicodeDecodeError:
        return message
    return _header(header) + message[end:]


def _header(header: bytes) -> bytes:
    line_end = b"\r\n" if b"\r\n" in header else b"\n"
    fields = []
    for field in _FIELD_END.split(header):
        kept = field if field.isascii() else _field(field)
        if kept is not None:
            fields.append(kept.replace(b"\r\n", b"\n").replace(b"\n", line_end))
    return line_end.join(fields)


def _field(field: bytes) -> bytes | None:
    """The field in ASCII, folded with LF; None where it is left out."""
    name = _NAME.match(field)
    if name is None:
        return None
    key = name[0].lower().decode()
    head, _colon, body = field.partition(b":")
    text = re.sub(r"\r?\n(?=[ \t])", "", body.decode()).strip()
    if key in _ADDRESSES:
        said = _addresses(text)
    elif key in _PARAMETERS:
        said = _parameters(text)
    elif key in _STRUCTURED:
        return None
    else:
        said = _words(text)
    return f"{head.decode()}: {said}".encode() if said.isascii() else None


def _words(text: str) -> str:
    """The text as encoded words."""
    octets, pieces, at = text.encode(), [], 0
    while at < len(octets):
        end = min(at + _ENCODED_BYTES, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # no character is cut (RFC 2047 §5)
            end -= 1
        pieces.append(b2a_base64(octets[at:end], newline=False).decode())
        at = end
    return "\n ".join(f"=?utf-8?B?{piece}?=" for piece in pieces)


def _addresses(text: str) -> str:
    return "".join(token if token.isascii() else _part(token) for token in _TOKEN.findall(text))


def _part(token: str) -> str:
    """A part of a list of addresses: an address, a name or a comment."""
    if token.startswith("("):
        return f"({_words(token[1:-1])})"
    if token.startswith("<"):
        return f"<{_address(token[1:-1])}>"
    bare = _QUOTED.sub("", token)
    if "@" in bare and " " not in token.strip():
        return token.replace(token.strip(), _address(token.strip()))
    before = token[: len(token) - len(token.lstrip())]
    after = token[len(token.rstrip()) :]
    return before + _words(_QUOTED.sub(_unquoted, token.strip())) + after


def _unquoted(found: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", found[1])


def _address(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    if not local.isascii():
        return _NO_ADDRESS
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return _NO_ADDRESS


def _parameters(text: str) -> str:
    def said(found: re.Match[str]) -> str:
        if found[0].isascii():
            return found[0]
        value = _QUOTED.sub(_unquoted, found[2])
        octets = "".join(chr(c) if chr(c) in _ATTRIBUTE else f"%{c:02X}" for c in value.encode())
        return f";\n {found[1]}*=utf-8''{octets}"

    return _PARAMETER.sub(said, text)
