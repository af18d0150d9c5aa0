"""What is wrong with a server, in plain words, each with what to do about it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from ninsho.cli.probe.certificate import Certificate
from ninsho.cli.probe.look import Hello, Look
from ninsho.cli.send.words import in_options, said
from ninsho.sasl.mechanism import Properties
from ninsho.sasl.registry import clients

SUBMISSION_PORTS: Final = (587, 465)
SLOW = 5.0  # seconds
SOON = 14  # days
_NAMES_MISSED = "many sites refuse mail from, and programs distrust, a server that does not know its name"
# What each extension is missed for.
_MISSED: Final = {
    "8BITMIME": "text that is not ASCII must be converted on its way, which breaks signatures",
    "PIPELINING": "each command waits for the reply to the one before, which is slow over a distance",
    "SIZE": "a message that is too large is sent in full before it is refused",
    "SMTPUTF8": "nobody with an address that is not ASCII can be written to",
}
# Their secrets are the passwords themselves, or as good (RFC 2195 §5, RFC 2831 §3.9).
_STORED_IN_CLEAR: Final = ("CRAM-MD5", "DIGEST-MD5")
_OLD_TLS: Final = ("SSLv3", "TLSv1", "TLSv1.1")


class Fault(NamedTuple):
    """Something that is wrong, and what to do; one that is not ``grave`` is only worth knowing."""

    what: str
    remedy: str
    grave: bool = True


def faults_of(found: Look, certificate: Certificate | None, now: datetime) -> list[Fault]:
    """Return all that is wrong, the grave first."""
    every = (
        *_of_the_talk(found),
        *_in_clear(found),
        *_of_tls(found),
        *_of_the_certificate(found, certificate, now),
        *_of_mechanisms(found),
        *_of_extensions(found),
        *_of_the_name(found),
    )
    return sorted(every, key=lambda fault: not fault.grave)


def _of_the_talk(found: Look) -> Iterator[Fault]:
    if found.error is not None:
        what, _, remedy = said(found.error).removeprefix(f"{found.endpoint}: ").partition(": ")
        yield Fault(what, remedy)
    if found.seconds.get("greeting", 0) > SLOW:
        yield Fault(
            f"greets after {found.seconds['greeting']:.0f} s",
            "some programs do not wait that long: look at its name server, its lists of spammers and its delays",
            grave=False,
        )
    if found.sneaked:
        yield Fault(
            "takes what came in clear behind STARTTLS for a command inside of TLS (CVE-2011-0411)",
            "whoever stands in between can put commands in front of the client's: install a newer version",
        )


def _in_clear(found: Look) -> Iterator[Fault]:
    if found.before is None:
        return
    # Nobody listens on a machine's way to itself.
    grave = not found.endpoint.loopback
    known = clients()
    offered = found.before.capabilities.mechanisms
    shown = [name for name in offered if name in known and Properties.PLAINTEXT in known[name].properties]
    if shown:
        yield Fault(
            f"offers {' '.join(shown)} before TLS: whoever listens can read the password",
            "offer AUTH inside of TLS only (Postfix: smtpd_tls_auth_only = yes; Dovecot: ssl = required)",
            grave,
        )
    if found.secured is None and "STARTTLS" not in found.before.capabilities and found.error is None:
        yield Fault(
            "has no TLS: mail and logins can be read and changed on their way",
            "set up a certificate and STARTTLS (Postfix: smtpd_tls_chain_files, smtpd_tls_security_level = may)",
            grave,
        )


def _of_tls(found: Look) -> Iterator[Fault]:
    newer = "switch to TLS 1.2 and 1.3 (RFC 8996; Postfix: smtpd_tls_mandatory_protocols = >=TLSv1.2)"
    if found.secured and found.secured.version in _OLD_TLS:
        yield Fault(f"speaks {found.secured.version} only, which is broken", newer)
    elif found.old:
        yield Fault(f"agrees to {found.old} as well, which is broken", newer, grave=False)
    if found.after and "STARTTLS" in found.after.capabilities:
        yield Fault(
            "offers STARTTLS inside of TLS, which no server may (RFC 3207 §4.2)",
            "something in between may answer in the server's place: look at what stands in front of it",
        )


def _of_the_certificate(found: Look, certificate: Certificate | None, now: datetime) -> Iterator[Fault]:
    if found.distrust:
        what, _, remedy = in_options(found.distrust).partition(": ")
        yield Fault(what, remedy or "clients refuse it: install one that is good")
    if certificate is None:
        if found.secured:
            yield Fault("shows no certificate that can be read", "install another one")
        return
    # Only the first that is wrong with it is the reason why it is not believed.
    if certificate.not_after < now and "expired" not in found.distrust:
        yield Fault("the server's certificate has expired", "it must be renewed there")
    elif 0 <= (left := certificate.days_left(now)) < SOON:
        yield Fault(f"its certificate expires in {left} days", "renew it, and see why that does not happen by itself")
    host = found.endpoint.host
    if host and not certificate.is_for(host) and found.distrust and "for another name" not in found.distrust:
        yield Fault(f"its certificate is not for {host}", "install one that is, or use the name that it is for")


def _of_mechanisms(found: Look) -> Iterator[Fault]:
    hello = found.last
    if hello is None:
        return
    offered = hello.capabilities.mechanisms
    if not offered and found.endpoint.port in SUBMISSION_PORTS:
        yield Fault(
            "lets nobody log in, on a port for submission",
            "offer AUTH (Postfix: smtpd_sasl_auth_enable = yes), or close the port",
        )
    if _only_old_form(hello):
        yield Fault(
            "offers AUTH only with =, as before RFC 2554: most clients of today do not see it",
            'say "AUTH PLAIN …" besides (Postfix: broken_sasl_auth_clients adds the old form, and keeps the new one)',
        )
    if stored := [name for name in offered if name in _STORED_IN_CLEAR]:
        yield Fault(
            f"offers {' '.join(stored)}: the server must store passwords in a form that can be read, or as good as",
            "offer SCRAM-SHA-256 instead, and PLAIN inside of TLS for those who do not know it",
            grave=False,
        )


def _only_old_form(hello: Hello) -> bool:
    words = [line.split(b" ")[0].upper() for line in hello.reply.lines[1:]]
    return b"AUTH" not in words and any(word.startswith(b"AUTH=") for word in words)


def _of_extensions(found: Look) -> Iterator[Fault]:
    if found.last is None:
        return
    capabilities = found.last.capabilities
    for keyword, missed in _MISSED.items():
        if keyword not in capabilities:
            yield Fault(f"{keyword} missing: {missed}", f"offer {keyword}, unless there is a reason", grave=False)


def _of_the_name(found: Look) -> Iterator[Fault]:
    name = found.last.capabilities.name if found.last else ""
    if not found.endpoint.loopback and found.last and "." not in name and ":" not in name:
        yield Fault(
            f"calls itself {name or 'nothing'}, which is no name of the DNS (RFC 5321 §4.1.1.1)",
            f"give it its full name (Postfix: myhostname): {_NAMES_MISSED}",
            grave=False,
        )
