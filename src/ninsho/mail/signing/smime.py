"""S/MIME (RFC 8551): signed and encrypted with the keys of certificates."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

from ninsho.errors import ConfigurationError
from ninsho.mail.entity import encoded
from ninsho.mail.signing.fitness import ENCRYPTING, SIGNING, Use, unfit, untimely
from ninsho.mail.signing.inner import Inner, boundary_for, multipart, part
from ninsho.mail.signing.keys import KeyMaterial, certificates, key_store, need_cryptography, private_key
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

Cipher: TypeAlias = Literal["aes-256-cbc", "aes-128-cbc"]

_CIPHERS: Final = {"aes-256-cbc": "AES256", "aes-128-cbc": "AES128"}
_PROTOCOL: Final = "application/pkcs7-signature"


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, eq=False)
class SmimeSigned:
    """Signs as the owner of *certificate*, with its private *key* (RSA, or ECDSA), by SHA-256.

    Each is PEM or DER: text, octets, or a ``Path``. Certificates behind the first one of a file, and those of *chain*,
    go along, so that a recipient can follow it to an authority. *detached* leaves the message readable for programs
    that know nothing of S/MIME; else it is within the signature, which nothing on the way can break. Raises
    ``ConfigurationError`` for what cannot work, also for a certificate that is not valid now, or says that it is for
    other things, and ``Unsendable`` without the package cryptography.
    """

    certificate: InitVar[KeyMaterial]
    key: InitVar[KeyMaterial]
    _: KW_ONLY
    password: InitVar[str | bytes | None] = None
    chain: InitVar[Sequence[KeyMaterial]] = ()
    detached: bool = True
    now: Callable[[], datetime] = field(default=_clock, repr=False)
    subject: str = field(init=False)
    _certificates: "tuple[Certificate, ...]" = field(init=False, repr=False)
    _key: "RSAPrivateKey | EllipticCurvePrivateKey" = field(init=False, repr=False)

    def __post_init__(
        self, certificate: KeyMaterial, key: KeyMaterial, password: str | bytes | None, chain: Sequence[KeyMaterial]
    ) -> None:
        need_cryptography("S/MIME", "smime")
        own, *others = certificates(certificate, "certificate")
        for given in chain:
            others += certificates(given, "chain")
        _refuse_unfit(own, "certificate", SIGNING, self.now())
        object.__setattr__(self, "_key", _signing_key(private_key(key, "key", password=password), own))
        object.__setattr__(self, "_certificates", (own, *others))
        object.__setattr__(self, "subject", own.subject.rfc4514_string())

    @classmethod
    def from_pkcs12(
        cls,
        store: KeyMaterial,
        password: str | bytes | None,
        *,
        detached: bool = True,
        now: Callable[[], datetime] = _clock,
    ) -> Self:
        """Take key and certificates from a PKCS #12 file (.p12, .pfx), as mail programs export them."""
        need_cryptography("S/MIME", "smime")
        key, chain = key_store(store, "store", password=password)
        return cls(chain, key, detached=detached, now=now)

    def sign(self, octets: bytes) -> bytes:
        """Return the signed message; raise ``Unsendable``, also where the certificate is no longer valid."""
        _refuse_untimely(self._certificates[:1], "certificate", self.now())
        inner = Inner.of(octets)
        signature = self._signature(inner.entity)
        if not self.detached:
            return inner.within(*_mime("signed-data"), body=signature)
        signature = part(*_attached(f'{_PROTOCOL}; name="smime.p7s"', "smime.p7s"), body=signature)
        boundary = boundary_for((inner.entity, signature))
        return inner.within(
            f'Content-Type: multipart/signed; micalg=sha-256;\r\n protocol="{_PROTOCOL}";\r\n boundary="{boundary}"',
            body=multipart((inner.entity, signature), boundary),
        )

    def _signature(self, entity: bytes) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - a package of an extra
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.serialization.pkcs7 import (  # noqa: PLC0415 - as above
            PKCS7Options,
            PKCS7SignatureBuilder,
        )

        own, *others = self._certificates
        builder = PKCS7SignatureBuilder().set_data(entity).add_signer(own, self._key, SHA256())
        for other in others:
            builder = builder.add_certificate(other)
        # Binary: else the package would write the line ends anew.
        options = [PKCS7Options.Binary, *([PKCS7Options.DetachedSignature] if self.detached else [])]
        return _base64(builder.sign(Encoding.DER, options))


@dataclass(frozen=True, slots=True, eq=False)
class SmimeEncrypted:
    """Encrypts for the owners of *certificates* (RSA), and for nobody else: the sender's own belongs there too.

    The header stays readable but for what is said of the content: Subject also. Certificates are PEM or DER: text,
    octets, or a ``Path``, with one in each. Raises ``ConfigurationError`` for what cannot work, also for a certificate
    that is not valid now, or says that it is for other things, and ``Unsendable`` without the package cryptography.
    """

    certificates: InitVar[Sequence[KeyMaterial]]
    _: KW_ONLY
    cipher: Cipher = "aes-256-cbc"
    now: Callable[[], datetime] = field(default=_clock, repr=False)
    subjects: tuple[str, ...] = field(init=False)
    _certificates: "tuple[Certificate, ...]" = field(init=False, repr=False)

    def __post_init__(self, certificates: Sequence[KeyMaterial]) -> None:
        need_cryptography("S/MIME", "smime")
        if isinstance(certificates, str | bytes):
            raise TypeError(f"certificates: expected a list of them, got {type(certificates).__name__}")
        if self.cipher not in _CIPHERS:
            raise ConfigurationError([f"cipher: expected {' or '.join(_CIPHERS)}, got {excerpt(self.cipher)}"])
        now = self.now()
        found = tuple(_recipient(given, now) for given in certificates)
        if not found:
            raise ConfigurationError(["certificates: expected those of the recipients, got none"])
        object.__setattr__(self, "_certificates", found)
        object.__setattr__(self, "subjects", tuple(one.subject.rfc4514_string() for one in found))

    def sign(self, octets: bytes) -> bytes:
        """Return the encrypted message; raise ``Unsendable``, also where a certificate is no longer valid."""
        _refuse_untimely(self._certificates, "certificates", self.now())
        inner = Inner.of(octets)
        return inner.within(*_mime("enveloped-data"), body=self._enveloped(inner.entity))

    def _enveloped(self, entity: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import algorithms  # noqa: PLC0415 - a package of an extra
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.serialization.pkcs7 import (  # noqa: PLC0415 - as above
            PKCS7EnvelopeBuilder,
            PKCS7Options,
        )

        builder = PKCS7EnvelopeBuilder().set_data(entity)
        builder = builder.set_content_encryption_algorithm(getattr(algorithms, _CIPHERS[self.cipher]))
        for certificate in self._certificates:
            builder = builder.add_recipient(certificate)
        return _base64(builder.encrypt(Encoding.DER, [PKCS7Options.Binary]))


def _signing_key(key: Any, certificate: "Certificate") -> "RSAPrivateKey | EllipticCurvePrivateKey":  # noqa: ANN401 - of a dozen kinds
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415 - of an extra
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above

    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        found = type(key).__name__.removesuffix("PrivateKey")
        raise ConfigurationError([f"key: expected one for RSA or ECDSA, got one for {found}"])
    if key.public_key() != certificate.public_key():
        name = certificate.subject.rfc4514_string()
        raise ConfigurationError([f"key: expected the one of the certificate for {excerpt(name)}, got another"])
    return key


def _recipient(given: KeyMaterial, now: datetime) -> "Certificate":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - a package of an extra

    certificate, *others = certificates(given, "certificates")
    if others:
        # Behind somebody's own there may be another recipient's, or an authority's: nobody can tell.
        raise ConfigurationError([f"certificates: expected one for each recipient, got {1 + len(others)} in one"])
    if not isinstance(certificate.public_key(), RSAPublicKey):
        name = certificate.subject.rfc4514_string()
        raise ConfigurationError([f"certificates: expected one with an RSA key, got {excerpt(name)} with another"])
    _refuse_unfit(certificate, "certificates", ENCRYPTING, now)
    return certificate


def _refuse_unfit(certificate: "Certificate", place: str, use: Use, now: datetime) -> None:
    if fault := unfit(certificate, use) or untimely(certificate, now):
        raise ConfigurationError([f"{place}: {fault}"])


def _refuse_untimely(found: "Sequence[Certificate]", place: str, now: datetime) -> None:
    """Raise ``Unsendable`` where a certificate's time is over: programs run for longer than that."""
    for certificate in found:
        if fault := untimely(certificate, now):
            raise Unsendable(f"{place}: {fault}")


def _mime(kind: str) -> tuple[str, ...]:
    return _attached(f'application/pkcs7-mime; smime-type={kind};\r\n name="smime.p7m"', "smime.p7m")


def _attached(content_type: str, filename: str) -> tuple[str, ...]:
    return (
        f"Content-Type: {content_type}",
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{filename}"',
    )


def _base64(octets: bytes) -> bytes:
    return encoded(octets, text=False)[0] + b"\r\n"
