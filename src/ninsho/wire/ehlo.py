"""Reading an EHLO reply: which extensions the server offers, and their parameters."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ninsho.wire.smtp import Reply, shown

DIGITS = 20  # RFC 1870 §4: of SIZE
# Exchange's own word for AUTH, from before RFC 2554.
_AUTH_WORDS = frozenset(("AUTH", "X-EXPS"))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server offers: the parameters of each extension, by its keyword in capitals.

    ``name`` is what the server calls itself; ``mechanisms`` are all that any form of AUTH line names.
    """

    name: str = ""
    extensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ()

    @classmethod
    def read(cls, reply: Reply, *, without: Collection[str] = ()) -> "Capabilities":
        """Read the reply to EHLO (RFC 5321 §4.1.1.1), forgiving where servers are careless; leave out *without*."""
        first, *rest = reply.lines
        extensions: dict[str, tuple[str, ...]] = {}
        mechanisms: dict[str, None] = {}
        for keyword, parameters in _read(rest):
            if keyword in without:
                continue
            if keyword in _AUTH_WORDS:
                mechanisms.update(dict.fromkeys(name.upper() for name in parameters))
            # A keyword that comes twice: both lines count.
            extensions[keyword] = (*extensions.get(keyword, ()), *parameters)
        return cls(shown(first.split(b" ")[0]), extensions, tuple(mechanisms))

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.extensions

    def parameters(self, keyword: str) -> tuple[str, ...]:
        """Return the words behind *keyword*; none where it is not offered."""
        return self.extensions.get(keyword, ())

    @property
    def size_limit(self) -> int | None:
        """How many octets a message may have (RFC 1870 §4); None where the server names no limit, or 0."""
        return _number(next(iter(self.parameters("SIZE")), ""))

    def limit(self, name: str) -> int | None:
        """Return the number of a limit of RFC 9422, such as ``RCPTMAX``; None where it is not told."""
        for parameter in self.parameters("LIMITS"):
            key, _, value = parameter.partition("=")
            if key.upper() == name and (number := _number(value)):
                return number
        return None


def _number(text: str) -> int | None:
    """A number above 0; None for anything else, and for one of more digits than anybody means."""
    return int(text) or None if len(text) <= DIGITS and text.isascii() and text.isdigit() else None


def _read(lines: list[bytes]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in lines:
        words = [shown(word) for word in line.split()]
        if not words:
            continue
        # Servers from before RFC 2554 say AUTH=LOGIN.
        keyword, equals, first = words[0].partition("=")
        yield keyword.upper(), tuple([first] * bool(equals and first) + words[1:])
