"""What a reader of mail is to the tests: what it sees, and what it is known not to."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, NamedTuple, Self

# Machines that run tests are busy.
PATIENCE = 60.0

# Each of a pair has the same octets in every Japanese charset: which one is read is up to the reader.
PAIRS = str.maketrans("～－∥￠￡￢―￥￣￤\xa0", "〜−‖¢£¬—¥‾¦ ")


@dataclass(frozen=True)
class Seen:
    """What a reader makes of a message; what is ``None`` it does not tell."""

    subject: str | None = None
    from_name: str | None = None
    to_names: tuple[str, ...] | None = None
    text: str | None = None
    html: str | None = None
    # The attachments and images: file name, and SHA-256 of the content.
    files: tuple[tuple[str, str], ...] | None = None
    # The same names once more, as Content-Type has them for old readers.
    names: tuple[str, ...] | None = None


class Limit(NamedTuple):
    """What a reader cannot read, and is not asked for: a field of ``Seen`` whose text and charset are such."""

    fields: tuple[str, ...]
    reason: str
    concerns: Callable[[str, str], bool]


HEADER = ("subject", "from_name", "to_names")
BODY = ("text", "html")
EVERYWHERE = (*HEADER, *BODY, "files", "names")


def lacking(codecs: Mapping[str, str]) -> Callable[[str, str], bool]:
    """Whether a text has characters that Japanese programs write in a charset, and the reader's codec has not."""

    def concerns(text: str, charset: str) -> bool:
        return charset in codecs and not _can_encode(text.translate(PAIRS), codecs[charset])

    return concerns


def _can_encode(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    # The vendors' broken bar is not where JIS X 0212 has one.
    return "¦" not in text


def has_any(characters: str) -> Callable[[str, str], bool]:
    """Whether a text has one of the characters."""
    return lambda text, _: not set(characters).isdisjoint(text)


class Reader:
    """Reads messages; for ``with``, as some are processes that go on running."""

    name: ClassVar[str]
    needed: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[tuple[Limit, ...]] = ()

    def read(self, octets: bytes) -> Seen:
        """Return what the message says; raise an exception where the reader complains."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is running."""

    @classmethod
    def lacks(cls) -> str | None:
        """Return what the reader needs besides programs and has not."""
        return None


def digest(octets: bytes) -> str:
    return sha256(octets).hexdigest()


def header_fields(octets: bytes) -> dict[str, str]:
    """The header's fields of ASCII, unfolded, by their names in small letters."""
    header = re.sub(rb"\r\n(?=[ \t])", b"", octets.partition(b"\r\n\r\n")[0]).decode("ascii")
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in header.split("\r\n"))}
