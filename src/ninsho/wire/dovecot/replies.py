"""What the authentication server sends: the handshake, then CONT, OK and FAIL."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from ninsho.errors import ProtocolError
from ninsho.wire.dovecot.fields import MAJOR, decode_base64, encode_base64, escape, number, parameters, split
from ninsho.wire.dovecot.requests import Version, parse_version


class Mech(NamedTuple):
    """The server offers a mechanism, with the words of its properties."""

    name: str
    words: tuple[str, ...]


class Spid(NamedTuple):
    """The server's process id."""

    pid: int


class Cuid(NamedTuple):
    """The server's number of this connection."""

    number: int


class Cookie(NamedTuple):
    """The server's secret of this connection, for its master connections."""

    digits: str


class Done(NamedTuple):
    """The handshake is complete."""


class Cont(NamedTuple):
    """Ask the end user for a response, and the mail server for the channel's data of the type ``binding``."""

    id: int
    challenge: bytes
    binding: str | None = None


class Ok(NamedTuple):
    """The login is good; ``parameters["user"]`` is its name."""

    id: int
    parameters: dict[str, str]


class Fail(NamedTuple):
    """The login is refused."""

    id: int
    parameters: dict[str, str]

    @property
    def temporary(self) -> bool:
        """Whether the server could not tell: the new spelling and the old one."""
        return self.parameters.get("code") == "temp_fail" or "temp" in self.parameters


class Cancelled(NamedTuple):
    """The server has forgotten the login."""

    id: int


class Other(NamedTuple):
    """A line that this version of the protocol does not know, to be ignored."""

    command: str


Reply: TypeAlias = Version | Mech | Spid | Cuid | Cookie | Done | Cont | Ok | Fail | Cancelled | Other


def parse(line: bytes) -> Reply:  # noqa: PLR0911 - one line of the protocol, one case
    """Read one line; raise ``ProtocolError`` for a known command that is malformed."""
    match split(line):
        case ["VERSION", major, minor]:
            return parse_version(major, minor)
        case ["MECH", name, *words] if name:
            return Mech(name, tuple(words))
        case ["SPID", digits]:
            return Spid(number(digits, "a process id"))
        case ["CUID", digits]:
            return Cuid(number(digits, "a connection number"))
        case ["COOKIE", digits]:
            return Cookie(digits)
        case ["DONE"]:
            return Done()
        case ["CONT", digits, challenge, *fields]:
            binding = parameters(fields).get("channel_binding")
            return Cont(number(digits, "a request id"), decode_base64(challenge), binding)
        case ["OK", digits, *fields]:
            return Ok(number(digits, "a request id"), parameters(fields))
        case ["FAIL", digits, *fields]:
            return Fail(number(digits, "a request id"), parameters(fields))
        case ["CANCELLED", digits]:
            return Cancelled(number(digits, "a request id"))
        case ["VERSION" | "MECH" | "SPID" | "CUID" | "COOKIE" | "DONE" | "CONT" | "CANCELLED" as command, *_]:
            raise ProtocolError(f"unexpected fields in {command!r}")
        case fields:
            return Other(fields[0])


def version(minor: int) -> bytes:
    """Write the protocol's version: from 1.3 on all that a server says before it knows the client's."""
    return b"VERSION\t%d\t%d\n" % (MAJOR, minor)


def offer(mechs: Iterable[Mech], *, pid: int, connection: int, cookie: str) -> bytes:
    """Write the rest of the handshake.

    Its order is part of the protocol: by a SPID before any MECH, Postfix and Exim know a socket that is not for them.
    """
    lines = [
        *("\t".join(("MECH", mech.name, *mech.words)) for mech in mechs),
        f"SPID\t{pid}",
        f"CUID\t{connection}",
        f"COOKIE\t{cookie}",
        "DONE",
    ]
    return "\n".join(lines).encode() + b"\n"


def cont(id: int, challenge: bytes, *, binding: str | None = None) -> bytes:
    """Write a challenge; an empty one keeps its tab, without which Postfix refuses the line.

    *binding* asks clients of version 1.3 for the data of their channel; older ones would take it for the challenge.
    """
    line = b"CONT\t%d\t%s" % (id, encode_base64(challenge))
    return line + (b"\n" if binding is None else b"\tchannel_binding=%s\n" % binding.encode())


def ok(id: int, user: str, *, master: str | None = None, response: bytes | None = None) -> bytes:
    """Write a success. ``user=`` comes first: Exim reads 16 fields, and Postfix refuses a line without it.

    *master* is who has logged in, where that is not the *user*.
    """
    line = f"OK\t{id}\tuser={user if user.isprintable() else escape(user)}\n".encode()
    if master is not None:
        line = b"%s\tauth_user=%s\n" % (line[:-1], escape(master).encode())
    return line if response is None else b"%s\tresp=%s\n" % (line[:-1], encode_base64(response))


def fail(
    id: int, reason: str, *, user: str | None = None, code: str | None = None, response: bytes | None = None
) -> bytes:
    """Write a failure. Postfix shows *reason* to the end user; it is made one printable ASCII line."""
    fields = [b"FAIL\t%d" % id]
    if user is not None:
        fields.append(b"user=" + escape(user).encode())
    if code is not None:
        fields.append(b"code=" + code.encode())
    if code == "temp_fail":
        # Clients of protocol 1.1 know only the bare word.
        fields.append(b"temp")
    fields.append(b"reason=" + printable(reason).encode())
    if response is not None:
        fields.append(b"resp=" + encode_base64(response))
    return b"\t".join(fields) + b"\n"


def cancelled(id: int) -> bytes:
    """Write that a login was forgotten; only clients of minor version 4 know it."""
    return b"CANCELLED\t%d\n" % id


def printable(text: str) -> str:
    """Make *text* one line of printable ASCII: any other character becomes a question mark."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)
