"""Base64 without padding, and with ``.`` for ``+``, as hashes are often written."""

from binascii import a2b_base64, b2a_base64


def decoded(text: str) -> bytes:
    """Read either alphabet; raise ``ValueError``."""
    text = text.replace(".", "+")
    return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)


def encoded(octets: bytes) -> str:
    """Write with ``.`` for ``+``."""
    return b2a_base64(octets, newline=False).decode().rstrip("=").replace("+", ".")
