"""What one connection allows its messages: the server's offer, looked up once."""

from dataclasses import dataclass

from ninsho.wire.ehlo import Capabilities


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be asked of the server, by the words of the extensions."""

    capabilities: Capabilities
    chunking: bool
    size: bool
    size_limit: int | None
    eight_bit: bool
    binary: bool
    utf8: bool
    utf8_header: bool
    dsn: bool

    @classmethod
    def of(cls, capabilities: Capabilities, *, chunking: bool) -> "Terms":
        """Look *capabilities* up; BINARYMIME counts only where messages go by BDAT (RFC 3030 §3)."""
        return cls(
            capabilities=capabilities,
            chunking=chunking,
            size="SIZE" in capabilities,
            size_limit=capabilities.size_limit,
            eight_bit="8BITMIME" in capabilities,
            binary=chunking and "BINARYMIME" in capabilities,
            utf8="SMTPUTF8" in capabilities,
            # RFC 6531 §3.1: whoever offers the one offers the other.
            utf8_header="SMTPUTF8" in capabilities and "8BITMIME" in capabilities,
            dsn="DSN" in capabilities,
        )
