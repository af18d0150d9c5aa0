"""What can go wrong, as one tree.

::

    NinshoError
    ├── ConfigurationError    the configuration cannot work; every problem, each with its place
    ├── ProtocolError         the peer sent what its protocol does not allow
    │   ├── MalformedMessage  a SASL message that its mechanism does not allow
    │   └── TicketRefused     a Kerberos ticket, or what came with it, that is not good here
    ├── ExchangeError         the client's side of a mechanism is not satisfied with the server
    ├── ClientError           mail could not be submitted: the tree goes on in ninsho.client.errors
    ├── NoMechanism           nothing that the server offers is something that the client may use
    ├── StoreUnavailable      a user base cannot tell: nobody may be told "wrong password"
    ├── BrokenMechanism       a mechanism of the site's own did what no mechanism may
    └── MalformedSecret       a stored password form that is unknown or broken: the account's fault, not the user's

No message holds a password, a token or a SASL message.
"""

from collections.abc import Iterable
from typing import Any


class NinshoError(Exception):
    """Any error that ninsho raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own calls the class with its args, which here are seldom what made it: no error would come back
        # from another process.
        return _rebuilt, (type(self), self.args), self.__dict__


def _rebuilt(kind: type[NinshoError], args: tuple[object, ...]) -> NinshoError:
    error = kind.__new__(kind)
    error.args = args
    return error


class ConfigurationError(NinshoError):
    """The configuration cannot work; ``problems`` lists every fault with its place."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ProtocolError(NinshoError):
    """The peer sent what its protocol does not allow."""


class MalformedMessage(ProtocolError):
    """A SASL message that its mechanism does not allow."""


class TicketRefused(ProtocolError):
    """A Kerberos ticket, or what came with it, is not good here; the message is mostly the library's."""


class ExchangeError(NinshoError):
    """The client's side of a mechanism is not satisfied with what the server did."""


class ClientError(NinshoError):
    """Mail could not be submitted; ``temporary`` says whether the same may succeed later.

    ``receipt`` is the message's, where it is about one.
    """

    temporary = True
    receipt: Any = None

    @property
    def permanent(self) -> bool:
        """Whether the same will fail again."""
        return not self.temporary


class NoMechanism(NinshoError):
    """Nothing that the server offers is something that the client may use; ``rejected`` says why, name by name."""

    def __init__(self, message: str, rejected: Iterable[tuple[str, str]] = ()) -> None:
        self.rejected = tuple(rejected)
        super().__init__(message)


class StoreUnavailable(NinshoError):
    """A user base cannot tell whether somebody may log in: a temporary failure, never a wrong password."""


class BrokenMechanism(NinshoError):
    """A mechanism of the site's own did what no mechanism may; the message says what was expected of it."""


class MalformedSecret(NinshoError):
    """A stored password form is unknown or broken; the message names the scheme, never the form."""
