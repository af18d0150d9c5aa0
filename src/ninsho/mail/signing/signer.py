"""What signs or encrypts a message, and in which order several do."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ninsho.errors import ConfigurationError
from ninsho.mail.signing.dkim import Dkim


@runtime_checkable
class Signer(Protocol):
    """Signs or encrypts; called from several threads at once."""

    def sign(self, octets: bytes) -> bytes:
        """Take a whole message, and return the whole message that is sent for it; raise ``Unsendable``.

        Nothing of it may depend on Bcc, which is taken out on the way.
        """
        ...


def signed(octets: bytes, signers: Sequence[Signer]) -> bytes:
    """Let each of *signers* sign in turn; raise ``ConfigurationError`` where one would break another's signature."""
    refuse_disorder(signers)
    for signer in signers:
        octets = signer.sign(octets)
    return octets


def refuse_disorder(signers: Sequence[Signer]) -> None:
    """Raise ``TypeError`` for what is no signer, ``ConfigurationError`` for an order that cannot work."""
    if not isinstance(signers, Sequence):
        raise TypeError(f"sign: expected a list of signers such as [Dkim(...)], got {type(signers).__name__}")
    last: Signer | None = None
    for signer in signers:
        if not isinstance(signer, Signer):
            raise TypeError(f"expected signers such as Dkim(...), got {type(signer).__name__}")
        # S/MIME and PGP/MIME write the body anew, which DKIM covers (RFC 6376 §3.7).
        if isinstance(last, Dkim) and not isinstance(signer, Dkim):
            raise ConfigurationError([f"expected DKIM behind all other signers, got {type(signer).__name__} behind it"])
        last = signer
