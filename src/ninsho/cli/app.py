"""The command line built from the table of commands, and what becomes of their errors."""

import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError, Parameter

import ninsho
from ninsho.cli.commands import COMMANDS, NOUNS, Command
from ninsho.cli.endings import EX_CONFIG, EX_TEMPFAIL, EX_UNAVAILABLE, NO, WRONG_USAGE, CommandError
from ninsho.errors import ConfigurationError, NinshoError, StoreUnavailable

# Where a URL ends nobody can tell: a password in it may have quotes and white space.
_URL = re.compile(r"(?<=://).*", re.DOTALL)
_LOGIN = re.compile(r"""[^\s'"]+:\S*@""")

STATUSES = f"""
Exit status: 0 done; {NO} no (a wrong password, a difference, no such account); {WRONG_USAGE} wrong usage; \
{EX_UNAVAILABLE} a program or a server is not there; {EX_TEMPFAIL} cannot tell now; \
{EX_CONFIG} the configuration cannot work.
"""


def build(commands: Sequence[Command]) -> App:
    """Make the command line. Each command is loaded when it is asked for; its help stands here, so help loads none."""
    app = App(
        name="ninsho",
        help="SMTP authentication: serves the users of Postfix, Exim and everything that speaks the Dovecot protocol.",
        help_format="plaintext",
        help_epilogue=STATUSES,
        version=ninsho.__version__,
        # No --no-json, no [default: False]: what an option does by default stands in its help.
        default_parameter=Parameter(negative=(), show_default=False),
    )
    nouns: dict[str, App] = {}
    for order, command in enumerate(commands):
        noun, _, verb = command.words.partition(" ")
        if verb and noun not in nouns:
            nouns[noun] = App(name=noun, help=NOUNS[noun], sort_key=order)
            app.command(nouns[noun])
        (nouns[noun] if verb else app).command(
            command.place,
            name=verb or noun,
            help=command.help,
            sort_key=order,
            help_epilogue="\n  ".join(("Examples:", *command.examples)),
        )
    return app


app = build(COMMANDS)


def run(tokens: Sequence[str] | None = None) -> NoReturn:
    """Run the command line of this process, or *tokens*, and end with its exit status."""
    status = None
    try:
        status = app(tokens, result_action="return_value", exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        # It may quote a URL that stood in the wrong place.
        sentence = _LOGIN.sub("(hidden)@", _URL.sub("(hidden)", str(error)))
        fail(sentence[:1].lower() + sentence[1:], status=WRONG_USAGE)
    except ConfigurationError as error:
        fail(*error.problems, status=EX_CONFIG)
    except StoreUnavailable as error:
        fail(str(error), status=EX_TEMPFAIL)
    except CommandError as error:
        fail(str(error), status=error.status)
    except NinshoError as error:
        fail(str(error), status=NO)
    except BrokenPipeError:
        # The reader of a list has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def fail(*sentences: str, status: int) -> NoReturn:
    """Say what is wrong on standard error, and end with *status*."""
    for sentence in sentences:
        print(f"ninsho: {sentence}", file=sys.stderr)  # noqa: T201 - this is the command line
    sys.exit(status)
