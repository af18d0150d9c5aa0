"""Whether a certificate may be used for mail now: the time it is valid for, and what it says of its use."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ninsho.mail.unsendable import excerpt

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ExtensionType

    Extension = TypeVar("Extension", bound=ExtensionType)


class Use(NamedTuple):
    """What a certificate is wanted for, and the bits of its keyUsage of which it needs one (RFC 8550 §4.4.2)."""

    wanted: str
    bits: tuple[str, ...]


SIGNING = Use("one that may sign mail", ("digital_signature", "content_commitment"))
ENCRYPTING = Use("one that mail may be encrypted for", ("key_encipherment",))


def untimely(certificate: "Certificate", now: datetime) -> str:
    """Return what is wrong with the time of *certificate*; empty where nothing is."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if first <= now <= last:
        return ""
    found = f"valid from {_shown(first)}" if now < first else f"valid until {_shown(last)}"
    return f"expected one for {_shown(now)}, got that of {_owner(certificate)}, {found}"


def unfit(certificate: "Certificate", use: Use) -> str:
    """Return what *certificate* says against such a use; empty where it says nothing."""
    from cryptography import x509  # noqa: PLC0415 - a package of an extra
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - as above

    try:
        bits = _extension(certificate, x509.KeyUsage)
        purposes = _extension(certificate, x509.ExtendedKeyUsage)
    except (ValueError, x509.DuplicateExtension):
        return f"expected {use.wanted}, got that of {_owner(certificate)}, whose extensions cannot be read"
    if bits is not None and not any(getattr(bits, bit) for bit in use.bits):
        return f"expected {use.wanted}, got that of {_owner(certificate)}, whose key is for something else"
    # RFC 8550 §4.4.4: where purposes are told, mail is among them.
    mail = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and mail.isdisjoint(purposes):
        return f"expected {use.wanted}, got that of {_owner(certificate)}, which is not for mail"
    return ""


def _extension(certificate: "Certificate", kind: "type[Extension]") -> "Extension | None":
    from cryptography.x509 import ExtensionNotFound  # noqa: PLC0415 - a package of an extra

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except ExtensionNotFound:
        return None


def _owner(certificate: "Certificate") -> str:
    return excerpt(certificate.subject.rfc4514_string())


def _shown(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
