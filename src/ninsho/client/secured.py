"""What is known of a connection's TLS once hands are shaken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ninsho.client.settings import Trust


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS: its version, its cipher, the server's certificate (DER), and the channel bindings by type."""

    version: str
    cipher: str
    certificate: bytes = field(default=b"", repr=False)
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def secured_by(tls: Any, trust: "Trust") -> Secured:  # noqa: ANN401 - an SSLSocket or an SSLObject
    """Return what is known of *tls*; raise ``ssl.CertificateError`` where its certificate is not the one pinned."""
    from ninsho.client.tls import check_pin  # noqa: PLC0415 - only who has TLS needs ssl
    from ninsho.sasl.channel_binding import bindings_of  # noqa: PLC0415

    certificate = tls.getpeercert(binary_form=True) or b""
    check_pin(trust, certificate)
    return Secured(tls.version() or "", (tls.cipher() or ("",))[0], certificate, bindings_of(tls))
