"""Bodies in lines that every server takes: the transfer encoding that fits, and the payload in it."""

from typing import Literal, TypeAlias, get_args

from ninsho.mail.content import has_long_line
from ninsho.mail.entity import encoded
from ninsho.mail.unsendable import Unsendable

Encoding: TypeAlias = Literal["auto", "7bit", "8bit", "quoted-printable", "base64"]


def transfer_encoded(octets: bytes, encoding: Encoding, *, seven_bit: bool, place: str) -> tuple[bytes, str]:
    """Return text (with CRLF) in a transfer encoding, and its name; ``auto`` takes what reads best where it is short.

    *seven_bit* says that the charset makes ASCII of all characters, in which quoted-printable would only hide them.
    Raises ``Unsendable`` where the text does not fit the encoding that was asked for.
    """
    match encoding:
        case "auto":
            return _fitting(octets, seven_bit=seven_bit)
        case "7bit" | "8bit":
            _refuse_unfit(octets, encoding, place)
            return octets, encoding
        case "base64" | "quoted-printable":
            return encoded(octets, text=encoding == "quoted-printable", always=True)
        case _:
            raise Unsendable(f"encoding: expected one of {', '.join(get_args(Encoding))}, got {encoding!r}")


def _fitting(octets: bytes, *, seven_bit: bool) -> tuple[bytes, str]:
    fits = octets.isascii() and b"\0" not in octets and not has_long_line(octets)
    # What mailboxes would change, and what may lose its spaces on the way: RFC 2049 §3.
    fragile = b"\nFrom " in octets or octets.startswith(b"From ") or b" \r\n" in octets or b"\t\r\n" in octets
    if fits and (seven_bit or not fragile):
        return octets, "7bit"
    return encoded(octets, text=not seven_bit)


def _refuse_unfit(octets: bytes, encoding: str, place: str) -> None:
    if encoding == "7bit" and not octets.isascii():
        raise Unsendable(f"{place}: expected text of seven bits for the encoding 7bit, got some of eight")
    if b"\0" in octets or has_long_line(octets):
        raise Unsendable(f"{place}: expected lines of at most 998 octets for the encoding {encoding}, got longer ones")
