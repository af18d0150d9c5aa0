"""Passwords as people give them: asked for, or read from standard input, or made; never an argument of a command."""

import sys
from getpass import getpass
from secrets import choice

from ninsho.cli.endings import CommandError, WrongUsage
from ninsho.errors import MalformedMessage
from ninsho.text import decode_password

# Lower-case letters and digits that nobody mistakes for another: 99 bits, quick to type on a telephone.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS = 4
GROUP_SIZE = 5


def generate() -> str:
    """Make a password such as ``k7fpt-w8rmh-vx3bq-d9zn2``."""
    return "-".join("".join(choice(LETTERS) for _ in range(GROUP_SIZE)) for _ in range(GROUPS))


def given(*, stdin: bool, twice: bool = False) -> str:
    """Return the password that is typed (*twice*, to be sure of a new one), or the first line of standard input."""
    return read_line() if stdin else ask(twice=twice)


def read_line() -> str:
    """Read a password from the first line of standard input."""
    line = sys.stdin.buffer.readline().removesuffix(b"\n").removesuffix(b"\r")
    try:
        return decode_password(line)
    except MalformedMessage as error:
        # The error names the rule, never the password.
        raise WrongUsage(f"standard input: {error}") from None


def ask(*, twice: bool) -> str:
    """Have a password typed, unseen."""
    if not sys.stdin.isatty():
        raise WrongUsage("expected a terminal to ask for the password, or --password-stdin")
    try:
        password = getpass("Password: ")
        if not password:
            raise WrongUsage("expected a password, got none")
        if twice and getpass("The same again: ") != password:
            raise CommandError("the two passwords differ")
    except EOFError:
        raise WrongUsage("expected a password, got none") from None
    return password
