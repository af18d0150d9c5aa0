"""DKIM: a domain takes the responsibility for a message (RFC 6376), with RSA or Ed25519 (RFC 8463)."""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from ninsho.domains import a_labels
from ninsho.errors import ConfigurationError
from ninsho.mail.headers import header_size
from ninsho.mail.signing.canonical import as_it_is, canonical, is_robust
from ninsho.mail.signing.dkim_canonical import (
    OF_BODIES,
    OF_FIELDS,
    Canonicalization,
    SignedField,
    fields_in_order,
    refuse_control,
    without_gaps,
)
from ninsho.mail.signing.keys import KeyMaterial, need_cryptography, private_key
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

EightBit: TypeAlias = Literal["convert", "refuse", "keep"]

# RFC 6376 §5.4.1, RFC 8058 §4 and what bulk senders are told by: signed wherever they stand.
SIGNED: Final = (
    *("From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description"),
    *("Resent-Date", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Message-ID"),
    *("List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe"),
    *("List-Post", "List-Owner", "List-Archive", "Auto-Submitted", "Feedback-ID"),
)
# One more of these would show another message than was signed (RFC 6376 §5.4.2, §8.15).
OVERSIGNED: Final = (
    *("From", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post"),
)
# A submission server may add these where they are missing (RFC 6409 §8).
_ADDED = frozenset(("date", "message-id", "sender"))
# They change on the way, or go away (RFC 6376 §5.4).
_NEVER = frozenset(("bcc", "resent-bcc", "return-path", "received", "dkim-signature"))
_RSA_SIZE = 1024  # bits: verifiers take no less (RFC 8301 §3.2), and advise 2048
_WIDTH = 72
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_LOCAL_PART = re.compile(r"[!-:<>-~]*")
_NAME = re.compile(r"[!-9<-~]+")


@dataclass(frozen=True, slots=True, eq=False)
class Dkim:
    """Signs for *domain* with the *key* whose public half stands in the DNS under *selector*.

    *key* is RSA (1024 bits at least, 2048 advised) or Ed25519: PEM text, octets, or a ``Path``; Ed25519 also as 32
    octets in base64. Give two signers for two signatures: Ed25519 is not verified everywhere. *headers* are the names
    of what is signed wherever it stands; of those in *oversign* no more can be added. *canonicalization* is that of
    header and body: programs read relaxed alike, but simple not where a field is empty. *expires* is how long the
    signature is good, *identity* the i= tag. Messages that servers may write anew on the way, 8-bit or in lines of over
    998 octets, are encoded first; with *eight_bit* they are refused, or kept as they are. Raises ``ConfigurationError``
    for what cannot work, ``Unsendable`` without the package cryptography.
    """

    domain: str
    selector: str
    key: InitVar[KeyMaterial]
    _: KW_ONLY
    headers: Sequence[str] | None = None
    canonicalization: tuple[Canonicalization, Canonicalization] = ("relaxed", "relaxed")
    oversign: Sequence[str] = field(default=OVERSIGNED, repr=False)
    expires: timedelta | None = None
    identity: str | None = None
    eight_bit: EightBit = "convert"
    password: InitVar[str | bytes | None] = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    _seal: "_Seal" = field(init=False, repr=False)
    _names: tuple[tuple[str, bool], ...] = field(init=False, repr=False)
    _start: str = field(init=False, repr=False)

    def __post_init__(self, key: KeyMaterial, password: str | bytes | None) -> None:
        need_cryptography("DKIM", "dkim")
        domain, selector = _domain(self.domain, "domain"), _domain(self.selector, "selector")
        seal = _seal(key, password)
        self._check()
        tags = [f"v=1; a={seal.algorithm}; c={'/'.join(self.canonicalization)}", f"d={domain}", f"s={selector}"]
        if self.identity is not None:
            tags.append(f"i={_identity(self.identity, domain)}")
        object.__setattr__(self, "_seal", seal)
        object.__setattr__(self, "_names", _names(self.headers, self.oversign))
        object.__setattr__(self, "_start", ";\r\n ".join(tags))

    def _check(self) -> None:
        if self.canonicalization not in product(OF_FIELDS, OF_BODIES):
            found = excerpt(self.canonicalization)
            raise ConfigurationError([f"canonicalization: expected simple or relaxed for header and body, got {found}"])
        if not isinstance(self.expires, timedelta | None):
            raise TypeError(f"expires: expected a timedelta, got {type(self.expires).__name__}")
        if self.expires is not None and self.expires <= timedelta():
            raise ConfigurationError([f"expires: expected a time to come, got {self.expires}"])
        if self.eight_bit not in get_args(EightBit):
            raise ConfigurationError([f"eight_bit: expected convert, refuse or keep, got {excerpt(self.eight_bit)}"])

    @property
    def record(self) -> str:
        """The TXT record that must stand in the DNS at ``selector._domainkey.domain``."""
        return f"v=DKIM1; k={self._seal.algorithm.partition('-')[0]}; p={self._seal.public}"

    def sign(self, octets: bytes) -> bytes:
        """Return the message with a signature in front; raise ``Unsendable``."""
        octets = without_gaps(self._fit(octets))
        size = header_size(octets)
        of_field, of_body = OF_FIELDS[self.canonicalization[0]], OF_BODIES[self.canonicalization[1]]
        fields = fields_in_order(octets[:size])
        names, covered = _covered(self._names, fields)
        tags = self._tags(names, sha256(of_body(octets[size + 2 :])).digest())
        unsigned = SignedField("dkim-signature", f" {tags}\r\n".encode(), f"DKIM-Signature: {tags}\r\n".encode())
        # The field itself comes last, and without its line end (RFC 6376 §3.7).
        hashed = b"".join([*map(of_field, covered), of_field(unsigned)[:-2]])
        signature = "\r\n ".join(_lines(_base64(self._seal.signed(hashed))))
        return unsigned.octets[:-2] + signature.encode() + b"\r\n" + octets

    def _fit(self, octets: bytes) -> bytes:
        if self.eight_bit == "convert":
            return canonical(octets)
        octets = as_it_is(octets)
        if self.eight_bit == "refuse" and not is_robust(octets):
            raise Unsendable(
                "expected a message of ASCII in lines of at most 998 octets to sign, "
                "got one that servers may write anew on its way"
            )
        return octets

    def _tags(self, names: list[str], body_hash: bytes) -> str:
        now = self.now()
        times = f"t={int(now.timestamp())}"
        if self.expires is not None:
            times += f"; x={int((now + self.expires).timestamp())}"
        listed = _folded(names)
        return f"{self._start};\r\n {times};\r\n h={listed};\r\n bh={_base64(body_hash)};\r\n b="


@dataclass(frozen=True, slots=True)
class _Seal:
    """A key, ready to sign."""

    algorithm: str
    public: str
    signed: Callable[[bytes], bytes] = field(repr=False)


def _seal(key: KeyMaterial, password: str | bytes | None) -> _Seal:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - of an extra
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above

    match private_key(key, "key", password=password):
        case RSAPrivateKey() as rsa:
            return _rsa(rsa)
        case Ed25519PrivateKey() as ed25519:
            return _ed25519(ed25519)
        case other:
            found = type(other).__name__.removesuffix("PrivateKey")
            raise ConfigurationError([f"key: expected one for RSA or Ed25519, got one for {found}"])


def _rsa(key: "RSAPrivateKey") -> _Seal:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - of an extra
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    if key.key_size < _RSA_SIZE:
        raise ConfigurationError([f"key: expected one of at least {_RSA_SIZE} bits, got one of {key.key_size}"])
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _Seal("rsa-sha256", _base64(public), lambda hashed: key.sign(hashed, PKCS1v15(), SHA256()))


def _ed25519(key: "Ed25519PrivateKey") -> _Seal:
    public = key.public_key().public_bytes_raw()
    # RFC 8463 §3: what is signed is the hash.
    return _Seal("ed25519-sha256", _base64(public), lambda hashed: key.sign(sha256(hashed).digest()))


def _domain(name: str, place: str) -> str:
    try:
        written = a_labels(name)
    except ValueError as error:
        raise ConfigurationError([f"{place}: {excerpt(name)}: {error}"]) from None
    if not _DOMAIN.fullmatch(written) or ".." in written:
        raise ConfigurationError([f"{place}: expected a domain name, got {excerpt(name)}"])
    return written


def _identity(identity: str, domain: str) -> str:
    local_part, at, host = identity.rpartition("@")
    written = _domain(host, "identity")
    if not at or not _LOCAL_PART.fullmatch(local_part) or not f".{written}".lower().endswith(f".{domain}".lower()):
        raise ConfigurationError([f"identity: expected an address of {domain} or below it, got {excerpt(identity)}"])
    return f"{local_part}@{written}"


def _names(headers: Iterable[str] | None, oversign: Iterable[str]) -> tuple[tuple[str, bool], ...]:
    """Return each name once, and whether it is over-signed."""
    if isinstance(headers, str) or isinstance(oversign, str):
        raise TypeError("headers, oversign: expected a list of names, got a str")
    over = {name.lower() for name in oversign}
    names = {name.lower(): name for name in ("From", *(SIGNED if headers is None else headers), *oversign)}
    for name in names.values():
        if name.lower() in _NEVER or not _NAME.fullmatch(name):
            raise ConfigurationError([f"headers: expected header fields that DKIM may sign, got {excerpt(name)}"])
    return tuple((name, lower in over) for lower, name in names.items())


def _covered(names: Iterable[tuple[str, bool]], fields: Iterable[SignedField]) -> tuple[list[str], list[SignedField]]:
    """Return the names for the h= tag, and the fields in that order: of each name from the last one up (§5.4.2)."""
    present: dict[str, list[SignedField]] = {}
    for found in fields:
        present.setdefault(found.name, []).append(found)
    if len(present.get("from", ())) != 1:
        raise Unsendable(f"expected one From to sign, got {len(present.get('from', ()))}")
    listed: list[str] = []
    covered: list[SignedField] = []
    for name, over in names:
        same = present.get(name.lower(), [])
        again = over and bool(same or name.lower() not in _ADDED)
        listed += [name] * (len(same) + again)
        covered += reversed(same)
    for found in covered:
        refuse_control(found)
    return listed, covered


def _folded(names: list[str]) -> str:
    """Join *names* with colons, in lines."""
    text, width = "", 0
    for name in names:
        fold = "\r\n  " if width + len(name) > _WIDTH else ""
        width = len(name) + 1 if fold else width + len(name) + 1
        text += f"{fold}{name}:"
    return text[:-1]


def _base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()


def _lines(text: str) -> Iterator[str]:
    return (text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH))
