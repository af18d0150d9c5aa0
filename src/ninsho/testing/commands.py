"""A client's command lines, read strictly (RFC 5321 §4.1.2): verbs, paths, parameters.

But in addresses there is what the world has and the RFC has not, and no client can help it: dots anywhere (DoCoMo gave
such addresses out), underscores in domains, and local parts of more than 64 octets.
"""

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from ninsho.errors import ProtocolError
from ninsho.mail.addresses import PATH_LIMIT

LINE_LIMIT = 512  # octets with CRLF (RFC 5321 §4.5.3.1.4)
# RFC 1870 §3 adds 26, RFC 6152 §2 17, RFC 6531 §3.1 10, RFC 4954 §3 500, RFC 3461 §3 100; the other extensions less.
MAIL_LIMIT = LINE_LIMIT + 26 + 17 + 10 + 500 + 100 + 80
RCPT_LIMIT = LINE_LIMIT + 500  # RFC 3461 §3
RESPONSE_LIMIT = 12_288  # RFC 4954 §4

# RFC 6531 §3.3 lets each hold what is not ASCII.
_LOCAL = r'[A-Za-z0-9!#$%&\'*+/=?^_`{|}~.\-\u0080-\U0010ffff]+|"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"'
_LETTER = r"[A-Za-z0-9\u0080-\U0010ffff]"
_LABEL = rf"{_LETTER}(?:(?:{_LETTER}|-)*{_LETTER})?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_WORLDLY = _DOMAIN.replace("A-Z", "_A-Z")
_LITERAL = r"\[[!-Z^-~]+\]"
_ROUTE = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
_ARGUMENT = re.compile(
    rf"(?P<word>FROM|TO):<(?:{_ROUTE}(?P<address>(?P<local>{_LOCAL})@(?P<domain>{_WORLDLY}|{_LITERAL}))"
    rf"|(?P<postmaster>postmaster))?>(?: (?P<parameters>.*))?",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\U0010ffff]+))?")
_HELLO = re.compile(rf"{_DOMAIN}|{_LITERAL}")
# RFC 3461 §4: "+" begins a hexadecimal pair.
XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+"


class BadCommand(ProtocolError):
    """A command that the grammar does not have; ``code`` and the text are the reply."""

    def __init__(self, text: str, *, code: int = 501, enhanced: str = "5.5.4") -> None:
        self.code = code
        self.reply = f"{enhanced} {text}"
        super().__init__(text)


class Command(NamedTuple):
    """A verb in capitals, and all that stands behind it and one space."""

    verb: str
    argument: str

    @classmethod
    def parse(cls, line: bytes) -> "Command":
        """Read a *line* without its end; raise ``BadCommand``."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise BadCommand("expected UTF-8", code=500, enhanced="5.5.2") from None
        # RFC 5321 §4.1.1: receivers should tolerate white space at the end.
        text = text.rstrip(" \t")
        if any(character < " " or character == "\x7f" for character in text):
            raise BadCommand("expected no control characters", code=500, enhanced="5.5.2")
        verb, _, argument = text.partition(" ")
        return cls(verb.upper(), argument)


class Envelope(NamedTuple):
    """What MAIL or RCPT says: an address (empty: the null sender), and parameters by their keywords in capitals."""

    address: str
    parameters: Mapping[str, str]


def read_path(verb: str, argument: str) -> Envelope:
    """Read what stands behind MAIL or RCPT; raise ``BadCommand``."""
    word = "FROM" if verb == "MAIL" else "TO"
    match = _ARGUMENT.fullmatch(argument)
    if match is None or match["word"].upper() != word:
        raise BadCommand(f"expected {verb} {word}:<address> and parameters")
    address = match["address"] or match["postmaster"] or ""
    # RFC 5321 §4.1.1.3: only RCPT knows the postmaster without a domain, and only MAIL nobody.
    if (verb == "RCPT" and not address) or (verb == "MAIL" and match["postmaster"]):
        raise BadCommand(f"expected an address in {verb}", enhanced="5.1.3" if verb == "RCPT" else "5.1.7")
    if len(address.encode()) > PATH_LIMIT - 2:
        raise BadCommand(f"expected at most {PATH_LIMIT} octets with the brackets")
    _check_literal(match["domain"] or "")
    return Envelope(address, _parameters(match["parameters"]))


def read_hello(argument: str) -> str:
    """Read the name behind EHLO; raise ``BadCommand``."""
    if not _HELLO.fullmatch(argument):
        raise BadCommand("expected a domain or an address literal")
    _check_literal(argument)
    return argument


def read_chunk(argument: str) -> tuple[int, bool]:
    """Read the size behind BDAT, and whether it is the last (RFC 3030 §2); raise ``BadCommand``."""
    match = re.fullmatch(r"([0-9]{1,20})( LAST)?", argument, re.IGNORECASE)
    if match is None:
        raise BadCommand("expected BDAT, a size, and LAST or nothing")
    return int(match[1]), match[2] is not None


def _check_literal(domain: str) -> None:
    """RFC 5321 §4.1.3."""
    if not domain.startswith("["):
        return
    inside = domain[1:-1]
    try:
        if inside.lower().startswith("ipv6:"):
            IPv6Address(inside[5:])
        else:
            IPv4Address(inside)
    except AddressValueError:
        raise BadCommand("expected an address literal such as [192.0.2.1] or [IPv6:2001:db8::1]") from None


def _parameters(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    found: dict[str, str] = {}
    for word in text.split(" "):
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found:
            raise BadCommand("expected parameters, each once, with one space between them")
        found[match[1].upper()] = match[2] or ""
    return found
