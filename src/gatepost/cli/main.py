"""`gatepost [-c FILE] VERB`: the whole command line.

Exit codes: 0 yes or done, 1 failed, 2 usage, 3 the answer is no (refused, unsafe, not found).
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gatepost import __version__
from gatepost.admin.link import NotRunning, Refused
from gatepost.cli import (
    account,
    acme,
    admin,
    alias,
    attacks,
    audit,
    bring,
    cert,
    devices,
    directory,
    editing,
    explain,
    group,
    house,
    install,
    mailbox,
    oauth,
    queue,
    selftest,
    service,
    token,
    trace,
)
from gatepost.cli.context import FAILED, NO, USAGE, Context, Failure, default_file, fail
from gatepost.config.load import ConfigError
from gatepost.store.account_error import AccountError, NotFound
from gatepost.store.database import DatabaseError

app = typer.Typer(
    name="gatepost",
    help="A mail gate: POP3 mailboxes, mail for your own domains, and relay only for those you name.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (house, install, service, selftest, explain, trace, attacks, devices, audit):
    part.add_to(app)
editing.add_to(service.config)
app.add_typer(account.app, name="user", help="People and devices that may log in.")
app.add_typer(group.app, name="group", help='Groups; relaying is given to one, usually "POP3 Relay".')
app.add_typer(alias.app, name="alias", help="Addresses whose mail goes to others.")
app.add_typer(mailbox.app, name="mailbox", help="What lies in the mailboxes; old mail in and out.")
app.add_typer(directory.app, name="directory", help="Active Directory, LDAP: is everything there.")
app.add_typer(oauth.app, name="oauth", help="Issuers of tokens: does each step work.")
app.add_typer(cert.app, name="cert", help="The certificates of the virtual servers.")
app.add_typer(acme.app, name="acme", help="Certificates fetched from an authority by themselves.")
app.add_typer(admin.app, name="admin", help="Who signs in to the console.")
app.add_typer(token.app, name="token", help="What programs show to the API.")
app.add_typer(bring.app, name="import", help="Settings of Exchange and IIS, as a file of ours.")
app.add_typer(queue.app, name="queue", help="Mail that waits to be delivered.")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gatepost {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", metavar="FILE",
            help="The configuration file. Default: $GATEPOST_CONFIG, ./gatepost.toml, "
            "/etc/gatepost/gatepost.toml.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:  # fmt: skip
    context.obj = Context((config or default_file()).absolute())


def main(arguments: Sequence[str] | None = None) -> None:
    """The program, ending in SystemExit. Every error is one line on stderr: what, where, what to do.

    `arguments` are those of the process when left out.
    """
    try:
        code = app(arguments, prog_name="gatepost", standalone_mode=False)
    except typer.TyperException as error:
        _fail_to_understand(error)
    except typer.Abort:
        fail("stopped", FAILED)
    except Failure as error:
        fail(str(error), error.exit_code)
    except Refused as error:
        fail(str(error), error.exit_code)
    except NotFound as error:
        fail(str(error), NO)
    except (ConfigError, AccountError, DatabaseError, NotRunning) as error:
        fail(str(error), FAILED)
    except (OSError, sqlite3.Error) as error:
        fail(f"{type(error).__name__}: {error}", FAILED)
    sys.exit(code or 0)


def _fail_to_understand(error: typer.TyperException) -> NoReturn:
    context: typer.Context | None = getattr(error, "ctx", None)
    text = error.format_message().strip()
    if not text or "\n" in text:
        sys.stdout.write(text and f"{text}\n")  # no verb was given: the help, if it is not shown yet
        raise SystemExit(USAGE)
    where = context.command_path if context else "gatepost"
    fail(f"{' '.join(text.split())} (`{where} --help` says how)", USAGE)
