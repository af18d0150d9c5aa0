"""DIGEST-MD5 (RFC 2831; historic since RFC 6331): digests of password and nonces; for those who know nothing better."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import md5
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Final, NamedTuple, TypeVar

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, Lookup
from ninsho.sasl.directives import parse, quote, single
from ninsho.sasl.exchange import Channel, Credentials, Steps
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.sasl.secrets import DigestKey, Password
from ninsho.text import prepare_username

T = TypeVar("T")

SECRETS: Final[tuple[type[DigestKey | Password], ...]] = (DigestKey, Password)
NO_REALM = ("",)
CHALLENGE_LIMIT = 2048  # octets; RFC 2831 §2.1.1 and §2.1.3: each message of the server's has less
RESPONSE_LIMIT = 4096  # octets; RFC 2831 §2.1.2: the client's has less
NONCE_MINIMUM = 8  # characters of the other side's: one that chose none, or always the same, could be replayed
# There is no subsequent authentication here (RFC 2831 §2.2): each nonce is good for one response.
NONCE_COUNT = b"00000001"

REQUIRED = ("username", "nonce", "cnonce", "nc", "response")
IN_RESPONSE = frozenset((*REQUIRED, "realm", "qop", "digest-uri", "maxbuf", "charset", "cipher", "authzid"))
IN_CHALLENGE = frozenset(("nonce", "qop", "stale", "maxbuf", "charset", "algorithm", "cipher"))

_DIGITS = re.compile(rb"[0-9a-f]{32}")
# RFC 2831 §2.1.2: service/host, and a name of the service's own; curl takes the realm for the host, empty or not.
_DIGEST_URI = re.compile(rb"[^/]+/[^/]*(?:/[^/]+)?")


class DigestChallenge(NamedTuple):
    """The server's first message (RFC 2831 §2.1.1)."""

    realms: tuple[str, ...]
    nonce: bytes
    charset: str = "utf-8"

    @classmethod
    def parse(cls, message: bytes) -> "DigestChallenge":
        """Read *message*; raise ``MalformedMessage``, also for what we cannot do."""
        _check_size(message, CHALLENGE_LIMIT)
        directives = parse(message)
        found = single(directives, IN_CHALLENGE)
        nonce, charset = _checked_nonce(found.get("nonce", b"")), _charset(found)
        if found.get("algorithm", b"").lower() != b"md5-sess":
            raise MalformedMessage("expected the algorithm md5-sess")
        if b"auth" not in re.split(rb"[ \t\r\n,]+", found.get("qop", b"auth").lower()):
            raise MalformedMessage("expected auth among the qualities of protection")
        return cls(tuple(_text(value, charset) for name, value in directives if name == "realm"), nonce, charset)

    def __bytes__(self) -> bytes:
        realms = b"".join(b"realm=%b," % quote(realm.encode()) for realm in self.realms)
        return b'%bnonce=%b,qop="auth",algorithm=md5-sess,charset=utf-8' % (realms, quote(self.nonce))


class DigestResponse(NamedTuple):
    """The client's message (RFC 2831 §2.1.2), without the proof that it ends in; realm None: it names none."""

    username: str
    realm: str | None
    nonce: bytes
    cnonce: bytes
    digest_uri: bytes
    authzid: bytes = b""
    qop: bytes = b"auth"
    charset: str = "utf-8"

    @classmethod
    def parse(cls, message: bytes) -> tuple["DigestResponse", bytes]:
        """Read *message* and its proof; raise ``MalformedMessage``."""
        _check_size(message, RESPONSE_LIMIT)
        found = single(parse(message), IN_RESPONSE)
        _check_response(found)
        charset = _charset(found)
        # curl does not say that it means UTF-8; what is in ISO 8859-1 does not look like it.
        return (
            cls(
                _text(found["username"], "utf-8", charset),
                _text(found["realm"], "utf-8", charset) if "realm" in found else None,
                found["nonce"],
                _checked_nonce(found["cnonce"]),
                found.get("digest-uri", b""),
                found.get("authzid", b""),
                found.get("qop", b"auth"),
                charset,
            ),
            found["response"],
        )

    def proof(self, key: DigestKey, method: bytes = b"AUTHENTICATE") -> bytes:
        """The digits that only *key* can make (RFC 2831 §2.1.2.1); the server's are of an empty *method*."""
        a1 = b":".join((key.hash, self.nonce, self.cnonce, *filter(None, (self.authzid,))))
        a2 = method + b":" + self.digest_uri
        return _hex(b":".join((_hex(a1), self.nonce, NONCE_COUNT, self.cnonce, self.qop, _hex(a2))))

    def write(self, key: DigestKey) -> bytes:
        """The message with its proof; raise ``UnicodeEncodeError`` for a name that the charset has no octets for."""
        parts = (
            b"charset=utf-8" if self.charset == "utf-8" else b"",
            b"username=" + quote(self.username.encode(self.charset)),
            b"" if self.realm is None else b"realm=" + quote(self.realm.encode(self.charset)),
            b"nonce=%b,nc=%b,cnonce=%b" % (quote(self.nonce), NONCE_COUNT, quote(self.cnonce)),
            b"digest-uri=%b,response=%b,qop=%b" % (quote(self.digest_uri), self.proof(key), self.qop),
            self.authzid and b"authzid=" + quote(self.authzid),
        )
        return b",".join(filter(None, parts))


def new_nonce() -> bytes:
    """24 octets of chance; RFC 2831 §2.1.1 asks for 8."""
    return token_urlsafe(24).encode()


def digest_md5(
    response: bytes | None,  # noqa: ARG001 - the server goes first, whatever the client sent
    *,
    realms: tuple[str, ...] = NO_REALM,
    nonce: Callable[[], bytes] = new_nonce,
) -> Dialogue:
    """The server's side.

    ``u`` in the realm ``r`` is the account ``u@r``, as in Dovecot, by its password or its key. Without a realm ``u``
    is the account ``u``, by both; ``u@r``, in whatever realm, is the account ``u@r``, by its password alone, as its
    key is of ``u`` in ``r``. Who names no realm has the first of *realms*, and digests none.
    """
    own_nonce = nonce()
    # Without any realm, the clients of Cyrus SASL would put in the server's name.
    message, proof = DigestResponse.parse((yield from Challenge(bytes(DigestChallenge(realms, own_nonce)))))
    if not compare_digest(message.nonce, own_nonce):
        raise MalformedMessage("expected the nonce of this challenge")
    if message.realm and message.realm not in realms:
        raise MalformedMessage("expected one of the realms that are offered")
    identity = _identity(message, realms[0])
    secret = yield from Lookup(identity.authcid, SECRETS)
    for key in _keys(secret, message):
        if compare_digest(message.proof(key), proof) and secret is not None:
            return Granted(identity, b"rspauth=" + message.proof(key, b""))
    return Denied(Denial.MISMATCH)


def _identity(message: DigestResponse, first_realm: str) -> Identity:
    """Whose account is meant, and whom to act as."""
    # Prepared first, as that can make an @ of another character, and nothing of a name.
    name = prepare_username(message.username.encode())
    realm = message.realm or first_realm
    account = f"{name}@{realm}" if realm and "@" not in name else name
    same = message.authzid in {name.encode(), message.username.encode()}
    return Identity.parse(account.encode(), b"" if same else message.authzid)


def _keys(secret: DigestKey | Password | None, message: DigestResponse) -> set[DigestKey]:
    """The keys that the client may have."""
    if isinstance(secret, DigestKey):
        return {secret}
    # A stranger costs the same digests.
    password = b"" if secret is None else secret.text
    name, realm = message.username, message.realm or ""
    raw_name, raw_realm, raw_password = (
        octets.decode("latin-1") for octets in (name.encode(), realm.encode(), password)
    )
    text = password.decode(errors="replace")
    # RFC 2831 §2.1.2.1, which GNU SASL applies to the password alone, and most others not at all.
    return {
        DigestKey.of(name, realm, text),
        DigestKey.of(raw_name, raw_realm, text),
        DigestKey.of(raw_name, raw_realm, raw_password),
    }


def digest_md5_client(credentials: Credentials, *, nonce: Callable[[], bytes] = new_nonce) -> Steps:
    """The client's side: success counts only with the server's proof.

    ``u@r`` logs in as ``u`` in the realm ``r`` where the server offers that one, else by its whole name in the first.
    """
    challenge = _from_server(DigestChallenge.parse, (yield None))
    username, realm = _name_and_realm(credentials.username, challenge.realms)
    key = DigestKey.of(username, realm or "", credentials.password)
    authzid, uri = credentials.authzid.encode(), _digest_uri(credentials.channel)
    response = DigestResponse(username, realm, challenge.nonce, nonce(), uri, authzid, charset=challenge.charset)
    last_words = yield _written(response, key)
    if not compare_digest(_from_server(_proof_of_server, last_words), response.proof(key, b"")):
        raise ExchangeError("the server has not proved that it knows the password")
    yield b""


def _name_and_realm(username: str, realms: tuple[str, ...]) -> tuple[str, str | None]:
    name, _, domain = username.partition("@")
    if name and domain and domain in realms:
        return name, domain
    return username, realms[0] if realms else None


def _digest_uri(channel: Channel) -> bytes:
    """Whom the client takes the server for (RFC 2831 §2.1.2): few servers look, and none at a name that is missing."""
    return f"{channel.service}/{channel.host or 'localhost'}".encode()


def _written(response: DigestResponse, key: DigestKey) -> bytes:
    try:
        return response.write(key)
    except UnicodeEncodeError:
        raise ExchangeError("expected charset=utf-8 from the server, for a user name beyond ISO 8859-1") from None


def _from_server(read: Callable[[bytes], T], message: bytes | None) -> T:
    try:
        return read(message or b"")
    except MalformedMessage as error:
        raise ExchangeError(f"the server's message: {error}") from None


def _proof_of_server(message: bytes) -> bytes:
    """The digits of the server's last message (RFC 2831 §2.1.3); none where it is another."""
    _check_size(message, CHALLENGE_LIMIT)
    return single(parse(message), ("rspauth",)).get("rspauth", b"")


def _check_response(found: dict[str, bytes]) -> None:
    """Look at what a client may send in one way only; raise ``MalformedMessage``."""
    if missing := [name for name in REQUIRED if not found.get(name)]:
        raise MalformedMessage(f"expected {missing[0]}, got none")
    if found["nc"] != NONCE_COUNT:
        raise MalformedMessage(f"expected nc={NONCE_COUNT.decode()}")
    if found.get("qop", b"auth").lower() != b"auth":
        raise MalformedMessage("expected qop=auth")
    if not _DIGITS.fullmatch(found["response"]):
        raise MalformedMessage("expected 32 hexadecimal digits in response")
    if "digest-uri" in found and not _DIGEST_URI.fullmatch(found["digest-uri"]):
        raise MalformedMessage("expected service/host in digest-uri")
    if found.get("authzid") == b"":
        raise MalformedMessage("expected a name in authzid, got an empty one")


def _check_size(message: bytes, limit: int) -> None:
    if len(message) >= limit:
        raise MalformedMessage(f"expected less than {limit} octets, got {len(message)}")


def _checked_nonce(nonce: bytes) -> bytes:
    if len(nonce) < NONCE_MINIMUM:
        raise MalformedMessage(f"expected a nonce of {NONCE_MINIMUM} characters at least, got {len(nonce)}")
    return nonce


def _charset(found: dict[str, bytes]) -> str:
    """The charset of names; RFC 2831 §2.1.1: what is not said to be UTF-8 is ISO 8859-1."""
    if found.get("charset", b"utf-8").lower() != b"utf-8":
        raise MalformedMessage("expected charset=utf-8 or none")
    return "utf-8" if "charset" in found else "latin-1"


def _text(octets: bytes, *charsets: str) -> str:
    for charset in charsets:
        with suppress(UnicodeDecodeError):
            return octets.decode(charset)
    raise MalformedMessage("expected UTF-8 in username and realm")


def _hex(octets: bytes) -> bytes:
    return md5(octets, usedforsecurity=False).hexdigest().encode()


def with_realms(realms: Iterable[str]) -> Mechanism:
    """Return the mechanism that offers *realms*; raise ``ValueError`` for those that cannot be offered."""
    realms = tuple(realms)
    for place, realm in enumerate(realms, start=1):
        try:
            prepare_username(realm.encode() or b"none")
        except MalformedMessage as error:
            raise ValueError(f"realm {place}: no account can be named after it: {error}") from None
    size = len(bytes(DigestChallenge(realms, new_nonce())))
    if not realms or size >= CHALLENGE_LIMIT:
        raise ValueError(f"expected one or more, in a challenge of less than {CHALLENGE_LIMIT} octets, got {size}")
    return replace(DIGEST_MD5, server=partial(digest_md5, realms=realms))


DIGEST_MD5 = Mechanism(
    "DIGEST-MD5",
    digest_md5,
    digest_md5_client,
    Properties.DICTIONARY | Properties.ACTIVE | Properties.MUTUAL_AUTH,
    needs=Lookup,
    secrets=SECRETS,
    default=False,
)
