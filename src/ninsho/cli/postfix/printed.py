"""The lines for main.cf and master.cf, as one would write them by hand."""

from collections.abc import Iterator, Mapping
from pathlib import Path

SPAWN = "ninsho-spawn"

SERVICES: Mapping[str, Mapping[str, str]] = {
    "submission": {"smtpd_tls_security_level": "encrypt"},
    "submissions": {"smtpd_tls_wrappermode": "yes"},
}


def main_lines(settings: Mapping[str, str]) -> list[str]:
    """Return the lines of main.cf."""
    return ["# main.cf", *(f"{name} = {value}" for name, value in settings.items())]


def service_lines(*, chroot: bool) -> list[str]:
    """Return the lines of master.cf: logins on the submission ports, and nowhere else."""
    lines = ["# master.cf: logins on ports 587 and 465, and none on 25"]
    for name, settings in SERVICES.items():
        lines.append(f"{name} inet n - {'y' if chroot else 'n'} - - smtpd")
        options = {
            "syslog_name": f"postfix/{name}",
            **settings,
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
        }
        lines += [f"  -o {option}={value}" for option, value in options.items()]
    return lines


def spawn_lines(command: str, config: Path | None) -> Iterator[str]:
    """Yield the lines of master.cf by which spawn(8) runs one process for each smtpd; no server is needed then."""
    option = "" if config is None else f" --config {config}"
    yield "# master.cf: the user must be able to read the configuration and the accounts; root and postfix are refused"
    yield f"{SPAWN} unix - n n - 0 spawn"
    yield f"  user=nobody argv={command} serve --stdio{option}"
    yield "# main.cf: after this time spawn(8) kills the process, busy or not"
    yield f"{SPAWN}_time_limit = 1d"
