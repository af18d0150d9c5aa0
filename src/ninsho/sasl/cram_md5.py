"""CRAM-MD5 (RFC 2195): the password as the key of a digest over the server's challenge."""

import binascii
from collections.abc import Callable
from hmac import compare_digest
from os import urandom
from typing import Final

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, Lookup
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.sasl.secrets import CramKey, CramSecret, Password

SECRETS: Final[tuple[type[CramSecret], ...]] = (Password, CramKey)
DIGEST_SIZE = 16  # octets
DECOY = Password(b"")


def message_id() -> bytes:
    """A challenge that never comes again, in the form of a message id (RFC 2195 §2)."""
    return f"<{urandom(16).hex()}@ninsho.invalid>".encode()


def cram_md5(response: bytes | None, *, challenge: Callable[[], bytes] = message_id) -> Dialogue:  # noqa: ARG001 - the server goes first, whatever the client sent
    """The server's side."""
    text = challenge()
    # The digest stands behind the last space: user names may hold spaces.
    authcid, separator, digits = (yield from Challenge(text)).rpartition(b" ")
    if not separator:
        raise MalformedMessage("expected a user name, a space and a digest, got no space")
    identity = Identity.parse(authcid)
    digest = parse_digest(digits)
    secret = yield from Lookup(identity.authcid, SECRETS)
    # An unknown user costs the same digest.
    matches = compare_digest((secret or DECOY).cram_md5(text), digest)
    if secret is None or not matches:
        return Denied(Denial.MISMATCH)
    return Granted(identity)


def parse_digest(digits: bytes) -> bytes:
    """The 16 octets of a digest; upper-case digits, which RFC 2195 does not have, pass as well."""
    if len(digits) != 2 * DIGEST_SIZE:
        raise MalformedMessage(f"expected {2 * DIGEST_SIZE} hexadecimal digits, got {len(digits)} octets")
    try:
        return binascii.a2b_hex(digits)
    except binascii.Error:
        raise MalformedMessage("expected hexadecimal digits in the digest") from None


def cram_md5_client(credentials: Credentials) -> Steps:
    """The client's side."""
    challenge = yield None
    if challenge is None:
        raise ExchangeError("the server reported success without a challenge")
    digest = Password(credentials.password.encode()).cram_md5(challenge)
    yield credentials.username.encode() + b" " + digest.hex().encode()


CRAM_MD5 = Mechanism(
    "CRAM-MD5",
    cram_md5,
    cram_md5_client,
    Properties.DICTIONARY | Properties.ACTIVE,
    needs=Lookup,
    secrets=SECRETS,
    default=False,
)
