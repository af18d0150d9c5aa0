"""Kerberos, by the system's library: the keys of a service, the ticket of a user, and what is made of them."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from ninsho.errors import ConfigurationError, StoreUnavailable, TicketRefused
from ninsho.sasl.exchange import Channel


class SecurityContext(Protocol):
    """One side of a login by ticket (RFC 2743 §1.1.3): ``step`` with what came, until ``complete``.

    All raise ``TicketRefused`` where the other side is to blame, and ``StoreUnavailable`` where this machine is.
    """

    @property
    def complete(self) -> bool:
        """Whether each side knows the other."""

    @property
    def initiator(self) -> str:
        """The client's principal, such as ``tim@EXAMPLE.ORG``; what would confuse has a backslash before it."""

    def step(self, token: bytes) -> bytes:
        """Take the other side's *token*, empty where there is none yet; return one for it, empty if there is none."""

    def wrap(self, message: bytes) -> bytes:
        """Sign *message*; what it says stays readable."""

    def unwrap(self, token: bytes) -> bytes:
        """Return the message whose signature is good."""


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys that open the tickets for a service.

    They are in the file *keytab*; without one, where the system keeps them (``KRB5_KTNAME``, ``/etc/krb5.keytab``).
    Without a *host*, a ticket for the service on any host is good whose key is there.
    """

    keytab: str = ""
    service: str = "smtp"
    host: str = ""

    def check(self) -> None:
        """Raise ``ConfigurationError`` where there is no such key, or no library."""
        try:
            self._credentials()
        except StoreUnavailable as error:
            raise ConfigurationError([str(error)]) from None

    def accept(self) -> SecurityContext:
        """Make the server's side of one login; the keys are read at its first step, so that they may be replaced."""
        return _Context(lambda: library().SecurityContext(creds=self._credentials(), usage="accept"))

    def _credentials(self) -> Any:  # noqa: ANN401 - the package is optional
        gssapi = library()
        try:
            return gssapi.Credentials(
                name=_service(self.service, self.host),
                usage="accept",
                # RFC 4752 §1: Kerberos itself, and not what negotiates it (SPNEGO).
                mechs=[gssapi.MechType.kerberos],
                store={"keytab": self.keytab} if self.keytab else None,
            )
        except gssapi.exceptions.GSSError as error:
            # No client has a part in this.
            raise StoreUnavailable(_reason(error)) from None


def initiate(channel: Channel) -> SecurityContext:
    """Make the client's side of one login, with the ticket in the default cache (``KRB5CCNAME``).

    Its first step may ask a KDC for a ticket for the service, and waits for the answer.
    """

    def opened() -> Any:  # noqa: ANN401 - the package is optional
        gssapi = library()
        flags = gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.integrity
        name = _service(channel.service, channel.host)
        return gssapi.SecurityContext(name=name, mech=gssapi.MechType.kerberos, flags=flags, usage="initiate")

    return _Context(opened)


class _Context:
    """The library's context, made at the first step, and its errors made ours."""

    __slots__ = ("_context", "_open")

    def __init__(self, opened: Callable[[], Any]) -> None:
        self._open = opened
        self._context: Any = None

    @property
    def complete(self) -> bool:
        return self._context is not None and self._context.complete

    @property
    def initiator(self) -> str:
        with _our_errors():
            return bytes(self._context.initiator_name).decode(errors="backslashreplace")

    def step(self, token: bytes) -> bytes:
        with _our_errors():
            if self._context is None:
                self._context = self._open()
                # Else an error came at the step after, as most have a token that tells the other side of it.
                self._context.__DEFER_STEP_ERRORS__ = False
            return self._context.step(token or None) or b""

    def wrap(self, message: bytes) -> bytes:
        with _our_errors():
            signed: bytes = self._context.wrap(message, encrypt=False).message
            return signed

    def unwrap(self, token: bytes) -> bytes:
        with _our_errors():
            message: bytes = self._context.unwrap(token).message
            return message


def library() -> Any:  # noqa: ANN401 - the package is optional
    """Return the package ``gssapi``; raise ``ConfigurationError`` where it cannot be imported."""
    try:
        # It is not everywhere, and takes 50 ms.
        import gssapi  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(["GSSAPI needs the package gssapi: pip install 'ninsho[gssapi]'"]) from None
    return gssapi


def _service(service: str, host: str) -> Any:  # noqa: ANN401 - the package is optional
    gssapi = library()
    return gssapi.Name(f"{service}@{host}" if host else service, gssapi.NameType.hostbased_service)


@contextmanager
def _our_errors() -> Iterator[None]:
    gssapi = library()
    try:
        yield
    except gssapi.exceptions.GSSError as error:
        reason = _reason(error)
        # The system's own numbers: a replay cache that cannot be written, a keytab that is not there.
        if error.min_code in errno.errorcode:
            raise StoreUnavailable(reason) from None
        raise TicketRefused(reason) from None


def _reason(error: Any) -> str:  # noqa: ANN401 - the package is optional
    """The library's words: those of Kerberos where it has some, else those of GSSAPI."""
    # 100001 stands for an error that nobody has named.
    named = error.min_code not in (0, 100_001)
    words = error.get_all_statuses(error.min_code if named else error.maj_code, not named)
    return f"Kerberos: {' '.join(words)}"
