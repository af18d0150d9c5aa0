"""What two ends of one TLS connection know, and nobody between them can (RFC 5056): the data that SCRAM binds it by."""

import hashlib
from contextlib import suppress
from typing import Final

# The types, the best first. RFC 9266 §2: of the keys, for TLS 1.3.
EXPORTER: Final = "tls-exporter"
# RFC 5929 §3: of the handshake, up to TLS 1.2.
UNIQUE: Final = "tls-unique"
# RFC 5929 §4: of the server's certificate, and so of all its connections.
SERVER_END_POINT: Final = "tls-server-end-point"

EXPORTER_LABEL: Final = b"EXPORTER-Channel-Binding"  # RFC 9266 §2
EXPORTER_SIZE: Final = 32  # octets (RFC 9266 §2)

SEQUENCE, OID, FIRST_PARAMETER = 0x30, 0x06, 0xA0  # DER's tags (X.690 §8)
OID_LIMIT: Final = 32  # octets; those below have 9 at most, and endless numbers would keep us busy
RSASSA_PSS: Final = "1.2.840.113549.1.1.10"

# The hash function of each signature (RFC 3279 §2.2, RFC 4055 §5, RFC 5758 §3, RFC 8702 §3 and RFC 9688 §2 for SHA-3).
SIGNATURES: Final = {
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.10040.4.3": "sha1",
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    "2.16.840.1.101.3.4.3.1": "sha224",
    "2.16.840.1.101.3.4.3.2": "sha256",
    "2.16.840.1.101.3.4.3.3": "sha384",
    "2.16.840.1.101.3.4.3.4": "sha512",
    "2.16.840.1.101.3.4.3.9": "sha3_224",
    "2.16.840.1.101.3.4.3.10": "sha3_256",
    "2.16.840.1.101.3.4.3.11": "sha3_384",
    "2.16.840.1.101.3.4.3.12": "sha3_512",
    "2.16.840.1.101.3.4.3.13": "sha3_224",
    "2.16.840.1.101.3.4.3.14": "sha3_256",
    "2.16.840.1.101.3.4.3.15": "sha3_384",
    "2.16.840.1.101.3.4.3.16": "sha3_512",
}
# The hash functions themselves, which RSASSA-PSS names in its parameters (RFC 4055 §2.1, RFC 8017 appendix A.2.1).
HASHES: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}


def bindings_of(tls: object, *, own: bytes | None = None) -> dict[str, bytes]:
    """The data of each type that *tls* can tell, the best first; empty before the handshake.

    *tls* is an ``ssl.SSLSocket``, an ``ssl.SSLObject``, pyOpenSSL's ``Connection``, or what looks like one of them. A
    server gives its *own* certificate (DER), as TLS tells only the other side's.
    """
    version = _call(tls, "version") or _call(tls, "get_protocol_version_name")
    if not isinstance(version, str) or not version.startswith("TLS"):
        return {}
    found = {EXPORTER: _exported(tls, version), UNIQUE: _finished(tls, version), SERVER_END_POINT: _end_point(tls, own)}
    return {name: data for name, data in found.items() if data}


def tls_server_end_point(certificate: bytes) -> bytes | None:
    """The hash of *certificate* (DER), by the hash function of its signature (RFC 5929 §4.1).

    None where that has none of its own, as Ed25519, or one that is unknown. Raises ``ValueError`` for what is not a
    certificate.
    """
    algorithm = _hash_of_signature(certificate)
    if algorithm is None:
        return None
    # RFC 5929 §4.1: two that are broken stand for a better one.
    name = "sha256" if algorithm in {"md5", "sha1"} else algorithm
    return hashlib.new(name, certificate).digest()


def _exported(tls: object, version: str) -> bytes | None:
    # RFC 9266 §4.2: before TLS 1.3 only with the extended master secret (RFC 7627), of which nothing here can tell.
    if version != "TLSv1.3":
        return None
    return _octets(_call(tls, "export_keying_material", EXPORTER_LABEL, EXPORTER_SIZE))


def _finished(tls: object, version: str) -> bytes | None:
    # RFC 9266 §1: not defined for TLS 1.3, where Python returns something all the same. RFC 7627 §1: without the
    # extended master secret, of which ssl does not tell, two resumed connections can be made to have the same one.
    if version == "TLSv1.3" or getattr(tls, "session_reused", None) is not False:
        return None
    return _octets(_call(tls, "get_channel_binding", UNIQUE))


def _end_point(tls: object, own: bytes | None) -> bytes | None:
    # On the server's side, the certificate of the other side is not the server's.
    certificate = own
    if own is None and not getattr(tls, "server_side", False):
        certificate = _octets(_call(tls, "getpeercert", True))
    # A certificate that OpenSSL can read and we cannot is none to bind to, and no reason not to log in.
    with suppress(ValueError):
        return tls_server_end_point(certificate) if certificate else None
    return None


def _call(tls: object, method: str, *arguments: object) -> object:
    """What *method* returns; None where there is none, as none of these is in every library and version."""
    function = getattr(tls, method, None)
    return function(*arguments) if function else None


def _octets(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _hash_of_signature(certificate: bytes) -> str | None:
    """RFC 5280 §4.1: a certificate is what is signed, then the signature's algorithm, then the signature."""
    whole, rest = _element(certificate, SEQUENCE)
    if rest:
        raise ValueError(f"expected one certificate, got {len(rest)} octets behind it")
    _, behind = _element(whole, SEQUENCE)
    algorithm, _ = _element(behind, SEQUENCE)
    name, parameters = _element(algorithm, OID)
    if _dotted(name) == RSASSA_PSS:
        return _hash_of_parameters(parameters)
    return SIGNATURES.get(_dotted(name))


def _hash_of_parameters(parameters: bytes) -> str | None:
    """RFC 4055 §3.1: the hash function comes first, and is SHA-1 where it is left out."""
    fields, _ = _element(parameters, SEQUENCE)
    if not fields or fields[0] != FIRST_PARAMETER:
        return "sha1"
    first, _ = _element(fields, FIRST_PARAMETER)
    algorithm, _ = _element(first, SEQUENCE)
    name, _ = _element(algorithm, OID)
    return HASHES.get(_dotted(name))


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the element that *der* begins with, and what stands behind it (X.690 §8.1 and §10.1)."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError(f"DER: expected an element of tag {tag:#04x}")
    size, start = der[1], 2
    # The long form: how many octets the length takes. Three are 16 MiB.
    if size & 0x80:
        start += size & 0x7F
        if not 2 < start <= 5:
            raise ValueError(f"DER: expected a length of 1 to 3 octets, got {start - 2}")
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        raise ValueError(f"DER: expected {size} octets, got {max(len(der) - start, 0)}")
    return der[start : start + size], der[start + size :]


def _dotted(name: bytes) -> str:
    """An object identifier as it is written (X.690 §8.19)."""
    if not 0 < len(name) <= OID_LIMIT or name[-1] & 0x80:
        raise ValueError("DER: expected a whole object identifier")
    numbers, number = [], 0
    for octet in name:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
