"""The part of a message that is signed or encrypted, and the header that stays outside (RFC 8551 §3.1, RFC 1847)."""

import re
from collections.abc import Callable, Iterable
from secrets import token_hex
from typing import NamedTuple, Self

from ninsho.mail.entity import with_mime
from ninsho.mail.headers import SIGNATURES, fields, header_size
from ninsho.mail.signing.canonical import canonical
from ninsho.mail.signing.robust import robust
from ninsho.mail.unsendable import Unsendable

_CONTENT = re.compile(rb"^content-[!-9;-~]*[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_CONTENT_TYPE = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_PLAIN = b"Content-Type: text/plain; charset=us-ascii\r\n"  # RFC 2045 §5.2


class Inner(NamedTuple):
    """A message cut in two: all header fields that are not Content-*, in their order, and the entity they were of."""

    outside: bytes
    entity: bytes

    @classmethod
    def of(cls, octets: bytes) -> Self:
        """Cut a message, made fit for being signed; raise ``Unsendable`` where DKIM covers it already."""
        octets = canonical(octets)
        size = header_size(octets)
        header = octets[:size]
        _refuse_sealed(header)
        described = b"".join(_CONTENT.findall(header))
        if not _CONTENT_TYPE.search(described):
            described = _PLAIN + described
        outside = with_mime(_CONTENT.sub(b"", header), b"", described=True)
        return cls(outside, robust(described + b"\r\n" + octets[size + 2 :]))

    def within(self, *lines: str, body: bytes) -> bytes:
        """Return the whole message with another content, which *lines* of its header describe."""
        return self.outside + part(*lines, body=body)


def part(*lines: str, body: bytes) -> bytes:
    """Return an entity: the *lines* of its header, and its body."""
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def boundary_for(parts: Iterable[bytes], *, token: Callable[[int], str] = token_hex) -> str:
    """Return a boundary that stands in none of *parts*."""
    whole = b"\r\n".join(parts)
    boundary = f"=_{token(16)}"
    return boundary if boundary.encode() not in whole else boundary_for((whole,), token=token)


def multipart(parts: Iterable[bytes], boundary: str) -> bytes:
    """Return the body of a multipart entity: each of *parts* stands in it octet for octet (RFC 2046 §5.1.1)."""
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + octets + b"\r\n" for octets in parts) + mark + b"--\r\n"


def _refuse_sealed(header: bytes) -> None:
    for field in fields(header):
        if field.name in SIGNATURES:
            raise Unsendable(
                f"expected a message without {field.name}, which covers what is written anew: DKIM comes last"
            )
