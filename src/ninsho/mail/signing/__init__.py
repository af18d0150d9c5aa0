"""Signing and encrypting whole messages: DKIM, S/MIME, PGP/MIME. No network; gpg is the only program that is run."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ninsho.mail.signing.dkim import Dkim
    from ninsho.mail.signing.pgp import PgpEncrypted, PgpSigned
    from ninsho.mail.signing.signer import Signer
    from ninsho.mail.signing.smime import SmimeEncrypted, SmimeSigned

__all__ = ["Dkim", "PgpEncrypted", "PgpSigned", "Signer", "SmimeEncrypted", "SmimeSigned"]

# Loaded when asked for: each takes something else.
_PLACES = {
    "Dkim": "ninsho.mail.signing.dkim",
    "PgpEncrypted": "ninsho.mail.signing.pgp",
    "PgpSigned": "ninsho.mail.signing.pgp",
    "Signer": "ninsho.mail.signing.signer",
    "SmimeEncrypted": "ninsho.mail.signing.smime",
    "SmimeSigned": "ninsho.mail.signing.smime",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'ninsho.mail.signing' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
