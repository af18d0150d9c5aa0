"""What has to change in Postfix's configuration, and no more than that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ninsho.cli.postfix.postconf import Postconf, Service

ENABLE = {"smtpd_sasl_auth_enable": "yes"}

SUBMISSION_PORTS = frozenset(("submission", "587", "submissions", "smtps", "465"))
PORT_25 = frozenset(("smtp", "25", "smtpd"))

NEW_SERVICE = "submission/inet"
NEW_SERVICE_LINE = "submission inet n - {chroot} - - smtpd"
# RFC 6409 §4.3: whoever submits has logged in. Others must not even get to MAIL.
NEW_SERVICE_SETTINGS = {
    "syslog_name": "postfix/submission",
    "smtpd_tls_security_level": "encrypt",
    **ENABLE,
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
}


@dataclass(frozen=True, slots=True)
class Changes:
    """Settings of main.cf, services to add to master.cf, and settings of single services there."""

    main: Mapping[str, str]
    added: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    def apply(self, postconf: Postconf) -> None:
        """Have Postfix's own program make them."""
        postconf.set(self.main)
        for service, line in self.added.items():
            postconf.add(service, line)
        postconf.override(self.overrides)


def main_settings(path: str, *, tls: bool) -> dict[str, str]:
    """Return what main.cf says for a server at *path*; with *tls*, nobody is asked for a password before STARTTLS."""
    return {
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": path,
        "smtpd_sasl_security_options": "noanonymous",
        **({"smtpd_tls_auth_only": "yes"} if tls else {}),
    }


def needed(
    postconf: Postconf, settings: Mapping[str, str], services: Sequence[Service], *, chroot: bool, tls: bool
) -> Changes:
    """Return what differs from *settings*, with AUTH on *services*.

    Where there are none, submission is added, with *chroot* if its smtpd may have one.
    """
    main = {name: value for name, value in settings.items() if postconf.value(name) != value}
    if not services:
        line = NEW_SERVICE_LINE.format(chroot="y" if chroot else "n")
        new = NEW_SERVICE_SETTINGS if tls else {**NEW_SERVICE_SETTINGS, "smtpd_tls_security_level": "may"}
        return Changes(main, {NEW_SERVICE: line}, {f"{NEW_SERVICE}/{name}": value for name, value in new.items()})
    held = postconf.overrides()
    wanted: dict[str, str] = {}
    for service in services:
        # Where a service sets one of ours for itself, it would not see main.cf's.
        own = {name: value for name, value in settings.items() if f"{service.path}/{name}" in held}
        wanted |= {f"{service.path}/{name}": value for name, value in {**own, **ENABLE}.items()}
    return Changes(main, {}, {name: value for name, value in wanted.items() if held.get(name) != value})


def login_services(services: list[Service], *, port_25: bool) -> list[Service]:
    """Return the services on which users log in."""
    ports = SUBMISSION_PORTS | PORT_25 if port_25 else SUBMISSION_PORTS
    return [
        service
        for service in services
        if service.command == "smtpd" and service.kind in {"inet", "pass"} and service.port in ports
    ]
