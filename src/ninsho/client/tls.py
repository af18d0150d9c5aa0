"""TLS as a client wants it: the context, the pinned certificate, the name; and in plain words what went wrong."""

import errno
import socket
import ssl
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final

from ninsho.client.secret_sources import revealed
from ninsho.client.settings import VERSIONS, Endpoint, TLSMode, Trust
from ninsho.errors import ConfigurationError

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

# OpenSSL's X509_V_ERR_… by number: what is wrong with the certificate, and what to do.
_CERTIFICATES: Final = {
    9: "the server's certificate is not valid yet: are both clocks right?",
    10: "the server's certificate has expired: it must be renewed there",
    18: "the server's certificate is signed by nobody but itself: name it with ca=, or its fingerprint=",
    19: "the server's certificate comes from an authority that is not known here: name its certificate with ca=",
    20: "the server's certificate comes from an authority that is not known here: name its certificate with ca=",
    21: "the server's certificate cannot be followed to an authority: an intermediate one is missing there",
    23: "the server's certificate has been revoked",
    26: "the server's certificate is not one for servers",
    62: "the server's certificate is for another name: connect to that one, or say it with server_name=",
    64: "the server's certificate is not for this address: connect to its name, or say it with server_name=",
    66: "the server's certificate has too small a key",
    68: "the server's certificate is signed by too weak a hash",
}
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
# The end of OpenSSL's reason, as what stands before it has changed between versions.
_REASONS: Final = {
    "UNSUPPORTED_PROTOCOL": "the server knows no TLS as new as minimum_version asks for",
    "ALERT_PROTOCOL_VERSION": "the server knows no TLS as new as minimum_version asks for",
    "NO_PROTOCOLS_AVAILABLE": "the context allows no version of TLS at all",
    "ALERT_HANDSHAKE_FAILURE": "the server shares no cipher with us, or wants a certificate of ours (certificate=)",
    "NO_SHARED_CIPHER": "the server shares no cipher with us",
    "WRONG_CIPHER_RETURNED": "the server shares no cipher with us",
    "CERTIFICATE_REQUIRED": "the server wants a certificate of ours: name one with certificate= and key=",
    "ALERT_UNKNOWN_CA": "the server does not know the authority of our certificate",
    "ALERT_BAD_CERTIFICATE": "the server refuses our certificate, or wants one that we did not name (certificate=)",
    "ALERT_CERTIFICATE_EXPIRED": "our certificate has expired",
    "ALERT_CERTIFICATE_UNKNOWN": "the server refuses our certificate",
    "UNRECOGNIZED_NAME": "the server does not know itself by this name: say the right one with server_name=",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small to be safe",
    "EE_KEY_TOO_SMALL": "the server's certificate has too small a key",
    "CA_MD_TOO_WEAK": "the server's certificate is signed by too weak a hash",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "the server's TLS is too old to be safe (RFC 5746)",
}
_NETWORK: Final = {
    errno.ECONNREFUSED: "nothing listens there: is the port right, and the server running?",
    errno.EPIPE: "the server cut the connection",
    errno.EHOSTUNREACH: "no way leads to the host",
    errno.ENETUNREACH: "no way leads to the host's network",
    errno.ENOENT: "there is no such socket: is the path right, and the server running?",
    errno.EACCES: "this user may not connect to it",
    errno.EADDRNOTAVAIL: "source_address is none of this machine's",
}


def context_of(trust: Trust) -> ssl.SSLContext:
    """Make the context that *trust* describes; raise ``ConfigurationError`` for files that cannot be used.

    It verifies the server's certificate and name. Not so with a fingerprint: it is then for ``check_pin`` to say
    whether the certificate is the one, and nothing else about it matters, as it may be signed by nobody.
    """
    if trust.context is not None:
        return trust.context
    context = _believing(trust.ca)
    context.minimum_version = _VERSIONS[trust.minimum_version or VERSIONS[0]]
    if trust.pins or not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if trust.certificate is not None:
        _load_own(context, trust, trust.certificate)
    return context


def check_pin(trust: Trust, der: bytes | None) -> None:
    """Raise ``ssl.CertificateError`` unless the server's certificate, *der*, is one of those that *trust* pins."""
    found = sha256(der).hexdigest() if der else "none"
    if trust.pins and not any(compare_digest(found, pin) for pin in trust.pins):
        raise ssl.CertificateError(1, f"fingerprint: expected {' or '.join(trust.pins)}, got {found}")


def server_name_of(trust: Trust, endpoint: Endpoint) -> str:
    """The name that the server's certificate must be for, which is sent to it as well (RFC 6066 §3)."""
    # The zone of fe80::1%eth0 and a name's last dot are ours and the resolver's, no certificate has them.
    return trust.server_name or endpoint.host.partition("%")[0].removesuffix(".") or "localhost"


def explain(error: BaseException, endpoint: Endpoint, mode: TLSMode) -> str:
    """Say in one sentence why the connection to *endpoint* failed, and what to do about it; it is not named again."""
    match error:
        case ssl.SSLError():
            sentence = _tls_sentence(error, endpoint, mode)
        case socket.gaierror():
            sentence = _name_sentence(error)
        # Others have words of their own, such as those of a proxy.
        case TimeoutError() if not str(error) or "timed out" in str(error):
            sentence = f"no answer in time{_other_mode(endpoint, mode)}"
        case ConnectionResetError():
            sentence = f"the server cut the connection{_other_mode(endpoint, mode)}"
        case OSError():
            sentence = _NETWORK.get(error.errno or 0)
        case _:
            sentence = None
    return sentence or _shown(error)


def _tls_sentence(error: ssl.SSLError, endpoint: Endpoint, mode: TLSMode) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(getattr(error, "verify_code", 0))
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"the server ended the TLS handshake without a word{_other_mode(endpoint, mode)}"
    reason = getattr(error, "reason", "") or ""
    if reason not in _NOT_TLS:
        return next((sentence for end, sentence in _REASONS.items() if reason.endswith(end)), None)
    if mode is TLSMode.IMPLICIT:
        return f"{_port(endpoint)} speaks plaintext first: use tls=starttls"
    return "the server agreed to STARTTLS and then spoke no TLS: something in between may have spoilt it"


def _other_mode(endpoint: Endpoint, mode: TLSMode) -> str:
    """What to try where a server says nothing that can be understood."""
    if mode is TLSMode.IMPLICIT:
        return "" if endpoint.port == 465 else f": if {_port(endpoint)} speaks plaintext first, use tls=starttls"
    return ": port 465 begins with TLS: use tls=implicit" if endpoint.port == 465 else ""


def _port(endpoint: Endpoint) -> str:
    return "the socket" if endpoint.path else f"port {endpoint.port}"


def _name_sentence(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "the name cannot be looked up at present: is there a network, and a resolver?"
    return "no host is known by this name: is it spelt right?"


def _shown(error: BaseException) -> str:
    """The error's own words, in one line and without what a peer may have put there to mislead."""
    words = getattr(error, "verify_message", "") or getattr(error, "strerror", None) or str(error)
    line = "".join(character if character.isprintable() else "?" for character in words)
    return line or type(error).__name__


def _believing(ca: str | None) -> ssl.SSLContext:
    """A context that believes the authorities of the file or directory *ca*, the system's where there is none."""
    try:
        if ca is None:
            return ssl.create_default_context()
        is_directory = Path(ca).is_dir()
        context = ssl.create_default_context(cafile=None if is_directory else ca, capath=ca if is_directory else None)
    except OSError as error:
        raise ConfigurationError([f"ca: {ca}: {_file_fault(error)}"]) from None
    # What is named is believed, be it a server's own certificate or one in the middle; from Python 3.13 by default.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _load_own(context: ssl.SSLContext, trust: Trust, certificate: str) -> None:
    # A function, and never None: OpenSSL would ask on the terminal.
    def password() -> str:
        return "" if trust.key_password is None else revealed(trust.key_password, "key_password")

    try:
        context.load_cert_chain(certificate, trust.key, password)
    except (OSError, ValueError) as error:
        files = certificate if trust.key is None else f"{certificate} and {trust.key}"
        raise ConfigurationError([f"certificate: {files}: {_file_fault(error)}"]) from None


def _file_fault(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "expected the certificate's own key, got another"
    if isinstance(error, ssl.SSLError | ValueError):
        return "expected certificates and keys in PEM, and the key's password where it has one"
    return f"cannot be read: {error.strerror}"
