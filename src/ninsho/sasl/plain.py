"""PLAIN (RFC 4616): authzid, authcid and password in one message."""

from ninsho.errors import MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, Verify
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.text import decode_password


def plain(response: bytes | None) -> Dialogue:
    """The server's side: one message, one question."""
    if response is None:
        response = yield from Challenge(b"")
    match response.split(b"\0"):
        case [authzid, authcid, password]:
            identity = Identity.parse(authcid, authzid)
        case parts:
            raise MalformedMessage(f"expected authzid, authcid and password, got {len(parts)} parts")
    if not (yield from Verify(identity.authcid, decode_password(password))):
        return Denied(Denial.MISMATCH)
    return Granted(identity)


def plain_client(credentials: Credentials) -> Steps:
    """The client's side."""
    yield f"{credentials.authzid}\0{credentials.username}\0{credentials.password}".encode()


PLAIN = Mechanism("PLAIN", plain, plain_client, Properties.PLAINTEXT, Verify, binary=True)
