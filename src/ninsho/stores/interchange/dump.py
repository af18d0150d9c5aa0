"""The records of a database of keys and values, as db_dump, mdb_dump and gdbm_dump print them."""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn, TypeAlias

from ninsho.stores.entries import MalformedList
from ninsho.stores.interchange.numbered import numbered_lines

# Raises ``ValueError``.
Decoder: TypeAlias = Callable[[str], bytes]

_ESCAPED = re.compile(rb"\\(\\|[0-9A-Fa-f]{2}|)")
_UNPRINTED = re.compile(rb"[^ -\[\]-~]")
_LENGTH = re.compile(r"#:len=([0-9]{1,9})")


class Dumped(NamedTuple):
    """A key and its value, and the line on which the key stands."""

    line: int
    key: bytes
    value: bytes


def records(lines: Iterable[str]) -> Iterator[Dumped]:
    """Yield the records of a dump; raise ``MalformedList`` where it is none, or not whole."""
    numbered = numbered_lines(lines)
    number, first = next(numbered, (1, ""))
    if first.startswith("VERSION="):
        items = _berkeley_items(numbered)
    elif first.startswith("#"):
        items = _gdbm_items(numbered)
    else:
        _refuse(number, "expected what db_dump or gdbm_dump prints, which begins with VERSION=3 or with #")
    for number, key in items:
        if (value := next(items, None)) is None:
            _refuse(number, "expected a value for each key, got none for the last one")
        yield Dumped(number, key, value[1])


def printed(octets: bytes) -> str:
    """Return *octets* as a line of db_dump -p, which db_load takes, and mdb_load."""
    # A backslash doubled is what db_dump prints, in hex what mdb_load reads as well.
    return " " + _UNPRINTED.sub(lambda found: b"\\%02x" % ord(found[0]), octets).decode() + "\n"


def _berkeley_items(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, bytes]]:
    """Yield keys and values in turn, from behind the line with the version."""
    number, decode = _decoder(numbered)
    for number, line in numbered:
        if line == "DATA=END":
            return
        yield number, _decoded(decode, line, number)
    _refuse(number, "expected DATA=END, got the end: the dump is not whole")


def _decoder(numbered: Iterator[tuple[int, str]]) -> tuple[int, Decoder]:
    """Read the rest of the header; return the line where it ends, and what reads the lines behind it."""
    number, header = _header(numbered)
    form = header.get("format", "bytevalue")
    if form not in _DECODERS:
        raise MalformedList([(number, "expected format=print or format=bytevalue")])
    if form == "print" and "mapsize" in header:
        # It prints a backslash as it is, and one in front of what it escapes: nobody can tell them apart.
        raise MalformedList([(number, "expected mdb_dump without -p, which alone can be read back")])
    return number, _DECODERS[form]


def _header(numbered: Iterator[tuple[int, str]]) -> tuple[int, dict[str, str]]:
    header, number = dict[str, str](), 1
    for number, line in numbered:  # noqa: B007 - where it ends is told
        name, _, value = line.partition("=")
        if name == "HEADER":
            break
        header[name] = value
    return number, header


def _gdbm_items(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, bytes]]:
    """Yield keys and values in turn, each from behind the line with its length."""
    place, length, text = 1, -1, ""
    for number, line in numbered:
        if not line.startswith("#"):
            text += line
            continue
        if length >= 0 or text:
            octets = _decoded(_from_base64, text, place)
            if len(octets) != length:
                _refuse(place, f"expected the length of what follows, {len(octets)}, got another")
            yield place, octets
        if line.startswith("#:count="):
            return
        found = _LENGTH.fullmatch(line)
        place, length, text = number, int(found[1]) if found else -1, ""
    _refuse(place, "expected #:count= behind this, got the end: the dump is not whole")


def _decoded(decode: Decoder, text: str, number: int) -> bytes:
    try:
        return decode(text)
    except ValueError:
        problem = f"expected {_EXPECTED[decode]}"
    # Raised out here, as the error above may hold the text.
    raise MalformedList([(number, problem)])


def _from_print(line: str) -> bytes:
    return _ESCAPED.sub(_unescaped, _behind_blank(line).encode(errors="surrogateescape"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    return found[1] if found[1] == b"\\" else bytes([int(found[1], 16)])


def _from_hexadecimal(line: str) -> bytes:
    return binascii.a2b_hex(_behind_blank(line))


def _from_base64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _behind_blank(line: str) -> str:
    if not line.startswith(" "):
        raise ValueError
    return line[1:]


def _refuse(number: int, problem: str) -> NoReturn:
    raise MalformedList([(number, problem)])


_DECODERS: dict[str, Decoder] = {"print": _from_print, "bytevalue": _from_hexadecimal}
_EXPECTED: dict[Decoder, str] = {
    _from_print: "a blank and then text, in which a backslash stands before two hexadecimal digits or another",
    _from_hexadecimal: "a blank and then hexadecimal digits",
    _from_base64: "base64",
}
