"""Fills a Samba directory: `/usr/bin/python3 ad_seed.py SMB.CONF DOMAIN`, before samba starts, or
`... ad_seed.py SMB.CONF`, at any time, for the group "Crowd".

Run by Debian's Python, which has Samba's modules. Everybody's password is PASSWORD.
"""

from __future__ import annotations

import sys
from typing import Any

PASSWORD = "Passw0rd-1x"
CROWD = 5_000
"""How many are in the group "Crowd"."""


def opened(configuration: str) -> Any:
    """The directory's database."""
    from samba.auth import system_session
    from samba.param import LoadParm
    from samba.samdb import SamDB

    parameters = LoadParm()
    parameters.load(configuration)
    return SamDB(session_info=system_session(), lp=parameters)


def seed(configuration: str, domain: str) -> None:
    """People, groups and states of accounts are there."""
    import ldb
    from samba import dsdb

    sam = opened(configuration)
    base = str(sam.domain_dn())

    def change(dn: str, **values: Any) -> None:
        message = ldb.Message(ldb.Dn(sam, dn))
        for name, value in values.items():
            name = name.replace("__", "-")
            message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
        sam.modify(message)

    def user(name: str, **values: Any) -> None:
        sam.newuser(name, PASSWORD, mailaddress=f"{name}@{domain}", useusernameascn=True)
        if values:
            change(f"CN={name},CN=Users,{base}", **values)

    def group(name: str, *members: str) -> None:
        sam.newgroup(name)
        if members:
            sam.add_remove_group_members(name, list(members), member_types=["user", "group"])

    minutes = -60 * 10**7
    sam.transaction_start()
    change(base, minPwdAge="0", lockoutThreshold="3", lockoutDuration=str(30 * minutes),
           lockOutObservationWindow=str(30 * minutes))  # fmt: skip
    for name in ("alice", "nora", "erin", "heidi", "ivan", "olga", "svc-gatepost", "root", "locked"):
        user(name)
    user("carol", userAccountControl=str(dsdb.UF_NORMAL_ACCOUNT | dsdb.UF_ACCOUNTDISABLE))
    user("dave", accountExpires="129000000000000000")
    user("frank", pwdLastSet="0")
    user(
        "smtpsvc",
        proxyAddresses=[f"smtp:relay@{domain}", f"SMTP:smtpsvc@{domain}"],
        servicePrincipalName=[
            f"{kind}/{host}" for kind in ("smtp", "pop") for host in ("mail.gate.example", "localhost")
        ],
        msDS__SupportedEncryptionTypes="24",  # AES alone
    )
    group("Sales", "nora")
    group("EMEA", "Sales")
    group("POP3 Relay", "EMEA", "heidi", "root")
    group("Mail Admins", "ivan")
    sam.add_remove_group_members("Domain Admins", ["heidi", "Mail Admins"], member_types=["user", "group"])
    group("Ring A", "erin")
    group("Ring B", "Ring A")
    sam.add_remove_group_members("Ring A", ["Ring B"], member_types=["group"])
    group("Empty")
    group("Everyone here", "Domain Users")
    sam.transaction_commit()


def gather(configuration: str) -> None:
    """The group "Crowd" has 5,000 members and olga."""
    import ldb

    sam = opened(configuration)
    base = str(sam.domain_dn())
    members = [f"CN=c{number},CN=Users,{base}" for number in range(CROWD)]
    sam.transaction_start()
    sam.newgroup("Crowd")
    sam.add_remove_group_members("Crowd", ["olga"])
    for member in members:
        sam.add({"dn": member, "objectClass": "contact"})
    crowd = ldb.Message(ldb.Dn(sam, f"CN=Crowd,CN=Users,{base}"))
    crowd["member"] = ldb.MessageElement(members, ldb.FLAG_MOD_ADD, "member")
    sam.modify(crowd)
    sam.transaction_commit()


if __name__ == "__main__":
    (seed if len(sys.argv) > 2 else gather)(*sys.argv[1:])
