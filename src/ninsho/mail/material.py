"""A message as octets that this server takes: line ends, blind copies, 8-bit text, long lines."""

from dataclasses import dataclass

from ninsho.mail.content import BinaryOctets, Content, Octets, has_long_line, is_plain, with_line_ends
from ninsho.mail.headers import header_size, refuse_lone_cr, without_blind
from ninsho.mail.terms import Terms


@dataclass(slots=True)
class Material:
    """What a message came to.

    *header* is as it was given, blind copies and all; *content* is what is sent; *body* is MAIL's BODY parameter,
    behind its space; *utf8* says whether the header sent wants SMTPUTF8. *message_id* is None where the header tells.
    """

    header: bytes
    content: Content
    body: bytes = b""
    utf8: bool = False
    message_id: str | None = None


class Draft:
    """A message that is written when it is wanted, by whoever made it."""

    __slots__ = ()

    def material(self, terms: Terms) -> Material:
        """Return what it comes to on a connection; the same each time. Raises ``Unsendable``."""
        raise NotImplementedError


def from_octets(raw: bytes, terms: Terms) -> Material:
    """Take a whole message; raise ``Unsendable`` where it cannot be made fit."""
    octets = with_line_ends(raw)
    if octets is not raw:
        refuse_lone_cr(raw)
    size = header_size(octets)
    header = octets[:size]
    if b"bcc" in header.lower():
        octets = without_blind(header) + octets[size:]
    strays = octets is not raw and b"binary" in raw.lower()
    if not strays and is_plain(octets):
        return Material(header, Octets(octets))
    return _rare(raw, octets, header, terms)


def _rare(raw: bytes, octets: bytes, header: bytes, terms: Terms) -> Material:
    """Take a message that is not all short lines of ASCII."""
    sent = octets[: header_size(octets)]
    utf8 = not sent.isascii() and terms.utf8_header and is_utf8(sent)
    faulty = b"\0" in octets or has_long_line(octets) or b"binary" in octets.lower()
    if not faulty and (terms.eight_bit or octets.isascii()) and (utf8 or sent.isascii()):
        return Material(header, Octets(octets), b"" if octets.isascii() else b" BODY=8BITMIME", utf8=utf8)
    return _converted(raw, header, terms, utf8=utf8)


def _converted(raw: bytes, header: bytes, terms: Terms, *, utf8: bool) -> Material:
    # Imported where it is needed: most messages do without.
    from ninsho.mail.conversion import Allowed, convert  # noqa: PLC0415

    converted = convert(raw, Allowed(eight_bit=terms.eight_bit, binary=terms.binary, utf8=utf8))
    # What is binary has no last line to be ended (RFC 3030 §3).
    octets = converted.octets if converted.binary else with_line_ends(converted.octets)
    size = header_size(octets)
    sent = without_blind(octets[:size])
    octets = sent + octets[size:]
    utf8 = utf8 and not sent.isascii()
    if converted.binary:
        return Material(header, BinaryOctets(octets), b" BODY=BINARYMIME", utf8=utf8)
    return Material(header, Octets(octets), b"" if octets.isascii() else b" BODY=8BITMIME", utf8=utf8)


def is_utf8(header: bytes) -> bool:
    """Tell whether SMTPUTF8 may carry *header* (RFC 6532 §3)."""
    try:
        header.decode()
    except UnicodeDecodeError:
        return False
    return True
