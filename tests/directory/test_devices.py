"""Logins by app passwords: whose, from where, what for, until when; and sessions that began with one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from directory.directories import House, open_house
from gatepost.directory.devices import Devices, KeyRing
from gatepost.directory.directory import Directories, Refusal
from gatepost.mail.address import Address
from gatepost.policy.access import Right
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.app_password import NewAppPassword, grouped, networks_of, senders_of
from gatepost.store.scram import Salt, scram_keys
from gatepost.store.user import ScramKeys

PEER = ip_address("10.0.5.17")
NOW = datetime.now(UTC)


@dataclass(slots=True)
class Site:
    house: House
    devices: Devices = field(init=False)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.devices = Devices(
            Directories([self.house.directory]), self.house.accounts.app_passwords, lambda: self.now
        )

    def issue(self, name: str, new: NewAppPassword) -> Secret:
        return self.house.accounts.app_passwords.add(name, new, by="test")[1]

    def try_in(
        self, name: str, secret: Secret, peer: str = "10.0.5.17", use: Right = Right.SUBMIT
    ) -> Identity | Reason | None:
        answer = asyncio.run(self.devices.verify(name, secret, ip_address(peer), use))
        return answer.reason if isinstance(answer, Refusal) else answer

    def renewed(self, identity: Identity) -> Identity | None:
        self.house.directory.refresh()
        return asyncio.run(self.devices.renewed(identity))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_house(tmp_path) as house:
        house.add("bob@example.org", "tangerine")
        house.add("ann@example.org", "mandarin")
        yield Site(house)


def let_in(site: Site, secret: Secret, name: str = "bob") -> Identity:
    identity = site.try_in(name, secret)
    assert isinstance(identity, Identity)
    return identity


def test_a_device_is_its_account_and_itself(site: Site) -> None:
    secret = site.issue("bob@example.org", NewAppPassword("NAS", senders=senders_of(["Bob@example.org"])))
    for typed in (secret, Secret(grouped(secret)), Secret(grouped(secret).upper())):
        identity = let_in(site, typed)
        assert identity.name == "bob@example.org"
        assert identity.device is not None
        assert identity.device.name == "NAS"
        assert identity.device.senders == {Address("bob", "example.org")}


def test_it_is_good_for_its_account_alone(site: Site) -> None:
    secret = site.issue("bob@example.org", NewAppPassword("NAS"))
    assert site.try_in("ann", secret) is None
    assert site.try_in("zoe", secret) is None
    assert site.try_in("bob", Secret("a" * 16)) is None
    assert site.try_in("bob", Secret("tangerine")) is None


def test_somebody_of_another_directory_with_the_name_is_somebody_else(site: Site) -> None:
    kept = site.house.accounts.app_passwords
    _, secret = kept.add("bob@example.org", NewAppPassword("NAS"), by="test", directory="ad")
    assert site.try_in("bob", secret) is None


@pytest.mark.parametrize(
    ("new", "peer", "use", "reason"),
    [
        (NewAppPassword("x", networks=networks_of(["10.0.6.0/24"])), "10.0.5.17", Right.SUBMIT, "elsewhere"),
        (
            NewAppPassword("x", networks=networks_of(["10.0.6.0/24"])),
            "2001:db8::1",
            Right.SUBMIT,
            "elsewhere",
        ),
        (NewAppPassword("x"), "10.0.5.17", Right.COLLECT, "elsewhere"),
        (NewAppPassword("x", networks=networks_of(["10.0.5.0/24"])), "10.0.5.17", Right.SUBMIT, None),
        (NewAppPassword("x", collects=True), "10.0.5.17", Right.COLLECT, None),
        (NewAppPassword("x", expires=NOW + timedelta(days=1)), "10.0.5.17", Right.SUBMIT, None),
    ],
)
def test_where_and_what_for(
    site: Site, new: NewAppPassword, peer: str, use: Right, reason: str | None
) -> None:
    answer = site.try_in("bob", site.issue("bob@example.org", new), peer, use)
    if reason is None:
        assert isinstance(answer, Identity)
    else:
        assert isinstance(answer, Reason)
        assert answer.value == f"app-password-{reason}"
        assert answer.shown is Reason.BAD_CREDENTIALS


def test_it_ends_by_time_by_hand_and_with_its_account(site: Site) -> None:
    house = site.house
    timed = site.issue("bob@example.org", NewAppPassword("timed", expires=NOW + timedelta(days=1)))
    other = site.issue("bob@example.org", NewAppPassword("other"))
    sessions = [let_in(site, timed), let_in(site, other)]
    assert [site.renewed(one) for one in sessions] == sessions
    site.now += timedelta(days=1)
    assert site.try_in("bob", timed) is Reason.APP_PASSWORD_EXPIRED
    assert [site.renewed(one) for one in sessions] == [None, sessions[1]]
    house.accounts.app_passwords.revoke("bob@example.org", "other", by="test")
    assert site.try_in("bob", other) is Reason.APP_PASSWORD_REVOKED
    site.issue("bob@example.org", NewAppPassword("other"))  # the label again is not the secret again
    assert site.renewed(sessions[1]) is None
    last = site.issue("bob@example.org", NewAppPassword("last"))
    session = let_in(site, last)
    house.accounts.users.set_disabled("bob@example.org", disabled=True, by="test")
    assert site.try_in("bob", last) is Reason.ACCOUNT_DISABLED
    assert site.renewed(session) is None


def test_the_users_own_password_is_another_matter(site: Site) -> None:
    secret = site.issue("bob@example.org", NewAppPassword("NAS"))
    new = site.house.passwords.credential(Secret("clementine"))
    site.house.accounts.users.set_password("bob@example.org", new, by="test")
    assert isinstance(site.try_in("bob", secret), Identity)


def test_one_who_came_by_his_own_password_has_no_device(site: Site) -> None:
    identity = asyncio.run(site.house.directory.verify("bob", Secret("tangerine")))
    assert isinstance(identity, Identity)
    assert site.renewed(identity) == identity
    assert site.renewed(replace(identity, name="gone@example.org")) is None


def test_a_refusal_costs_what_a_wrong_password_costs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One check of a hash: no more and no less tells that the secret was once right."""
    checked = list[None]()
    matches = site.house.passwords.matches

    async def counted(key: bytes, password: Secret, stored: str | None) -> bool:
        checked.append(None)
        return await matches(key, password, stored)

    monkeypatch.setattr(site.house.passwords, "matches", counted)
    far = site.issue("bob@example.org", NewAppPassword("far", networks=networks_of(["192.0.2.0/24"])))
    gone = site.issue("bob@example.org", NewAppPassword("gone"))
    site.house.accounts.app_passwords.revoke("bob@example.org", "gone", by="test")
    for secret in (far, gone):
        assert isinstance(site.try_in("bob", secret), Reason)
    assert len(checked) == 2
    asyncio.run(Directories([site.house.directory]).verify("bob", Secret("wrong")))
    assert len(checked) == 3
    let_in(site, site.issue("bob@example.org", NewAppPassword("near")))
    assert len(checked) == 3


def ring(site: Site, name: str = "bob", peer: str = "10.0.5.17", use: Right = Right.SUBMIT) -> KeyRing:
    own = asyncio.run(site.house.directory.scram_keys(name))
    return site.devices.scram_keys(name, own, ip_address(peer), use)


def keys_of(text: str, like: ScramKeys) -> ScramKeys:
    keys = scram_keys(Secret(text), Salt(like.salt, like.iterations))
    assert keys is not None
    return keys


def test_scram_compares_with_every_secret_of_the_account(site: Site) -> None:
    first = site.issue("bob@example.org", NewAppPassword("first"))
    second = site.issue("bob@example.org", NewAppPassword("second"))
    for name in ("bob", " BOB@example.org"):
        good = ring(site, name).good
        typed = ["tangerine", first.reveal(), grouped(first), second.reveal(), grouped(second)]
        assert {keys_of(text, good[0]) for text in typed} == set(good)
    device = asyncio.run(site.devices.proven("bob", keys_of(grouped(second), good[0]), PEER, Right.SUBMIT))
    assert isinstance(device, Identity)
    assert device.device is not None
    assert (device.name, device.device.name) == ("bob@example.org", "second")
    own = keys_of("tangerine", good[0])
    assert asyncio.run(site.devices.proven("bob", own, PEER, Right.SUBMIT)) is None
    assert ring(site, "zoe") == KeyRing()


def test_what_is_over_or_elsewhere_proves_nothing_by_scram_and_is_told_apart(site: Site) -> None:
    revoked = site.issue("bob@example.org", NewAppPassword("revoked"))
    site.house.accounts.app_passwords.revoke("bob@example.org", "revoked", by="test")
    timed = site.issue("bob@example.org", NewAppPassword("timed", expires=NOW + timedelta(days=1)))
    far = site.issue("bob@example.org", NewAppPassword("far", networks=networks_of(["10.0.6.0/24"])))
    site.now += timedelta(days=1)
    found = ring(site)
    (own,) = found.good
    for secret, reason in (
        (revoked, Reason.APP_PASSWORD_REVOKED),
        (timed, Reason.APP_PASSWORD_EXPIRED),
        (far, Reason.APP_PASSWORD_ELSEWHERE),
    ):
        keys = keys_of(secret.reveal(), own)
        assert found.spent[keys] is reason
        # also when that came about between the first message and the proof
        assert asyncio.run(site.devices.proven("bob", keys, PEER, Right.SUBMIT)) == Refusal(reason)
    assert set(ring(site, peer="10.0.6.1").good) > {own, keys_of(far.reveal(), own)}
    assert ring(site, peer="10.0.6.1", use=Right.COLLECT).good == (own,)


def test_a_new_password_of_the_account_keeps_the_salt_of_its_devices(site: Site) -> None:
    accounts = site.house.accounts
    secret = site.issue("bob@example.org", NewAppPassword("NAS"))
    new = site.house.passwords.credential(
        Secret("clementine"), accounts.app_passwords.salt("Bob@example.org")
    )
    accounts.users.set_password("bob@example.org", new, by="test")
    site.house.directory.refresh()
    good = ring(site).good
    assert {keys_of("clementine", good[0]), keys_of(secret.reveal(), good[0])} < set(good)
    assert accounts.app_passwords.salt("ann@example.org") is None


def test_an_account_of_another_directory_has_scram_by_its_devices_alone(site: Site) -> None:
    kept = site.house.accounts.app_passwords
    _, secret = kept.add(
        "carl@example.org", NewAppPassword("NAS"), by="t", directory="ad", names=["CORP\\Carl"]
    )
    for name in ("corp\\carl", "carl@example.org"):
        found = site.devices.scram_keys(name, None, PEER, Right.SUBMIT)
        assert found.good[0] == keys_of(secret.reveal(), found.good[0])
    # and is asked for only when the proof is there
    answer = site.devices.proven("corp\\carl", found.good[0], PEER, Right.SUBMIT)
    assert asyncio.run(answer) == Refusal(Reason.WRONG_PASSWORD)


def test_the_secret_alone_opens_what_was_issued_before_there_were_keys(site: Site) -> None:
    secret = site.issue("bob@example.org", NewAppPassword("NAS"))
    with site.house.accounts.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM app_password_keys")
    let_in(site, secret)
    assert len(ring(site).good) == 1
