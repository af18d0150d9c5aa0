"""The options of ``ninsho send`` that sign and encrypt."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.errors import ConfigurationError
from ninsho.mail import signing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ninsho.mail.signing.signer import Signer


@Parameter(name="*")
@dataclass(frozen=True)
class SigningOptions:
    """Who signs a message, and for whom alone it is."""

    smime_certificate: Path | None = None
    """Sign by S/MIME: the certificate, with those that vouch for it behind."""
    smime_key: Path | None = None
    """Its private key."""
    pgp_key: str | None = None
    """Sign by PGP/MIME: the key's ID or address, as gpg knows it."""
    encrypt_for: tuple[Path, ...] = ()
    """Encrypt by S/MIME: the recipient's certificate; may be repeated."""
    pgp_encrypt_for: tuple[str, ...] = ()
    """Encrypt by PGP/MIME: the recipient's key; may be repeated."""
    dkim_domain: str | None = None
    """Sign for a domain (DKIM)."""
    dkim_selector: str | None = None
    """Which of the domain's keys it is."""
    dkim_key: Path | None = None
    """The private key of the selector."""

    @property
    def given(self) -> bool:
        """Whether anything is to be signed or encrypted."""
        return self != SigningOptions()

    def signers(self) -> "list[Signer]":
        """Return what signs and encrypts, in the order that works; raise ``WrongUsage`` where something lacks."""
        _together(dkim_domain=self.dkim_domain, dkim_selector=self.dkim_selector, dkim_key=self.dkim_key)
        _together(smime_certificate=self.smime_certificate, smime_key=self.smime_key)
        return list(self._signers())

    def _signers(self) -> "Iterator[Signer]":
        if (certificate := self.smime_certificate) is not None and (key := self.smime_key) is not None:
            with _named(certificate="--smime-certificate", key="--smime-key"):
                signed = signing.SmimeSigned(certificate, key)
            yield signed
        if self.pgp_key is not None:
            with _named(key_id="--pgp-key"):
                pgp_signed = signing.PgpSigned(self.pgp_key)
            yield pgp_signed
        yield from self._encrypting()
        if self.dkim_domain is not None and self.dkim_selector is not None and self.dkim_key is not None:
            with _named(domain="--dkim-domain", selector="--dkim-selector", key="--dkim-key"):
                dkim = signing.Dkim(self.dkim_domain, self.dkim_selector, self.dkim_key)
            yield dkim

    def _encrypting(self) -> "Iterator[Signer]":
        if self.encrypt_for:
            with _named(certificates="--encrypt-for"):
                encrypted = signing.SmimeEncrypted(self.encrypt_for)
            yield encrypted
        if self.pgp_encrypt_for:
            with _named(recipients="--pgp-encrypt-for"):
                pgp_encrypted = signing.PgpEncrypted(self.pgp_encrypt_for)
            yield pgp_encrypted


def _together(**options: object) -> None:
    lacking = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is None]
    if lacking and len(lacking) < len(options):
        raise WrongUsage(f"expected {' and '.join(lacking)} as well, got the others alone")


@contextmanager
def _named(**options: str) -> "Iterator[None]":
    """Let what is wrong with a signer be told of the *options* for its keywords."""
    try:
        yield
    except ConfigurationError as error:
        told = (problem.partition(":") for problem in error.problems)
        raise ConfigurationError([f"{options.get(word, word)}:{fault}" for word, _, fault in told]) from None
