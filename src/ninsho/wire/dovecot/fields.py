"""The fields of a line: tab-escaping, request ids, parameters and base64."""

import binascii
import re
from collections.abc import Mapping, Sequence

from ninsho.errors import ProtocolError

LINE_LIMIT = 16_384  # Dovecot's AUTH_CLIENT_MAX_LINE_LENGTH
MAJOR = 1

_ESCAPED = {"\0": "\x010", "\x01": "\x011", "\t": "\x01t", "\r": "\x01r", "\n": "\x01n"}
_UNESCAPED = {escaped[1:]: raw for raw, escaped in _ESCAPED.items()}
# The digits whose bits behind the last octet are zero, by the number of padding characters behind them.
_LAST = {1: "AEIMQUYcgkosw048", 2: "AQgw"}
_SPECIAL = re.compile("[\x00\x01\t\r\n]")
# An escape at the end of a field is dropped, any other character stands for itself.
_ESCAPE = re.compile("\x01(.?)", re.DOTALL)


class MalformedBase64(ProtocolError):
    """The data of a request are not base64; the end user can cause this."""


def split(line: bytes) -> list[str]:
    """Cut a line into its fields and unescape them; octets that are not UTF-8 become backslash escapes."""
    fields = line.decode("utf-8", "backslashreplace").split("\t")
    return [unescape(field) for field in fields] if b"\x01" in line else fields


def escape(field: str) -> str:
    """Make *field* fit between two tabs. Postfix and Exim do not understand escapes: avoid the need towards them."""
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], field)


def unescape(field: str) -> str:
    """Undo ``escape``."""
    return _ESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), field)


def number(digits: str, what: str) -> int:
    """Read a decimal number of 32 bits, at least 1; raise ``ProtocolError`` that names *what* was expected."""
    try:
        value = int(digits)
    except ValueError:
        value = 0
    # int() alone would take "+1", " 1", "1_0" and the digits of other scripts.
    if 0 < value <= 0xFFFF_FFFF and str(value) == digits:
        return value
    raise ProtocolError(f"expected {what} from 1 to 4294967295, got {digits[:32]!r}")


def parameters(fields: Sequence[str]) -> dict[str, str]:
    """Read ``name=value`` and bare ``name`` fields."""
    found = {}
    for field in fields:
        name, _, value = field.partition("=")
        found[name] = value
    return found


def encode_parameters(items: Mapping[str, str]) -> bytes:
    """Write parameters, each behind a tab; one with an empty value as its bare name."""
    return "".join("\t" + escape(f"{name}={value}" if value else name) for name, value in items.items()).encode()


def encode_base64(data: bytes) -> bytes:
    """Write SASL data."""
    return binascii.b2a_base64(data, newline=False)


def decode_base64(text: str) -> bytes:
    """Read SASL data: the standard alphabet, padded, nothing else (RFC 4648 §3 and §4)."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise MalformedBase64("invalid base64 data") from None
    # Python takes excess padding ("AAAA=") and stray bits ("AB=="): there is one way to write some octets.
    if text.endswith("=") and (len(text) % 4 or text[text.index("=") - 1] not in _LAST.get(text.count("="), "")):
        raise MalformedBase64("invalid base64 data")
    return data
