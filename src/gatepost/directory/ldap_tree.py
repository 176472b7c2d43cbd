"""What is asked of a directory tree: who bears a name, which groups somebody is in, whose an address is.

Two natures are told apart by the root entry: Active Directory, where groups come from `tokenGroups`
(nested, computed by the server) or its chain rule, and others, where we walk upwards ourselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.directory.ldap_connection import Bound, Entry, Filter, Query, Scope
from gatepost.directory.ldap_fault import LdapUnavailable, Stage
from gatepost.directory.ldap_groups import KnownGroups, Membership, ad_membership, walked_membership
from gatepost.directory.ldap_name import (
    EVERYTHING,
    LoginName,
    all_of,
    any_of,
    dn_key,
    dn_value,
    dns_domain,
    equal,
)
from gatepost.directory.ldap_person import AD_ATTRIBUTES, OTHER_ATTRIBUTES, Person, ad_person, other_person
from gatepost.directory.ldap_pool import LdapPool
from gatepost.secret import Secret

_ACTIVE_DIRECTORY: Final = "1.2.840.113556.1.4.800"
_MOST_MEANT: Final = 10
_PERSONS: Final = any_of(equal("objectClass", name) for name in ("person", "posixAccount"))
_AD_PERSONS: Final = (equal("objectCategory", "person"), equal("objectClass", "user"))


@dataclass(frozen=True, slots=True)
class Nature:
    """What kind of directory it is. `root` holds everything; `base` is where people are looked for."""

    active_directory: bool
    root: str
    base: str

    @property
    def domain(self) -> str:
        """The DNS name of an Active Directory domain."""
        return dns_domain(self.root)


class LdapTree:
    """Every question raises LdapUnavailable when the directory does not say.

    `base` empty means the whole tree. `house` is the domain's short name, lower case. `direct` is
    None where people are searched for before they log in; else what they log in as, with `{user}` in
    it, or empty for `house\\user`. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        pool: LdapPool,
        *,
        base: str,
        house: str,
        direct: str | None = None,
        clock: Callable[[], float],
    ) -> None:
        self.pool = pool
        self._direct = direct
        self._base = base
        self._house = house
        self._clock = clock
        self._nature: Nature | None = None
        self._groups = KnownGroups(clock)

    async def nature(self) -> Nature:
        """Learnt once."""
        if self._nature is None:
            attributes = ("supportedCapabilities", "defaultNamingContext", "namingContexts")
            found = await self.pool.search(Query("", EVERYTHING, attributes, Scope.BASE))
            self._nature = _nature(found.entries[0] if found.entries else Entry("", {}), self._base)
        return self._nature

    async def person(self, name: LoginName) -> Person | None:
        """Who bears the name; None when nobody does, or several do."""
        nature = await self.nature()
        house = self._house or nature.domain.partition(".")[0]
        if name.house and name.house not in {house, nature.domain} - {""}:
            return None
        wanted = _named(name, nature)
        entries, whole = await self._people(wanted, nature)
        return _meant(name, entries, nature) if whole else None

    async def holders(self, addresses: Collection[str]) -> Sequence[Person]:
        """The people who have one of the addresses, which are canonical."""
        nature = await self.nature()
        attributes = ("mail", "userPrincipalName") if nature.active_directory else ("mail",)
        wanted = [equal(attribute, address) for address in addresses for attribute in attributes]
        if nature.active_directory:
            wanted += [equal("proxyAddresses", f"smtp:{address}") for address in addresses]
        people, whole = await self._people(any_of(wanted), nature)
        if not whole:
            raise LdapUnavailable(Stage.SEARCH, f"more than {_MOST_MEANT} accounts have {min(addresses)}")
        return people

    async def membership(self, person: Person) -> Membership:
        """The groups the person is in, through others too."""
        nature = await self.nature()
        if nature.active_directory:
            return await ad_membership(self.pool, nature.root, person, self._groups)
        return await walked_membership(self.pool, nature.root, person)

    def direct_name(self, name: LoginName) -> str | None:
        """What somebody of this name logs in as; None where they have to be found first.

        It is sure to mean the account that is found by the name: an address would not be.
        """
        if self._direct is None or name.domain or (name.house and name.house != self._house):
            return None
        return self._direct.replace("{user}", dn_value(name.user)) or f"{self._house}\\{name.user}"

    def is_direct(self, person: Person, name: LoginName) -> bool:
        """Whether who logged in by `direct_name` is this person."""
        if self._direct:
            return dn_key(person.dn) == dn_key(self.direct_name(name) or "")
        return person.account == name.user

    async def bind(self, person: Person, password: Secret) -> Bound:
        return await self.pool.bind(person.dn, password)

    async def bind_nobody(self) -> None:
        """As long as a bind that is refused."""
        nature = await self.nature()
        await self.pool.bind(f"CN=nobody-is-called-that,{nature.base or nature.root}", Secret("no password"))

    async def _people(self, wanted: Filter, nature: Nature) -> tuple[list[Person], bool]:
        kind = _AD_PERSONS if nature.active_directory else (_PERSONS,)
        attributes = AD_ATTRIBUTES if nature.active_directory else OTHER_ATTRIBUTES
        query = Query(nature.base, all_of(*kind, wanted), attributes, limit=_MOST_MEANT)
        found = await self.pool.search(query)
        return [self._person(entry, nature) for entry in found.entries], found.whole

    def _person(self, entry: Entry, nature: Nature) -> Person:
        if nature.active_directory:
            house = self._house or nature.domain.partition(".")[0]
            return ad_person(entry, domain=nature.domain, house=house, now=self._clock())
        return other_person(entry, now=self._clock())


def _nature(root: Entry, base: str) -> Nature:
    contexts = root.texts("defaultNamingContext") or root.texts("namingContexts")
    around = [context for context in contexts if dn_key(base).endswith(dn_key(context))]
    whole = next(iter(around), base or next(iter(contexts), ""))
    return Nature(_ACTIVE_DIRECTORY in root.texts("supportedCapabilities"), whole, base or whole)


def _named(name: LoginName, nature: Nature) -> Filter:
    if not nature.active_directory:
        mail = [equal("mail", name.whole)] if name.domain else []
        return any_of([equal("uid", name.whole), *mail])
    if not name.domain:
        return equal("sAMAccountName", name.user)
    whole = [equal("userPrincipalName", name.whole), equal("mail", name.whole)]
    whole.append(equal("proxyAddresses", f"smtp:{name.whole}"))
    if name.domain == nature.domain:
        whole.append(equal("sAMAccountName", name.user))
    return any_of(whole)


def _meant(name: LoginName, people: Iterable[Person], nature: Nature) -> Person | None:
    """Who of those found: as Active Directory does at a logon, a principal name goes before all else."""
    people = list(people)
    if nature.active_directory and name.domain:
        named = [person for person in people if person.name == name.whole]
        if not named and name.domain == nature.domain:
            named = [person for person in people if person.account == name.user]
        people = named or people
    return people[0] if len(people) == 1 else None
