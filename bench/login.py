"""How many logins a second a directory allows: warm facts, cold ones, and wrong passwords.

`python bench/login.py [--seconds N]`, needs slapd. Exit 1 when warm logins are fewer than the goal.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from gatepost.cli.directory import silent_log  # noqa: E402
from gatepost.config.load import load_text  # noqa: E402
from gatepost.directory.build import ldap_directory  # noqa: E402
from gatepost.directory.directory import Directories  # noqa: E402
from gatepost.directory.ldap import LdapDirectory  # noqa: E402
from gatepost.policy.facts import Identity  # noqa: E402
from gatepost.secret import Secret  # noqa: E402
from gatepost.worker import new_loop  # noqa: E402
from live.authority import Authority  # noqa: E402
from live.openldap import LDAPS, PASSWORD, OpenLdap  # noqa: E402
from live.openldap import ROOT as ROOT_DN  # noqa: E402

GOAL_WARM_PER_SECOND = 2_000
CLIENTS = 32


def directory(server: OpenLdap, folder: Path, log: object, proven_seconds: int) -> LdapDirectory:
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    text = (
        f'hostname = "mail.example.org"\nstate = "{folder}"\n[directory.staff]\nkind = "ldap"\n'
        f'url = "ldaps://{server.host}:{LDAPS}"\nbind_user = "{ROOT_DN}"\nbind_password_file = "password"\n'
        f'ca_file = "{server.ca_file}"\nproven_seconds = {proven_seconds}\n'
    )
    return ldap_directory(load_text(text, folder / "gatepost.toml"), "staff", log)  # type: ignore[arg-type]


async def rate(login: Callable[[int], Awaitable[object]], seconds: float) -> float:
    """Logins a second by CLIENTS clients at once."""
    ends, count = time.perf_counter() + seconds, 0

    async def client() -> None:
        nonlocal count
        while time.perf_counter() < ends:
            count += 1
            await login(count)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)


async def measure(server: OpenLdap, folder: Path, seconds: float) -> float:
    with silent_log() as log:
        warm, checked = (directory(server, folder, log, proven) for proven in (3_600, 0))
        several, right = Directories([warm]), Secret(PASSWORD)
        assert isinstance(await several.verify("nora", right), Identity)
        warm_rate = await rate(lambda _: several.verify("nora", right), seconds)
        await checked.verify("extra0", right)
        bind_rate = await rate(lambda n: checked.verify(f"extra{n % 60}", right), seconds)
        cold_rate = await rate(lambda n: _cold(checked, f"extra{n % 60}", right), seconds)
        wrong_rate = await rate(lambda n: checked.verify("nora", Secret(f"wrong {n}")), seconds)
        warm.close()
        checked.close()
    print(
        f"warm facts, password proven before   {warm_rate:>9,.0f} logins/s  (goal {GOAL_WARM_PER_SECOND:,})"
    )
    print(f"warm facts, a bind each              {bind_rate:>9,.0f} logins/s")
    print(f"cold: facts, bind, groups            {cold_rate:>9,.0f} logins/s")
    print(f"wrong passwords                      {wrong_rate:>9,.0f} logins/s")
    return warm_rate


async def _cold(one: LdapDirectory, name: str, password: Secret) -> None:
    one.forget(name)
    await one.verify(name, password)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = OpenLdap(folder / "slapd", Authority(folder / "authority"))
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                warm = runner.run(measure(server, folder, seconds))
        finally:
            server.stop()
    return 0 if warm >= GOAL_WARM_PER_SECOND else 1


if __name__ == "__main__":
    sys.exit(main())
