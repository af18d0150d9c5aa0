"""Structured values: what a Content-Type or Content-Disposition says, with its parameters (RFC 2045 §5.1, RFC 2231)."""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from ninsho.mail.charsets.detection import decoded
from ninsho.mail.reading.words import one_line, words_decoded

# Each character is looked at once; without its closing quote a string has the rest.
_PARAMETER: Final = re.compile(
    r""";\s*+ (?P<name> [^\s;="]++ ) \s*+ = \s*+ (?: "(?P<quoted> (?:[^"\\]|\\.)*+ ) "? | (?P<token> [^;"]*+ ) )
    | " (?:[^"\\]|\\.)*+ (?: " | \\?+\Z )""",
    re.VERBOSE | re.DOTALL,
)
# Others stand for themselves: C:\list.txt.
_ESCAPED: Final = re.compile(r'\\(["\\])')


class Structured(NamedTuple):
    """A value in lower case, and its parameters, decoded."""

    value: str
    parameters: dict[str, str]

    def get(self, name: str) -> str:
        """Return a parameter; empty where there is none."""
        return self.parameters.get(name, "")


class _Segment(NamedTuple):
    number: int
    extended: bool
    text: str


def structured(text: str) -> Structured:
    """Read *text*, whose encoded words stand as they came; the first of a name counts, RFC 2231's before others."""
    plain: dict[str, str] = {}
    segments: dict[str, list[_Segment]] = {}
    for found in _PARAMETER.finditer(text):
        if not found["name"]:
            continue
        value = found["token"].strip() if found["quoted"] is None else _ESCAPED.sub(r"\1", found["quoted"])
        name, number, extended = _name(found["name"].lower())
        if number is None:
            plain.setdefault(name, value)
        else:
            segments.setdefault(name, []).append(_Segment(number, extended, value))
    parameters = {name: words_decoded(value) for name, value in plain.items()}
    parameters |= {name: one_line(_joined(of_name)) for name, of_name in segments.items()}
    return Structured(text.partition(";")[0].strip().lower(), parameters)


def _name(name: str) -> tuple[str, int | None, bool]:
    """Take ``name*0*`` apart; a number is None for one that RFC 2231 has no part in."""
    base = name.removesuffix("*")
    extended = base != name
    stem, star, number = base.rpartition("*")
    if star and number.isascii() and number.isdecimal() and len(number) < 10:
        return stem, int(number), extended
    return base, 0 if extended else None, extended


def _joined(segments: list[_Segment]) -> str:
    """RFC 2231 §4.1: the first says the charset, if any is encoded at all."""
    segments = sorted(segments, key=lambda segment: segment.number)
    if not any(segment.extended for segment in segments):
        return words_decoded("".join(segment.text for segment in segments))
    charset, first = "", segments[0].text
    if segments[0].extended and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
    texts = [first, *(segment.text for segment in segments[1:])]
    octets = b"".join(
        unquote_to_bytes(text) if segment.extended else text.encode()
        for segment, text in zip(segments, texts, strict=True)
    )
    return decoded(octets, declared=charset or None)
