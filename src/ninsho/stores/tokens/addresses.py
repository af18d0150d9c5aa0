"""The addresses of issuers: which may be asked, and where an issuer says more about itself."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def configuration_of(issuer: str) -> str:
    """The URL of an issuer's metadata (OpenID Connect Discovery §4)."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def url_fault(url: str) -> str | None:
    """Why *url* may not be asked; None if it may: what is sent there is encrypted, or never leaves the machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "expected a URL"
    if parts.username is not None or parts.password is not None:
        return "expected a URL without a user name and a password, got one with them"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))):
        return None
    return "expected a URL with https, or with http and a loopback address"


def onward_fault(url: str, origin: str) -> str | None:
    """Why *url* may not be asked because the document at *origin*, a good URL, names it; None if it may.

    Only what is on this machine leads to a place on it: there stand services that trust whoever can ask them.
    """
    if fault := url_fault(url):
        return fault
    if _is_loopback(urlsplit(url).hostname or "") and not _is_loopback(urlsplit(origin).hostname or ""):
        return "expected a URL with https and no loopback address, as the issuer has none"
    return None


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    # ::ffff:127.0.0.1 is 127.0.0.1 (RFC 4291 §2.5.5.2).
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
