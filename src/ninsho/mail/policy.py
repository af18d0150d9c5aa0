"""How our messages write themselves: each header field by our own rules, whoever asks for their octets."""

from email.policy import EmailPolicy
from typing import Any

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.encoding import Unencodable, settled
from ninsho.mail.fields import field, refuse_broken
from ninsho.mail.unsendable import Unsendable

# RFC 5322 §3.6, RFC 2045 §3.
_ONCE = frozenset(
    {
        *("date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references"),
        *("subject", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id"),
    }
)


class Written(EmailPolicy):
    """A policy for ``EmailMessage``: fields are kept as they were told, and encoded when they are written.

    ``header_charset`` is that of their encoded words, ``unencodable`` what happens to characters that it lacks.
    """

    header_charset: Charset = UTF_8
    unencodable: Unencodable = "error"

    @classmethod
    def told(cls, header_charset: Charset, unencodable: Unencodable) -> "Written":
        """Return one for a charset."""
        # What attributes a policy takes as keywords, the library's types do not know.
        return cls(header_charset=header_charset, unencodable=unencodable)  # type: ignore[call-overload, no-any-return]

    def header_max_count(self, name: str) -> int | None:
        """Return how often a field may stand in a header; the library makes a class to find out, which takes 33 µs."""
        return 1 if name.lower() in _ONCE else None

    def header_store_parse(self, name: str, value: Any) -> tuple[str, str]:  # noqa: ANN401 - whatever the library takes
        """Keep *value* as one line of text; raise ``ValueError`` for what is none."""
        text = str(value if isinstance(value, str) else self.header_factory(name, value))
        try:
            refuse_broken(name, text)
        except Unsendable as error:
            raise ValueError(str(error)) from None
        return name, text

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401
        """Return the field, folded."""
        if hasattr(value, "name"):
            # Of the library's own making, or of ours: it writes itself.
            return str(super().fold(name, value))
        if self.utf8:
            return self._ended(field(name, str(value), utf8=True))
        text, charset = settled(str(value), self.header_charset, unencodable=self.unencodable, place=name)
        return self._ended(field(name, text, charset=charset))

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401
        """Return the field, folded, as octets."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")

    def _ended(self, written: str) -> str:
        return written if self.linesep == "\r\n" else written.replace("\r\n", self.linesep)
