"""How a command ends: its exit status, and the errors that have one of their own."""

from typing import ClassVar

from ninsho.errors import NinshoError

NO = 1
WRONG_USAGE = 2
# The rest as in sysexits(3), which mail programs know.
EX_UNAVAILABLE = 69
EX_TEMPFAIL = 75
EX_CONFIG = 78


class CommandError(NinshoError):
    """A command cannot do what it was asked to."""

    status: ClassVar[int] = NO


class WrongUsage(CommandError):
    """Options or arguments that make no sense."""

    status = WRONG_USAGE


class Unavailable(CommandError):
    """A program or a server is not there."""

    status = EX_UNAVAILABLE


class CannotTell(CommandError):
    """There is no answer now; asking later may give one."""

    status = EX_TEMPFAIL
