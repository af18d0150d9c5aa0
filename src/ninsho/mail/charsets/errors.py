"""What becomes of octets that stand for no character."""

from typing import Literal, TypeAlias

Errors: TypeAlias = Literal["strict", "replace"]


def unread(codec: str, octets: bytes, span: tuple[int, int], errors: Errors) -> str:
    """Return what stands for octets that mean nothing; raise ``UnicodeDecodeError`` if *errors* is strict."""
    if errors == "strict":
        raise UnicodeDecodeError(codec, octets, *span, "these octets stand for no character")
    return "\N{REPLACEMENT CHARACTER}"
