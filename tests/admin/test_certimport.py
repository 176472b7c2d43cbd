"""A certificate is opened in every form it comes in, judged, and put where nothing can be half there."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gatepost.admin.certfiles import named_in, places, put
from gatepost.admin.certimport import CannotImport, PasswordNeeded, doubts, objections, opened
from gatepost.secret import Secret
from gatepost.server.certificate import KeyPair

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOST = "mail.example.org"


class Chain:
    """Root, intermediate and a certificate for HOST."""

    def __init__(self) -> None:
        root_key, middle_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = _certificate("root", "root", root_key, root_key)
        self.middle = _certificate("middle", "root", middle_key, root_key)
        self.leaf = _certificate("leaf", "middle", self.key, middle_key, names=[HOST])

    def key_pem(self, lock: KeySerializationEncryption | None = None) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())

    def pfx(self, password: bytes | None = None, others: Sequence[x509.Certificate] = ()) -> bytes:
        lock = BestAvailableEncryption(password) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"x", self.key, self.leaf, others, lock)


@cache
def chain() -> Chain:
    return Chain()


def _certificate(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    names: Sequence[str] = (),
    days: int = 90,
) -> x509.Certificate:
    subject, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def test_a_pem_file_in_any_order_comes_out_as_a_chain() -> None:
    made = chain()
    parts = [pem(made.leaf), pem(made.middle), pem(made.root), made.key_pem()]
    for order in itertools.permutations(parts):
        assert opened(b"\n".join(order)).chain == (made.leaf, made.middle, made.root)


def test_a_key_in_its_own_file_is_taken() -> None:
    made = chain()
    assert opened(pem(made.leaf), key_content=made.key_pem()).chain == (made.leaf,)


def test_certificates_that_do_not_belong_are_left_out() -> None:
    made, other = chain(), Chain()
    assert opened(pem(other.root, made.leaf, other.leaf) + made.key_pem()).chain == (made.leaf,)


def test_pkcs12_with_and_without_a_password_is_opened() -> None:
    made = chain()
    assert opened(made.pfx(None, [made.middle])).chain == (made.leaf, made.middle)
    assert opened(made.pfx("geheim ä".encode()), Secret("geheim ä")).chain == (made.leaf,)


@pytest.mark.parametrize("password", [None, Secret("another")])
def test_a_locked_file_asks_for_its_password(password: Secret | None) -> None:
    made = chain()
    with pytest.raises(PasswordNeeded):
        opened(made.pfx(b"geheim"), password)
    with pytest.raises(PasswordNeeded):
        opened(pem(made.leaf) + made.key_pem(BestAvailableEncryption(b"geheim")), password)


def test_a_locked_pem_key_is_unlocked() -> None:
    made = chain()
    imported = opened(pem(made.leaf) + made.key_pem(BestAvailableEncryption(b"geheim")), Secret("geheim"))
    assert b"ENCRYPTED" not in imported.pair().key


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither"),
        (b"hello", "neither"),
        (b"0\x82\x01\x00garbage", "PKCS#12"),
        (pem(chain().leaf), "no private key"),
        (chain().key_pem(), "no certificate"),
        (pem(Chain().leaf) + chain().key_pem(), "none of the certificates"),
        (chain().key_pem() * 2 + pem(chain().leaf), "several private keys"),
        (chain().key_pem() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged"),
        (b"-----BEGIN PRIVATE KEY" + b"-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"),
    ],
)
def test_what_cannot_be_used_is_explained(content: bytes, words: str) -> None:
    with pytest.raises(CannotImport, match=words):
        opened(content)


@given(st.binary(max_size=400))
def test_no_content_does_anything_but_explain_itself(content: bytes) -> None:
    for head in (b"", b"-----BEGIN CERTIFICATE-----\n", b"\x30\x82", b"-----BEGIN PRIVATE KEY" + b"-----\n"):
        with pytest.raises(CannotImport):
            opened(head + content)


def test_only_what_is_in_force_has_no_objection() -> None:
    imported = opened(pem(chain().leaf) + chain().key_pem())
    assert list(objections(imported, NOW)) == []
    assert "ended" in next(objections(imported, NOW + timedelta(days=91)))
    assert "begins" in next(objections(imported, NOW - timedelta(days=2)))


def test_a_whole_chain_for_the_host_has_no_doubt() -> None:
    made = chain()
    content = made.key_pem()
    assert list(doubts(opened(content + pem(made.leaf, made.middle, made.root)), HOST, [])) == []
    assert list(doubts(opened(content + pem(made.leaf, made.middle)), HOST, ["CN=root"])) == []


def test_a_missing_intermediate_is_named() -> None:
    made = chain()
    (doubt,) = doubts(opened(made.key_pem() + pem(made.leaf)), HOST, ["CN=root"])
    assert "CN=middle" in doubt
    assert "not in the file" in doubt


def test_another_name_and_a_self_signed_one_are_doubted() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("own", "own", key, key, names=["other.example"])
    content = pem(own) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found = list(doubts(opened(content), HOST, []))
    assert "other.example" in found[0]
    assert "self-signed" in found[1]


def test_a_wildcard_serves_one_label() -> None:
    made = chain()
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("own", "own", key, key, names=["*.example.org"])
    content = pem(own) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert not any(HOST in one for one in doubts(opened(content), HOST, []))
    assert any("a.b.example.org" in one for one in doubts(opened(content), "a.b.example.org", []))
    assert made.leaf not in opened(content).chain


def test_the_pair_is_put_and_the_one_before_kept(tmp_path: Path) -> None:
    where = places(tmp_path, "default")
    assert put(KeyPair(b"chain 1", b"key 1"), where) == []
    kept = put(KeyPair(b"chain 2", b"key 2"), where)
    assert (where.chain.read_bytes(), where.key.read_bytes()) == (b"chain 2", b"key 2")
    assert sorted(path.read_bytes() for path in kept) == [b"chain 1", b"key 1"]
    for key in (where.key, where.key.with_name("default.key.old")):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(os.listdir(where.key.parent)) == 4


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b", "ä", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotImport):
        places(tmp_path, name)


def test_the_configuration_names_it_and_keeps_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "gatepost.toml"
    file.write_text('# mine\n[certificates.default]  # ours\npfx = "a.pfx"\npfx_password_file = "p"\n')
    where = places(tmp_path, "default")
    assert named_in(file, "default", where)
    text = file.read_text()
    assert "# mine" in text
    assert "# ours" in text
    assert "pfx" not in text
    assert 'chain = "certs/default.pem"' in text
    assert not named_in(file, "default", where)
