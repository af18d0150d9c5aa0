"""Keys and certificates, from PEM text, octets or a file; no error quotes any of them."""

import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ninsho.errors import ConfigurationError
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

KeyMaterial: TypeAlias = "bytes | str | os.PathLike[str]"

_SEED_SIZE = 32  # octets of a private Ed25519 key (RFC 8032 §5.1.5)


def need_cryptography(what: str, extra: str) -> None:
    """Raise ``Unsendable`` where the package is missing."""
    try:
        import cryptography  # noqa: F401, PLC0415 - a package of an extra
    except ImportError:
        raise Unsendable(f"{what} needs the package cryptography: pip install 'ninsho[{extra}]'") from None


def private_key(given: KeyMaterial, place: str, *, password: str | bytes | None = None) -> "PrivateKeyTypes":
    """Read a key in PEM or DER, or a raw Ed25519 key in base64; raise ``ConfigurationError``, which names *place*."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - a package of an extra

    data, secret = _octets(given, place), _secret(password)
    try:
        return _loaded(data, secret)
    except TypeError:
        # So the library says that one is wanted, or not.
        found = "an encrypted one, and no password" if password is None else "a password, and a key that has none"
    except (ValueError, UnsupportedAlgorithm):
        found = "none that can be read" + ("" if password is None else ", or the password is wrong") + _hint(given)
    raise ConfigurationError([f"{place}: expected a private key in PEM, DER or base64, got {found}"])


def certificates(given: KeyMaterial, place: str) -> "list[Certificate]":
    """Read certificates in PEM, or one in DER; raise ``ConfigurationError``, which names *place*."""
    from cryptography import x509  # noqa: PLC0415 - a package of an extra

    data = _octets(given, place)
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        found = f"none that can be read{_hint(given)}"
    raise ConfigurationError([f"{place}: expected a certificate in PEM or DER, got {found}"])


def _secret(password: str | bytes | None) -> bytes | None:
    if not isinstance(password, str | bytes | None):
        raise TypeError(f"password: expected a str or bytes, got {type(password).__name__}")
    return _encoded(password) if isinstance(password, str) else password


def _encoded(secret: str) -> bytes:
    # An error of the encoding would show of it what it cannot write.
    return secret.encode(errors="surrogatepass")


def _octets(given: KeyMaterial, place: str) -> bytes:
    match given:
        case bytes():
            return given
        case str():
            return _encoded(given)
        case os.PathLike():
            return _read(Path(given), place)
        case _:
            raise TypeError(f"{place}: expected PEM text, bytes or a Path, got {type(given).__name__}")


def _read(path: Path, place: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{place}: {path}: cannot be read: {error.strerror}"]) from None
    except ValueError:
        # NUL, or what no locale can write.
        raise ConfigurationError([f"{place}: expected the path of a file, got {excerpt(str(path))}"]) from None


def _loaded(data: bytes, password: bytes | None) -> "PrivateKeyTypes":
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - a package of an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    if b"-----BEGIN" in data:
        return serialization.load_pem_private_key(data, password)
    der = _from_base64(data)
    if len(der) == _SEED_SIZE and password is None:
        return Ed25519PrivateKey.from_private_bytes(der)
    return serialization.load_der_private_key(der, password)


def _from_base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(b"".join(data.split()), strict_mode=True)
    except ValueError:
        return data


def _hint(given: KeyMaterial) -> str:
    is_short = isinstance(given, str) and "-----BEGIN" not in given
    return " (a file is named by a Path)" if is_short else ""


def key_store(given: KeyMaterial, place: str, *, password: str | bytes | None) -> tuple[bytes, bytes]:
    """Read a PKCS #12 file: return its key and its certificates, both in PEM; raise ``ConfigurationError``."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - a package of an extra
        Encoding,
        NoEncryption,
        PrivateFormat,
        pkcs12,
    )

    data, secret = _octets(given, place), _secret(password)
    try:
        found = pkcs12.load_pkcs12(data, secret)
    except ValueError:
        raise ConfigurationError([f"{place}: expected a PKCS #12 file and its password, got something else"]) from None
    if found.key is None or found.cert is None:
        raise ConfigurationError([f"{place}: expected a key and its certificate, got one of them at most"])
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    own = [found.cert, *found.additional_certs]
    return key, b"".join(one.certificate.public_bytes(Encoding.PEM) for one in own)
