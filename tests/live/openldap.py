"""OpenLDAP's slapd with people and groups of every kind, and the memberOf overlay."""

from __future__ import annotations

import shutil
from pathlib import Path

from live import loopback
from live.authority import Authority
from live.program import Program, ProgramFailed, run

LDAP, LDAPS = 3890, 6360
BASE = "dc=staff,dc=example"
ROOT = f"cn=admin,{BASE}"
PASSWORD = "A long passphrase 1"
SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {ca}
TLSCertificateFile {chain}
TLSCertificateKeyFile {key}
sizelimit 50
database mdb
directory {folder}/db
maxsize 104857600
suffix "{base}"
rootdn "{root}"
rootpw "{password}"
index uid,mail,member,uniqueMember,memberUid eq
"""


def _person(uid: str, *more: str) -> str:
    return "\n".join(
        (f"dn: uid={uid},ou=people,{BASE}", "objectClass: inetOrgPerson", f"uid: {uid}", f"cn: {uid}",
         "sn: Test", f"mail: {uid}@local.example", f"userPassword: {PASSWORD}", *more, "")
    )  # fmt: skip


def _group(name: str, kind: str, attribute: str, *members: str, **more: str) -> str:
    lines = [f"dn: cn={name},ou=groups,{BASE}", f"objectClass: {kind}", f"cn: {name}"]
    return "\n".join((*lines, *(f"{attribute}: {member}" for member in members),
                      *(f"{key}: {value}" for key, value in more.items()), ""))  # fmt: skip


def _at(name: str, where: str) -> str:
    return f"{'uid' if where == 'people' else 'cn'}={name},ou={where},{BASE}"


_SEED = "\n".join(
    (
        f"dn: {BASE}\nobjectClass: domain\ndc: staff\n",
        *(
            f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n"
            for name in ("people", "groups")
        ),
        *map(_person, ("nora", "alice", "erin", "paul")),
        _person("gina", "uidNumber: 1000", "gidNumber: 500", "homeDirectory: /").replace(
            "objectClass: inetOrgPerson", "objectClass: inetOrgPerson\nobjectClass: posixAccount"
        ),
        _person("twin", "mail: shared@local.example"),
        _person("twin2", "mail: shared@local.example"),
        *(_person(f"extra{number}", "mail: crowd@local.example") for number in range(60)),
        _group("Sales", "groupOfNames", "member", _at("nora", "people")),
        _group("EMEA", "groupOfUniqueNames", "uniqueMember", _at("Sales", "groups")),
        _group("POP3 Relay", "groupOfNames", "member", _at("EMEA", "groups")),
        _group("Ring A", "groupOfNames", "member", _at("erin", "people"), _at("Ring B", "groups")),
        _group("Ring B", "groupOfNames", "member", _at("Ring A", "groups"), _at("Ring B", "groups")),
        _group("unix", "posixGroup", "memberUid", "paul", gidNumber="500"),
    )
)


class OpenLdap:
    """slapd at `host`; its certificate names the address. `more` is LDIF."""

    def __init__(self, folder: Path, authority: Authority, *more: str) -> None:
        self.host = loopback.address(LDAP, LDAPS)
        self.ca_file = authority.ca_file
        certificate = authority.issue(f"ldap.{self.host}", self.host)
        (folder / "db").mkdir(parents=True)
        self._configuration = folder / "slapd.conf"
        self._configuration.write_text(
            _CONFIGURATION.format(
                folder=folder, ca=self.ca_file, chain=certificate.chain, key=certificate.key,
                base=BASE, root=ROOT, password=PASSWORD,
            )
        )  # fmt: skip
        (folder / "seed.ldif").write_text("\n".join((_SEED, *more)))
        added = run("slapadd", "-q", "-f", self._configuration, "-l", folder / "seed.ldif")
        if added.returncode:
            raise ProgramFailed(added.stdout)
        self.program = Program(
            [SLAPD, "-d", "0", "-f", self._configuration, "-h",
             f"ldap://{self.host}:{LDAP} ldaps://{self.host}:{LDAPS}"],
            folder=folder,
        )  # fmt: skip
        self.program.wait_for_port(self.host, LDAPS)

    def stop(self) -> None:
        self.program.kill()
