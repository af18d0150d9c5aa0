"""How our messages write themselves: each header field by our own rules, whoever asks for their octets."""

from email.header import Header
from email.policy import EmailPolicy, Policy
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.encoding import Unencodable, settled
from ninsho.mail.fields import field, refuse_broken
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 5322 §3.6, RFC 2045 §3.
_ONCE = frozenset(
    {
        *("date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references"),
        *("subject", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id"),
    }
)


class Told(str):
    """The value of a field as it was told, in one line; under any policy it writes itself as its own would.

    The library asks whatever has a ``name`` to fold itself.
    """

    __slots__ = ("name", "policy")

    name: str
    policy: "Written"

    @classmethod
    def of(cls, name: str, value: str, policy: "Written") -> Self:
        """Return the value of the field *name*."""
        told = cls(value)
        told.name, told.policy = name, policy
        return told

    def fold(self, *, policy: Policy) -> str:
        """Return the field, folded; in UTF-8 where *policy* says so."""
        written = self.policy.written(self.name, str(self), utf8=getattr(policy, "utf8", False))
        return written if policy.linesep == "\r\n" else written.replace("\r\n", policy.linesep)


class Written(EmailPolicy):
    """A policy for ``EmailMessage``: fields are kept as they were told, and encoded when they are written.

    ``header_charset`` is that of their encoded words, ``unencodable`` what happens to characters that it lacks.
    ``wording`` changes what people read of a field, before it is encoded.
    """

    header_charset: Charset = UTF_8
    unencodable: Unencodable = "error"
    wording: "Callable[[str], str] | None" = None

    @classmethod
    def told(
        cls, header_charset: Charset, unencodable: Unencodable, wording: "Callable[[str], str] | None" = None
    ) -> "Written":
        """Return one for a charset."""
        # What attributes a policy takes as keywords, the library's types do not know.
        return cls(header_charset=header_charset, unencodable=unencodable, wording=wording)  # type: ignore[call-overload, no-any-return]

    def header_max_count(self, name: str) -> int | None:
        """Return how often a field may stand in a header; the library makes a class to find out, which takes 33 µs."""
        return 1 if name.lower() in _ONCE else None

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Told]:  # noqa: ANN401 - whatever the library takes
        """Keep *value* as one line of text; raise ``ValueError`` for what is none."""
        # Of the older kind are Header objects, which have encoded what they were given.
        text = str(value if isinstance(value, str | Header) else self.header_factory(name, value))
        try:
            refuse_broken(name, text)
        except Unsendable as error:
            raise ValueError(str(error)) from None
        return name, Told.of(name, text, self)

    def header_fetch_parse(self, name: str, value: Any) -> Any:  # noqa: ANN401
        """Return what the library makes of a field, with addresses and parameters to ask for."""
        return super().header_fetch_parse(name, str(value) if isinstance(value, Told) else value)

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401
        """Return the field, folded."""
        # What the library has made writes itself.
        made = hasattr(value, "name") and not isinstance(value, Told)
        return str(super().fold(name, value)) if made else Told.of(name, str(value), self).fold(policy=self)

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401
        """Return the field, folded, as octets."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")

    def written(self, name: str, value: str, *, utf8: bool) -> str:
        """Return a field with CRLF; raise ``Unsendable``."""
        return field(name, value, settle=partial(self._settled, name, utf8=utf8), utf8=utf8)

    def _settled(self, name: str, text: str, *, utf8: bool) -> tuple[str, Charset]:
        text = text if self.wording is None else self.wording(text)
        return settled(text, UTF_8 if utf8 else self.header_charset, unencodable=self.unencodable, place=name)
