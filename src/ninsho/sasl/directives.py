"""Lists of ``name=value`` (RFC 2831 §7.1), of which the messages of DIGEST-MD5 are made."""

import re
from collections.abc import Container, Iterable
from typing import TypeAlias

from ninsho.errors import MalformedMessage

Directive: TypeAlias = tuple[str, bytes]

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_SPACE = rb"(?:(?:\r\n)?[ \t])*+"
# RFC 2831 §7.1: any octets but control characters; a backslash lets any of ASCII stand for itself.
_QUOTED = rb'"((?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[\x01-\x7f])*+)"'
# RFC 2831 §7.1, "#rule": between two commas there may be nothing.
_ELEMENT = re.compile(
    rb"%b(?:(%b)%b=%b(?:(%b)|%b)%b)?(?:,|\Z)" % (_SPACE, _TOKEN, _SPACE, _SPACE, _TOKEN, _QUOTED, _SPACE)
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL = re.compile(rb'["\\]')


def parse(message: bytes) -> list[Directive]:
    """Read *message* into names, in small letters, and values without their quotes; raise ``MalformedMessage``."""
    directives, place = [], 0
    while place < len(message):
        if not (found := _ELEMENT.match(message, place)):
            raise MalformedMessage(f"expected name=value at octet {place + 1}")
        name, token, quoted = found.groups()
        if name is not None:
            directives.append((name.decode().lower(), _ESCAPED.sub(rb"\1", quoted) if token is None else token))
        place = found.end()
    return directives


def single(directives: Iterable[Directive], known: Container[str]) -> dict[str, bytes]:
    """Return those whose names are *known*; raise ``MalformedMessage`` where one of them comes twice."""
    found: dict[str, bytes] = {}
    for name, value in directives:
        if name in found:
            raise MalformedMessage(f"expected {name} once, got it twice")
        if name in known:
            found[name] = value
    return found


def quote(value: bytes) -> bytes:
    """Write *value* as a quoted string."""
    return b'"' + _SPECIAL.sub(rb"\\\g<0>", value) + b'"'
