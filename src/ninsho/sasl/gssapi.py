"""GSSAPI (RFC 4752): the user shows a Kerberos ticket, and both sides prove who they are."""

from collections.abc import Callable, Collection, Generator
from functools import partial
from typing import Any, TypeAlias

from ninsho.errors import ExchangeError, MalformedMessage, StoreUnavailable, TicketRefused
from ninsho.sasl.dialogue import Challenge, Compute, Denial, Denied, Dialogue, Granted, Identity, Remark, Want
from ninsho.sasl.exchange import Channel, Credentials, Steps
from ninsho.sasl.kerberos import SecurityContext, ServiceKeys, initiate
from ninsho.sasl.mechanism import Mechanism, Properties

# RFC 4752 §3.3: the bit of "no security layer", and how much each side could take in one.
NO_LAYER = 0x01
CHOICE = bytes((NO_LAYER, 0, 0, 0))

# RFC 6111 §2: these name nobody; among them is who got an anonymous ticket.
WELL_KNOWN = "WELLKNOWN/"

Accept: TypeAlias = Callable[[], SecurityContext]
Initiate: TypeAlias = Callable[[Channel], SecurityContext]


def gssapi(response: bytes | None, *, accept: Accept, realms: Collection[str] = ()) -> Dialogue:
    """The server's side; *accept* makes its context, users of *realms* are known without their realm."""
    if response is None:
        response = yield from Challenge(b"")
    context = accept()
    try:
        yield from _establish(context, response)
        answer = context.unwrap((yield from Challenge(context.wrap(CHOICE))))
        return Granted(_identity(context.initiator, parse_choice(answer), realms))
    except TicketRefused as refused:
        yield from Remark(str(refused))
        return Denied(Denial.TOKEN)


def _establish(context: SecurityContext, token: bytes) -> Generator[Want, Any, None]:
    while not context.complete:
        # It writes to the replay cache, and waits until that is on the disk.
        answer = yield from Compute(context.step, token)
        if answer:
            token = yield from Challenge(answer)
        elif not context.complete:
            raise TicketRefused("expected a token for Kerberos, got another")
    # RFC 4752 §3.1: who has no token left answers with nothing.
    if answer and token:
        raise MalformedMessage(f"expected an empty response after the last token, got {len(token)} octets")


def parse_choice(message: bytes) -> bytes:
    """Read which security layer the client chose, and return whom to act as; raise ``MalformedMessage``."""
    # GNU SASL read four octets of whatever came (CVE-2022-2469).
    if len(message) < len(CHOICE):
        raise MalformedMessage(f"expected {len(CHOICE)} octets at least, got {len(message)}")
    if message[0] != NO_LAYER:
        raise MalformedMessage(f"expected no security layer ({NO_LAYER:#04x}), got {message[0]:#04x}")
    # The size should be 0 without a layer (RFC 4752 §3.2); that of Java's clients was not for years.
    authzid = message[len(CHOICE) :]
    if b"\0" in authzid:
        raise MalformedMessage("unexpected NUL octet")
    return authzid


def _identity(principal: str, authzid: bytes, realms: Collection[str]) -> Identity:
    username = username_of(principal, realms).encode()
    # Many clients say whom to act as where it is themselves, too.
    return Identity.parse(username, b"" if authzid == principal.encode() else authzid)


def username_of(principal: str, realms: Collection[str]) -> str:
    """The user name of *principal*: without its realm where that is one of *realms*; raise ``TicketRefused``."""
    if principal.startswith(WELL_KNOWN):
        raise TicketRefused("expected a ticket in somebody's name, got an anonymous one")
    # Written with a backslash: an '@' in the name itself, which would pass for the realm's, or worse.
    if "\\" in principal:
        raise TicketRefused("expected a principal without characters that must be escaped")
    name, _, realm = principal.rpartition("@")
    return name if realm in realms else principal


def gssapi_client(credentials: Credentials, *, initiate: Initiate = initiate) -> Steps:
    """The client's side: the ticket in the user's default cache; getting one for the service may take a while."""
    if not credentials.channel.host:
        raise ExchangeError("expected the server's host name, for which a ticket is needed, got none")
    try:
        yield from _show_ticket(initiate(credentials.channel), credentials.authzid or credentials.username)
    except (TicketRefused, StoreUnavailable) as error:
        raise ExchangeError(str(error)) from None


def _show_ticket(context: SecurityContext, authzid: str) -> Steps:
    response = context.step(b"")
    while not context.complete:
        response = context.step(_expected((yield response)))
    layers = context.unwrap(_expected((yield response)))
    if len(layers) < len(CHOICE) or not layers[0] & NO_LAYER:
        raise ExchangeError("the server insists on a security layer, which SMTP has no use for")
    yield context.wrap(CHOICE + authzid.encode())


def _expected(challenge: bytes | None) -> bytes:
    if challenge is None:
        raise ExchangeError("the server reported success before it had proved who it is")
    return challenge


def with_keys(keys: ServiceKeys, realms: Collection[str] = ()) -> Mechanism:
    """Make the mechanism that takes tickets for the service of *keys*; see ``username_of`` for the *realms*."""
    return Mechanism(
        "GSSAPI",
        partial(gssapi, accept=keys.accept, realms=realms),
        gssapi_client,
        Properties.MUTUAL_AUTH,
        binary=True,
        default=False,
        vouched=True,
    )


GSSAPI = with_keys(ServiceKeys())
