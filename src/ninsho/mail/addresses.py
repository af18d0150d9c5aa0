"""Addresses: read from headers and arguments (RFC 5322 §3.4), written as paths (RFC 5321 §4.1.2).

What does not read as an address for certain is refused: a parser that guesses sends to strangers. Each character is
looked at once, so no address list, however nested, takes more time than its length deserves.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ninsho import domains
from ninsho.mail.unsendable import Unsendable, excerpt

PATH_LIMIT = 256  # octets with its brackets (RFC 5321 §4.5.3.1.3)

# The common address. Dots stand where they like in the local part: docomo gave such addresses out.
plain = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]++@[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+", re.ASCII).fullmatch

_TOKEN = re.compile(
    r"""(?P<space> [ \t]++ )
    | (?P<quoted> "(?: [^"\\] | \\. )*+" )
    | (?P<literal> \[ [!-Z^-~]++ \] )
    | (?P<atom> [^\x00-\x20\x7f"(),.:;<>@\[\\\]]++ )
    | (?P<special> [(),.:;<>@] )""",
    re.VERBOSE,
)
_COMMENT_END = re.compile(r"[^()\\]*+(?: \\. [^()\\]*+ )*+ ([()])", re.VERBOSE)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DOMAIN = re.compile(r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+|\[[!-Z^-~]++\]")


class Token(NamedTuple):
    """A piece of an address list: *kind* is space, comment, quoted, literal, atom or special."""

    kind: str
    text: str


_GAPS = ("space", "comment")
_GAP = Token("space", " ")
_AT = Token("special", "@")
_COLON = Token("special", ":")


def mailboxes(value: str, place: str) -> list[str]:
    """Return the addr-spec of each mailbox in an unfolded address list, without names, groups and comments."""
    try:
        _refuse_controls(value)
        return list(_specs(tokens(value)))
    except ValueError as fault:
        raise Unsendable(f"{place}: expected addresses, got {excerpt(value)}: {fault}") from None


def single(value: str, place: str) -> str:
    """Return the one addr-spec of *value*, which may have a display name."""
    if plain(value):
        return value
    found = mailboxes(value, place)
    if len(found) != 1:
        raise Unsendable(f"{place}: expected one address, got {excerpt(value)}")
    return found[0]


def read(value: str, place: str) -> tuple[str, bytes]:
    """Return the one addr-spec of *value*, and its path."""
    # All the common ones are done with here: 0.4 µs.
    if len(value) <= PATH_LIMIT - 2 and plain(value):
        return value, value.encode()
    address = single(value, place)
    return address, path(address)


def path(address: str) -> bytes:
    """Write an addr-spec as it stands between the brackets; ASCII unless its local part needs SMTPUTF8 (RFC 6531)."""
    return _limited(address.encode() if plain(address) else _rare_path(address))


def _limited(octets: bytes) -> bytes:
    if len(octets) > PATH_LIMIT - 2:
        raise Unsendable(f"{excerpt(octets.decode())}: expected at most {PATH_LIMIT - 2} octets, got {len(octets)}")
    return octets


def quoted(octets: bytes) -> bytes:
    """Write a path whose dots stand where a dot-string has none with its local part in quotes (RFC 5321 §4.1.2)."""
    local, at, domain = octets.rpartition(b"@")
    if b".." not in local and not local.startswith(b".") and not local.endswith(b"."):
        return octets
    # What has quotes already may hold any dots.
    return octets if local.startswith(b'"') else _limited(b'"%b"%b%b' % (local, at, domain))


def same(octets: bytes) -> bytes:
    """Return what two paths share that are the same: a domain has no case, a local part may, its quotes say nothing."""
    local, at, domain = octets.rpartition(b"@")
    if local.startswith(b'"'):
        local = _ESCAPED.sub(rb"\1", local[1:-1])
    return local + at + domain.lower()


def _rare_path(address: str) -> bytes:
    local, at, domain = address.rpartition("@")
    if not at:
        return address.encode()
    # Where SMTPUTF8 is needed anyway, the domain may stay as it is (RFC 6531 §3.3).
    if not local.isascii():
        return address.encode()
    return f"{local}@{a_labels(domain)}".encode()


def unquoted(word: str) -> str:
    """Return a word without its quotes, where it has any (RFC 5322 §3.2.4)."""
    return _QUOTED_PAIR.sub(r"\1", word[1:-1]) if word.startswith('"') else word


def a_labels(domain: str) -> str:
    """Write a domain as DNS has it (RFC 5890): labels that are not ASCII become A-labels."""
    try:
        domain = domains.a_labels(domain)
    except ValueError as fault:
        raise Unsendable(f"expected a domain, got {excerpt(domain)}: {fault}") from None
    # Checked after the mapping, which makes slashes and at signs out of look-alikes.
    if not _DOMAIN.fullmatch(domain):
        raise Unsendable(f"expected a domain, got {excerpt(domain)}")
    return domain


def _refuse_controls(value: str) -> None:
    if found := _CONTROL.search(value):
        raise ValueError(f"control character {found[0]!a} at {found.start() + 1}")


def tokens(value: str) -> Iterator[Token]:
    """Cut an unfolded address list, and lose nothing of it; raise ``ValueError`` where it cannot be cut."""
    at = 0
    while at < len(value):
        found = _TOKEN.match(value, at)
        if not found:
            raise ValueError(f"{value[at]!a} at {at + 1} does not belong there")
        kind, end = found.lastgroup or "", found.end()
        if found[0] == "(":
            kind, end = "comment", _behind_comment(value, end)
        yield Token(kind, value[at:end])
        at = end


def _behind_comment(value: str, at: int) -> int:
    depth = 1
    while depth:
        found = _COMMENT_END.match(value, at)
        if not found:
            raise ValueError("a comment has no end")
        depth += 1 if found[1] == "(" else -1
        at = found.end()
    return at


def _specs(words: Iterable[Token]) -> Iterator[str]:
    """Read mailboxes and groups (RFC 5322 §3.4): an addr-spec is what the angle brackets hold, else all there is."""
    reading = _Mailbox()
    in_group = False
    for kind, text in words:
        match text if kind == "special" else "":
            case "," | ";" if not reading.inside:
                yield from reading.finished()
                in_group = in_group and text == ","
                reading = _Mailbox()
            case ":" if not (reading.inside or reading.closed or in_group) and reading.words:
                in_group = True
                reading = _Mailbox()
            case "<":
                reading.opens()
            case ">":
                reading.closes()
            case _:
                reading.takes(kind, text)
    yield from reading.finished()


class _Mailbox:
    """One mailbox while it is read."""

    def __init__(self) -> None:
        self.words: list[Token] = []
        self._gap = False
        self.inside = False
        self.closed = False

    def opens(self) -> None:
        if self.inside or self.closed:
            raise ValueError("a second '<'")
        self.words = []
        self._gap = False
        self.inside = True

    def closes(self) -> None:
        if not self.inside:
            raise ValueError("'>' without '<'")
        self.inside = False
        self.closed = True

    def takes(self, kind: str, text: str) -> None:
        if kind in _GAPS:
            # In front of the first word, and behind the last, it says nothing.
            self._gap = bool(self.words)
            return
        if self.closed:
            raise ValueError(f"{text!a} behind '>'")
        if self._gap:
            self.words.append(_GAP)
            self._gap = False
        self.words.append(Token(kind, text))

    def finished(self) -> Iterator[str]:
        if self.inside:
            raise ValueError("'<' without '>'")
        if self.words or self.closed:
            yield _spec(self.words)


def _spec(words: list[Token]) -> str:
    """Put an addr-spec together; a source route in front of it falls away (RFC 5321 appendix C)."""
    if words and words[0] == _AT:
        words = words[_route_end(words) :]
    at = words.index(_AT) if _AT in words else None
    local = _local_part(words if at is None else words[:at])
    if at is None:
        # An encoded word (RFC 2047) stands for a name.
        if local.startswith("=?") and local.endswith("?="):
            raise ValueError(f"{local!a} is no address")
        return _visible(local)
    return _visible(f"{local}@{_domain(words[at + 1 :])}")


def _visible(spec: str) -> str:
    # A display name may hold ideographic spaces and the like, an address may not.
    if not spec.isprintable():
        raise ValueError("an address with invisible characters")
    return spec


def _route_end(words: list[Token]) -> int:
    if _COLON not in words:
        raise ValueError("no local part")
    return words.index(_COLON) + 1


def _local_part(given: list[Token]) -> str:
    words = _without_gaps(given)
    if len(words) == 1 and words[0][0] == "quoted":
        return words[0][1]
    local = _dotted(words, "local part")
    # What reads as one address and may be meant as two is not guessed at.
    if _GAP in given[1:-1] and not all(local.split(".")):
        raise ValueError("a space or a comment beside dots where a local part has none")
    return local


def _without_gaps(words: list[Token]) -> list[Token]:
    return [word for word in words if word is not _GAP] if _GAP in words else words


def _domain(given: list[Token]) -> str:
    words = _without_gaps(given)
    if len(words) == 1 and words[0][0] == "literal":
        return words[0][1]
    return _dotted(words, "domain")


def _dotted(words: list[Token], what: str) -> str:
    """Join atoms and dots; two atoms side by side had a space or a comment between them."""
    previous = ""
    for kind, text in words:
        if not (kind == "atom" or text == ".") or (kind == previous == "atom"):
            raise ValueError(f"{text!a} does not belong into a {what}")
        previous = kind
    if not previous:
        raise ValueError(f"no {what}")
    return "".join(text for _, text in words)
