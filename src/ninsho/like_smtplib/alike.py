"""Errors of ours that are as well what programs written for smtplib catch."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ninsho.errors import ClientError, ConfigurationError, ExchangeError
from ninsho.mail.unsendable import Unsendable


class Misconfigured(ConfigurationError, ClientError, smtplib.SMTPException):
    """What a program has told us cannot work, whatever the server is."""

    temporary = False


@contextmanager
def told_alike() -> Iterator[None]:
    """Raise what speaks against a program's own words as one of smtplib's errors too."""
    try:
        yield
    except ConfigurationError as error:
        raise Misconfigured(error.problems) from error.__cause__
    except ExchangeError as error:
        raise Misconfigured([str(error)]) from error.__cause__
    except Unsendable as error:
        raise alike(error) from error.__cause__


def alike(error: ClientError) -> ClientError:
    """Return *error* itself where smtplib has its like, else one that is also what would be raised there.

    That is a ``ConnectionRefusedError``, ``socket.gaierror``, ``TimeoutError`` or ``ssl.SSLCertVerificationError``, as
    it came from below; an ``SMTPNotSupportedError`` for a message that this server cannot be sent; an
    ``SMTPException`` for the rest.
    """
    cause = error.__cause__
    kind = _kind(error, cause)
    if isinstance(error, kind | smtplib.SMTPException):
        return error
    both: Any = type(type(error).__name__, (type(error), kind), {"__module__": type(error).__module__})
    # Not called: each of the two wants other arguments.
    made: ClientError = both.__new__(both, str(error))
    made.args = (str(error),)
    made.__dict__.update(error.__dict__)
    if isinstance(cause, OSError) and isinstance(made, OSError):
        made.errno = cause.errno
    made.__cause__ = cause
    return made


def _kind(error: ClientError, cause: BaseException | None) -> type[Exception]:
    if isinstance(cause, OSError):
        return type(cause)
    return smtplib.SMTPNotSupportedError if isinstance(error, Unsendable) else smtplib.SMTPException
