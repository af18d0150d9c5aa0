"""A message as it is signed: with CRLF, in lines of seven bits that no server on the way writes anew."""

from ninsho.mail.content import has_long_line, with_line_ends
from ninsho.mail.conversion import Allowed, convert
from ninsho.mail.headers import refuse_lone_cr

_NOTHING = Allowed(eight_bit=False, binary=False, utf8=False)


def canonical(octets: bytes) -> bytes:
    """Return a message that travels to every server as it is; raise ``Unsendable`` where it cannot be made so.

    What is 8-bit, binary or in too long a line is encoded as it would be for a server that takes none of that.
    """
    lines = _lines(octets)
    if is_robust(lines) and (lines is octets or b"binary" not in octets.lower()):
        return lines
    return with_line_ends(convert(octets, _NOTHING).octets)


def as_it_is(octets: bytes) -> bytes:
    """Return a message with CRLF for its line ends, and nothing else changed."""
    return _lines(octets)


def is_robust(octets: bytes) -> bool:
    """Tell whether all are short lines of ASCII."""
    return octets.isascii() and b"\0" not in octets and not has_long_line(octets)


def _lines(octets: bytes) -> bytes:
    if not isinstance(octets, bytes):
        raise TypeError(f"expected a message as bytes, got {type(octets).__name__}")
    lines = with_line_ends(octets)
    if lines is not octets:
        refuse_lone_cr(octets)
    return lines
