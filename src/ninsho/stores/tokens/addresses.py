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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
