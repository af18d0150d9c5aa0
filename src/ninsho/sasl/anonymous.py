"""ANONYMOUS (RFC 4505): a guest logs in, and leaves a trace for the log."""

import stringprep
from functools import partial
from typing import Final

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Dialogue, Granted, Identity, Remark
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism, Properties

GUEST = "anonymous"
TRACE_LIMIT = 255  # characters; RFC 4505 §2

# RFC 4505 §3, tables C.2.1, C.2.2, C.3 to C.6, C.8 and C.9 of RFC 3454: NUL and line feeds are among them, which
# Dovecot takes.
_PROHIBITED: Final = (
    stringprep.in_table_c21,
    stringprep.in_table_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def anonymous(response: bytes | None, *, username: str = GUEST) -> Dialogue:
    """The server's side; whoever asks is let in as *username*."""
    if response is None:
        response = yield from Challenge(b"")
    yield from Remark(parse_trace(response))
    return Granted(Identity(username))


def parse_trace(message: bytes) -> str:
    """Read a trace, which is whatever a stranger chose to say; raise ``MalformedMessage``.

    An '@' may stand in it without making it an address, as no use is made of it.
    """
    # What is not UTF-8 becomes a surrogate code, and those are prohibited.
    trace = message.decode(errors="surrogateescape")
    if fault := _fault(trace):
        raise MalformedMessage(f"trace: {fault}")
    return trace


def anonymous_client(credentials: Credentials) -> Steps:
    """The client's side: the user name is the trace; none is sent without one."""
    trace = credentials.username
    if fault := _fault(trace):
        raise ExchangeError(f"trace: {fault}")
    yield trace.encode()


def _fault(trace: str) -> str | None:
    if len(trace) > TRACE_LIMIT:
        return f"expected {TRACE_LIMIT} characters at most, got {len(trace)}"
    for place, character in enumerate(trace, start=1):
        if any(holds(character) for holds in _PROHIBITED):
            return f"character {place} is prohibited (RFC 4505 §3)"
    return None


def with_user(username: str) -> Mechanism:
    """Make the mechanism that lets everybody in as *username*."""
    server = partial(anonymous, username=username)
    return Mechanism("ANONYMOUS", server, anonymous_client, Properties.ANONYMOUS, default=False)


ANONYMOUS = with_user(GUEST)
