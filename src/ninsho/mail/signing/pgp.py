"""PGP/MIME (RFC 3156), signed and encrypted by the program gpg."""

import os
import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field

from ninsho.errors import ConfigurationError
from ninsho.mail.content import crlf
from ninsho.mail.signing.gpg import Gpg, Passphrase
from ninsho.mail.signing.inner import Inner, boundary_for, multipart, part
from ninsho.mail.unsendable import excerpt

# A key's ID of 64 bits, or its fingerprint; with ! that very subkey.
_KEY = re.compile(r"(?:0x)?(?P<digits>(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})!?)")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_USER_ID = re.compile(r"=.+")
_UNFIT = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class PgpSigned:
    """Signs with the key *key_id*: a fingerprint best, or an address, or ``=`` and a whole user ID.

    The key is in *home*, or where gpg looks; *passphrase* unlocks it, else gpg's agent asks for it. Raises
    ``ConfigurationError`` for what cannot work; ``sign`` raises ``Unsendable`` where gpg is missing or refuses.
    """

    key_id: str
    _: KW_ONLY
    home: os.PathLike[str] | str | None = None
    passphrase: str | Passphrase | None = field(default=None, repr=False)
    program: str = "gpg"
    timeout: float = 60.0
    _gpg: Gpg = field(init=False, repr=False)
    _arguments: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_arguments", (_named("local-user", self.key_id, "key_id"), "--detach-sign"))
        _make_ready(self)

    def sign(self, octets: bytes) -> bytes:
        """Return the signed message; raise ``Unsendable``."""
        inner = Inner.of(octets)
        answer = self._gpg.run(self._arguments, inner.entity)
        signature = part(
            'Content-Type: application/pgp-signature; name="signature.asc"',
            "Content-Description: OpenPGP digital signature",
            'Content-Disposition: attachment; filename="signature.asc"',
            body=crlf(answer.output),
        )
        boundary = boundary_for((inner.entity, signature))
        protocol = 'protocol="application/pgp-signature"'
        return inner.within(
            f'Content-Type: multipart/signed; micalg={answer.micalg()};\r\n {protocol};\r\n boundary="{boundary}"',
            body=multipart((inner.entity, signature), boundary),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PgpEncrypted:
    """Encrypts for *recipients*, and for nobody else: the sender belongs there too.

    A key is named as for ``PgpSigned``, and must be on the keyring: none is looked up elsewhere. Those in *hidden* can
    read it as well, and nobody sees that: for blind copies. *sign_with* is the key that signs within. *always_trust*
    takes keys of which nobody has said whose they are. The header stays readable but for what is said of the content:
    Subject also. Raises ``ConfigurationError`` for what cannot work; ``sign`` raises ``Unsendable`` where gpg is
    missing or refuses.
    """

    recipients: Sequence[str]
    _: KW_ONLY
    hidden: Sequence[str] = ()
    home: os.PathLike[str] | str | None = None
    sign_with: str | None = None
    passphrase: str | Passphrase | None = field(default=None, repr=False)
    always_trust: bool = False
    program: str = "gpg"
    timeout: float = 60.0
    _gpg: Gpg = field(init=False, repr=False)
    _arguments: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.recipients and not self.hidden:
            raise ConfigurationError(["recipients: expected names of keys, got none"])
        arguments = [
            *_all_named("recipient", self.recipients, "recipients"),
            *_all_named("hidden-recipient", self.hidden, "hidden"),
        ]
        if self.sign_with is not None:
            arguments += [_named("local-user", self.sign_with, "sign_with"), "--sign"]
        if self.always_trust:
            arguments.append("--trust-model=always")
        object.__setattr__(self, "_arguments", (*arguments, "--encrypt"))
        _make_ready(self)

    def sign(self, octets: bytes) -> bytes:
        """Return the encrypted message; raise ``Unsendable``."""
        inner = Inner.of(octets)
        answer = self._gpg.run(self._arguments, inner.entity)
        version = part("Content-Type: application/pgp-encrypted", body=b"Version: 1\r\n")
        encrypted = part(
            'Content-Type: application/octet-stream; name="encrypted.asc"',
            'Content-Disposition: inline; filename="encrypted.asc"',
            body=crlf(answer.output),
        )
        boundary = boundary_for((version, encrypted))
        return inner.within(
            f'Content-Type: multipart/encrypted;\r\n protocol="application/pgp-encrypted";\r\n boundary="{boundary}"',
            body=multipart((version, encrypted), boundary),
        )


def _make_ready(signer: PgpSigned | PgpEncrypted) -> None:
    """Give *signer* its program, and take its passphrase out of sight."""
    passphrase = Passphrase.of(signer.passphrase)
    gpg = Gpg(home=signer.home, passphrase=passphrase, program=signer.program, timeout=signer.timeout)
    object.__setattr__(signer, "passphrase", passphrase)
    object.__setattr__(signer, "_gpg", gpg)


def _all_named(option: str, names: Sequence[str], place: str) -> list[str]:
    if isinstance(names, str):
        raise TypeError(f"{place}: expected a list of names, got a str")
    return [_named(option, name, place) for name in names]


def _named(option: str, name: str, place: str) -> str:
    """Return the argument for a key, as gpg takes no other for it: of part of a name it makes any key that has it."""
    if not isinstance(name, str):
        raise TypeError(f"{place}: expected a str, got {type(name).__name__}")
    if not _UNFIT.search(name):
        if key := _KEY.fullmatch(name):
            # Without 0x, a length that a gpg does not know is part of a name to it.
            return f"--{option}=0x{key['digits']}"
        if _ADDRESS.fullmatch(name):
            return f"--{option}=<{name}>"
        if _USER_ID.fullmatch(name):
            return f"--{option}={name}"
    raise ConfigurationError([f"{place}: expected a fingerprint, an address or =User ID, got {excerpt(name)}"])
