"""`gatepost [-c FILE] VERB`: the whole command line.

Exit codes: 0 yes or done, 1 failed, 2 usage, 3 the answer is no (refused, unsafe, not found).
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gatepost import __version__
from gatepost.cli.context import FAILED, NO, USAGE, Context, Failure, default_file, fail
from gatepost.cli.verbs import PARTS, Part, asked_for


def app(parts: Iterable[Part] = PARTS) -> typer.Typer:
    """The command line with these verbs."""
    made = typer.Typer(
        name="gatepost",
        help="A mail gate: POP3 mailboxes, mail for your own domains, and relay only for those you name.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_common)
    for part in parts:
        part.add_to(made)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gatepost {__version__}")
        raise typer.Exit


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
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(asked_for(words))(words, prog_name="gatepost", standalone_mode=False)
    except typer.TyperException as error:
        _fail_to_understand(error)
    except typer.Abort:
        fail("stopped", FAILED)
    except Exception as error:
        fail(*_told(error))
    sys.exit(code or 0)


def _told(error: Exception) -> tuple[str, int]:
    """What is said of it, and the exit code. Raises `error` when it is none of those that are expected."""
    # Loaded here: a verb that goes well waits for none of them.
    from gatepost.admin.link import NotRunning, Refused
    from gatepost.config.load import ConfigError
    from gatepost.store.account_error import AccountError, NotFound
    from gatepost.store.database import DatabaseError

    match error:
        case Failure() | Refused():
            return str(error), error.exit_code
        case NotFound():
            return str(error), NO
        case ConfigError() | AccountError() | DatabaseError() | NotRunning():
            return str(error), FAILED
        case OSError() | sqlite3.Error():
            return f"{type(error).__name__}: {error}", FAILED
        case _:
            raise error


def _fail_to_understand(error: typer.TyperException) -> NoReturn:
    context: typer.Context | None = getattr(error, "ctx", None)
    text = error.format_message().strip()
    if not text or "\n" in text:
        sys.stdout.write(text and f"{text}\n")  # no verb was given: the help, if it is not shown yet
        raise SystemExit(USAGE)
    where = context.command_path if context else "gatepost"
    fail(f"{' '.join(text.split())} (`{where} --help` says how)", USAGE)
