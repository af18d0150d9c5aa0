"""EXTERNAL (RFC 4422 appendix A): the connection itself has proved who the client is, as by a certificate."""

from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, PeerName, Remark
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism


def external(response: bytes | None) -> Dialogue:
    """The server's side; the client may say whom to act as, and is never asked who it is."""
    if response is None:
        response = yield from Challenge(b"")
    name = yield from PeerName()
    # A certificate without a user name proves nobody, whatever name the client gives (Dovecot's CVE-2019-3814).
    if name is None:
        yield from Remark("the connection proves no user name")
        return Denied(Denial.MISMATCH)
    return Granted(Identity.parse(name.encode(), response))


def external_client(credentials: Credentials) -> Steps:
    """The client's side: whom to act as, or nothing."""
    yield credentials.authzid.encode()


# Postfix and Exim do not tell the name in a certificate.
EXTERNAL = Mechanism("EXTERNAL", external, external_client, needs=PeerName, default=False, vouched=True)
