"""Parameters of MIME fields: names of files that every reader understands (RFC 2231, and RFC 2047 beside it)."""

import re
from collections.abc import Iterator

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.encoding import encodable
from ninsho.mail.encoded_words import encoded_words

_ROOM = 74  # octets of a parameter on a line of its own, with its semicolon and the space in front

# RFC 2045 §5.1, but what RFC 2231 has a use for: some readers stop there.
_TOKEN = re.compile(r"[!#$&+.0-9A-Z^_`a-z{|}~-]+")
_SPECIAL = re.compile(r'(["\\])')
# RFC 2231 §7: what may stand for itself in an extended value.
_ATTRIBUTE_CHAR = frozenset(b"!#$&+-.^_`{|}~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_EXTENDED = [chr(octet) if octet in _ATTRIBUTE_CHAR else f"%{octet:02X}" for octet in range(256)]


def parameter(name: str, value: str) -> str:
    """Write a parameter of ASCII, quoted where it must be."""
    return f"{name}={value}" if _TOKEN.fullmatch(value) else f'{name}="{_SPECIAL.sub(_escaped, value)}"'


def _escaped(found: "re.Match[str]") -> str:
    return f"\\{found[0]}"


def extended(name: str, value: str, charset: Charset) -> Iterator[str]:
    """Write a parameter of any text as RFC 2231 has it, in as many sections as it takes."""
    if value.isascii() and len(value) < _ROOM - len(name):
        yield parameter(name, value)
        return
    # RFC 2231 §4: the octets of all sections are one text, but some readers decode each; shifts would be lost on many.
    # And some charsets have two characters in one, which a section may end between.
    charset = charset if not charset.stateful and all(encodable(character, charset) for character in value) else UTF_8
    characters = ["".join(_EXTENDED[octet] for octet in charset.encode(character)) for character in value]
    begin = f"{charset.label}''"
    if len(name) + 2 + len(begin) + sum(map(len, characters)) <= _ROOM:
        yield f"{name}*={begin}{''.join(characters)}"
        return
    section, number = begin, 0
    for character in characters:
        if len(f"{name}*{number}*={section}{character}") > _ROOM:
            yield f"{name}*{number}*={section}"
            section, number = "", number + 1
        section += character
    yield f"{name}*{number}*={section}"


def worded(name: str, value: str, charset: Charset) -> str:
    """Write a parameter as encoded words in quotes: many readers know nothing else.

    RFC 2047 §5 forbids it: so it stands beside what RFC 2231 wants.
    """
    if value.isascii():
        return parameter(name, value)
    words = encoded_words(value, charset, first=_ROOM - len(name) - 3, room=_ROOM)
    return f'{name}="{" ".join(words)}"'
