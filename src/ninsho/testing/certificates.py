"""The server's certificate: read from files, or made for the test by trustme."""

import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import trustme

HOSTS = ("localhost", "127.0.0.1", "::1")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with what uses it.

    ``context`` is the server's; ``der`` the certificate itself, which channel binding takes; ``authority`` (PEM) is
    what a client must believe.
    """

    context: ssl.SSLContext = field(repr=False)
    der: bytes = field(repr=False)
    authority: str = field(repr=False)
    maker: "trustme.CA | None" = field(default=None, repr=False)

    @classmethod
    def read(
        cls, certificate: Path | str, key: Path | str | None = None, *, clients: Path | str | None = None
    ) -> "Certificate":
        """Read PEM files; clients may show a certificate that an authority in the file *clients* has issued."""
        context = _context()
        context.load_cert_chain(certificate, key)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_OPTIONAL
        pems = _PEM.findall(Path(certificate).read_text())
        return cls(context, ssl.PEM_cert_to_DER_cert(pems[0]), "\n".join(pems))

    @classmethod
    def made(cls, *names: str, expired: bool = False) -> "Certificate":
        """Make one for these host names and addresses (none: this machine's); needs the package trustme."""
        maker = _trustme().CA()
        yesterday = datetime.now(UTC) - timedelta(days=1)
        days = {"not_before": yesterday - timedelta(days=9), "not_after": yesterday} if expired else {}
        leaf = maker.issue_cert(*(names or HOSTS), **days)
        context = _context()
        leaf.configure_cert(context)
        maker.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        return cls(context, der, maker.cert_pem.bytes().decode(), maker)

    def trusting(self) -> ssl.SSLContext:
        """A client's context that believes this server, and nobody else."""
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.authority)
        return context

    def client_pem(self, username: str) -> bytes:
        """A certificate (PEM, its key in it) that proves *username* to a server with this one, made by trustme."""
        if self.maker is None:
            raise ValueError("client_pem: expected a certificate that Certificate.made has made")
        leaf = self.maker.issue_cert(common_name=username)
        return leaf.private_key_and_cert_chain_pem.bytes()


def peer_name(tls: ssl.SSLObject | None) -> str | None:
    """The user name in the client's certificate: its common name, else its mail address."""
    shown = (tls.getpeercert() if tls is not None else None) or {}
    subject: Any = shown.get("subject", ())
    names = [value for part in subject for name, value in part if name == "commonName"]
    alternatives: Any = shown.get("subjectAltName", ())
    return next(iter(names + [value for kind, value in alternatives if kind == "email"]), None)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A client that hangs up before it has read its tickets would make TCP reset the connection.
    context.num_tickets = 0
    return context


def _trustme() -> Any:  # noqa: ANN401 - a module
    try:
        import trustme  # noqa: PLC0415 - optional
    except ImportError:
        raise RuntimeError(
            "a certificate for the test takes the package trustme (pip install trustme);"
            " or give your own: MailServer(certificate=Certificate.read(…))"
        ) from None
    return trustme
