"""Bodies in lines that every server takes: the transfer encoding that fits, and the payload in it."""

from typing import Literal, TypeAlias, get_args

from ninsho.mail.charsets.charset import Charset
from ninsho.mail.content import has_long_line, is_plain
from ninsho.mail.entity import encoded
from ninsho.mail.unsendable import Unsendable

Encoding: TypeAlias = Literal["auto", "7bit", "8bit", "quoted-printable", "base64"]


def transfer_encoded(octets: bytes, encoding: Encoding, *, charset: Charset, place: str) -> tuple[bytes, str]:
    """Return text (with CRLF) in a transfer encoding, and its name; ``auto`` takes what reads best where it is short.

    Where the *charset* makes ASCII of all characters, quoted-printable would only hide them. Raises ``Unsendable``
    where the text does not fit the encoding that was asked for.
    """
    if not charset.ascii_compatible:
        return _opaque(octets, encoding, charset, place)
    match encoding:
        case "auto":
            return _fitting(octets, seven_bit=charset.stateful)
        case "7bit" | "8bit":
            _refuse_unfit(octets, encoding, place)
            return octets, encoding
        case "base64" | "quoted-printable":
            return encoded(octets, text=encoding == "quoted-printable", always=True)
        case _:
            raise _unknown(encoding)


def _opaque(octets: bytes, encoding: Encoding, charset: Charset, place: str) -> tuple[bytes, str]:
    """Return text whose line ends are none to others (RFC 2781 §3.3)."""
    if encoding not in get_args(Encoding):
        raise _unknown(encoding)
    if encoding not in ("auto", "base64"):
        raise Unsendable(f"encoding: expected base64 for a {place} in {charset}, got {encoding}")
    return encoded(octets, text=False)


def _unknown(encoding: str) -> Unsendable:
    return Unsendable(f"encoding: expected one of {', '.join(get_args(Encoding))}, got {encoding!r}")


def _fitting(octets: bytes, *, seven_bit: bool) -> tuple[bytes, str]:
    # What mailboxes would change, and what may lose its spaces on the way: RFC 2049 §3.
    fragile = b"\nFrom " in octets or octets.startswith(b"From ") or b" \r\n" in octets or b"\t\r\n" in octets
    if is_plain(octets) and (seven_bit or not fragile):
        return octets, "7bit"
    return encoded(octets, text=not seven_bit)


def _refuse_unfit(octets: bytes, encoding: str, place: str) -> None:
    if encoding == "7bit" and not octets.isascii():
        raise Unsendable(f"{place}: expected text of seven bits for the encoding 7bit, got some of eight")
    if b"\0" in octets:
        raise Unsendable(f"{place}: expected text without NUL for the encoding {encoding}, got some with it")
    if has_long_line(octets):
        raise Unsendable(f"{place}: expected lines of at most 998 octets for the encoding {encoding}, got longer ones")
