"""A real Postfix for mail clients: with ninsho or with Cyrus SASL behind it, and under certificates that are no good."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from certificates import Certificates
from mail_server import PASSWORD, USER, MailServer
from mailboxes import Mailbox

from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix, reserved_port
from pretend_issuer import ISSUER, KEYS, jwks
from pretend_issuer import token as signed
from running import Server

EXAMPLES = Path(__file__).parents[2] / "examples"

# Postfix changes nothing of what a mail client wrote, and is not in the way of clients that send a lot.
UNTOUCHED = {
    "local_header_rewrite_clients": "",
    # What a client should not have sent is to be seen.
    "message_drop_headers": "",
    "message_size_limit": "52428800",
    "virtual_mailbox_limit": "0",
    "smtpd_sasl_mechanism_filter": "static:all",
}


def implicit_tls(port: int, **settings: object) -> str:
    """A line of master.cf for a port that speaks TLS from its first byte."""
    return smtpd(port, smtpd_tls_wrappermode="yes", **settings)


def smtpd(port: int, **settings: object) -> str:
    options = "".join(f" -o {name}={value}" for name, value in settings.items())
    return f"127.0.0.1:{port} inet n - n - - smtpd{options}"


NINSHO_OFFERS = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")
TOKENS = ("OAUTHBEARER", "XOAUTH2")
OREORE = "OREORE"

NINSHO = f"""
[failure]
delay = "0s"
[accounts]
key_file = "site.key"
[[listen]]
unix = "{{socket}}"
owner = "postfix"
mechanisms = {json.dumps([*NINSHO_OFFERS, *TOKENS, OREORE])}
[[mechanism]]
file = "{EXAMPLES}/oreore.py"
[[store]]
type = "passwd-file"
path = "users"
[[oauth]]
issuer = "{ISSUER}"
audience = ["smtp"]
jwks_file = "keys.json"
"""


@contextmanager
def postfix_with_ninsho(folder: Path, certificates: Certificates) -> Iterator[MailServer]:
    """Postfix, which asks ninsho; OREORE is offered as well, and lets in whoever says a name."""
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (folder / "keys.json").write_text(json.dumps(jwks(KEYS["ES256"])))
    with reserved_port() as tls_port, _postfix(certificates, tls_port) as postfix:
        socket = postfix.queue_directory / "private" / "auth"
        with Server(folder, NINSHO.format(socket=socket)):
            yield replace(
                served_by(postfix, "postfix+ninsho", tls_port, certificates),
                mechanisms=NINSHO_OFFERS,
                with_tokens=TOKENS,
                token=lambda: signed(email=USER, iat=None, exp=int(time.time()) + 600),
            )


CYRUS_OFFERS = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")
CYRUS = f"""\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {{database}}
mech_list: {" ".join(CYRUS_OFFERS)}
"""


@contextmanager
def postfix_with_cyrus(_: Path, certificates: Certificates) -> Iterator[MailServer]:
    """Postfix with Cyrus SASL, which finds the passwords in a sasldb2."""
    with reserved_port() as tls_port, _asking_cyrus(certificates, tls_port) as postfix:
        yield replace(served_by(postfix, "postfix+cyrus", tls_port, certificates), mechanisms=CYRUS_OFFERS)


@contextmanager
def _asking_cyrus(
    certificates: Certificates, tls_port: int, *, extra_master: Sequence[str] = ()
) -> Iterator[ThrowawayPostfix]:
    main = {
        "smtpd_sasl_type": "cyrus",
        # The name of the configuration's file, without its ending.
        "smtpd_sasl_path": "smtpd",
        "cyrus_sasl_config_path": "$config_directory/sasl",
        "smtpd_sasl_local_domain": DOMAIN,
    }
    with _postfix(certificates, tls_port, extra_main=main, extra_master=extra_master) as postfix:
        _enrol(postfix.config_directory / "sasl")
        yield postfix


def _enrol(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    database = folder / "sasldb2"
    (folder / "smtpd.conf").write_text(CYRUS.format(database=database))
    user, _, realm = USER.partition("@")
    saslpasswd2 = str(shutil.which("saslpasswd2", path="/usr/bin:/usr/sbin"))
    command = [saslpasswd2, "-p", "-c", "-f", str(database), "-u", realm, user]
    subprocess.run(command, input=PASSWORD.encode(), check=True, timeout=30)
    # It is read by smtpd(8), as the user postfix.
    database.chmod(0o644)


def _postfix(
    certificates: Certificates,
    tls_port: int,
    *,
    extra_main: Mapping[str, str] = UNTOUCHED,
    extra_master: Sequence[str] = (),
) -> ThrowawayPostfix:
    return ThrowawayPostfix(
        certificate=certificates.good,
        extra_main={**UNTOUCHED, **extra_main},
        extra_master=[implicit_tls(tls_port), *extra_master],
    )


def served_by(postfix: ThrowawayPostfix, name: str, tls_port: int, certificates: Certificates) -> MailServer:
    mailbox = Mailbox(postfix.directory / "mail" / "all")
    return MailServer(name, postfix.port, tls_port, certificates.authority, (), mailbox, postfix)


@contextmanager
def untrustworthy(certificates: Certificates) -> Iterator[dict[str, MailServer]]:
    """One Postfix under certificates that no client should take: by the names that ``Certificates`` has for them."""
    with ExitStack() as stack:
        ports = {
            name: [stack.enter_context(reserved_port()) for _ in "12"]
            for name in ("expired", "wrong_name", "unknown_authority")
        }
        lines = [
            line for name, (port, tls_port) in ports.items() for line in _under(certificates, name, port, tls_port)
        ]
        tls_port = stack.enter_context(reserved_port())
        postfix = stack.enter_context(_asking_cyrus(certificates, tls_port, extra_master=lines))
        server = replace(served_by(postfix, "", tls_port, certificates), mechanisms=CYRUS_OFFERS)
        yield {
            name: replace(server, name=name, port=port, tls_port=tls_port) for name, (port, tls_port) in ports.items()
        }


def _under(certificates: Certificates, name: str, port: int, tls_port: int) -> list[str]:
    path = getattr(certificates, name)
    settings = {"smtpd_tls_cert_file": path, "smtpd_tls_key_file": path}
    return [smtpd(port, **settings), implicit_tls(tls_port, **settings)]
