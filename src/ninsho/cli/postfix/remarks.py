"""What else in Postfix's configuration keeps users from logging in, or from sending once they have."""

from collections.abc import Callable, Iterator, Sequence

from ninsho.cli.postfix.postconf import Postconf, Service

CERTIFICATES = ("smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file")


def remarks(postconf: Postconf, services: Sequence[Service]) -> Iterator[str]:
    """Yield a sentence for each obstacle at *services*; *postconf* is the configuration with its changes."""
    overrides = postconf.overrides()
    for service in services:

        def value(name: str, service: Service = service) -> str:
            return overrides.get(f"{service.path}/{name}") or postconf.value(name)

        yield from (f"{service.name}: {sentence}" for sentence in _obstacles(value))


def _obstacles(value: Callable[[str], str]) -> Iterator[str]:
    if value("smtpd_tls_auth_only") == "yes" and not _can_start_tls(value):
        yield (
            "passwords wait for TLS, and TLS cannot start: `postfix tls enable-server` makes a certificate "
            "(https://www.postfix.org/TLS_README.html), or take --no-tls on a network of your own"
        )
    if not _lets_users_relay(value):
        yield "smtpd_relay_restrictions and smtpd_recipient_restrictions lack permit_sasl_authenticated"


def _can_start_tls(value: Callable[[str], str]) -> bool:
    offered = (
        value("smtpd_tls_security_level") not in {"", "none"}
        or value("smtpd_use_tls") == "yes"
        or value("smtpd_tls_wrappermode") == "yes"
    )
    return offered and any(value(name) not in {"", "none"} for name in CERTIFICATES)


def _lets_users_relay(value: Callable[[str], str]) -> bool:
    restrictions = value("smtpd_relay_restrictions") + " " + value("smtpd_recipient_restrictions")
    # Through a parameter of the site's own, or a restriction class, it may be said as well.
    return "permit_sasl_authenticated" in restrictions or "$" in restrictions
