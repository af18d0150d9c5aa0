"""The schemes, each a line; a new one is another line here."""

from ninsho.sasl.secrets import ScramSha1Keys, ScramSha256Keys, ScramSha512Keys, ScramSha3512Keys
from ninsho.stores.schemes.argon2 import Argon2
from ninsho.stores.schemes.bcrypt_sha256 import BcryptSha256
from ninsho.stores.schemes.digest import Digest, DjangoDigest, HexDigest, Md4Digest, SaltedDigest
from ninsho.stores.schemes.old_crypt import Apr1Md5, BsdiCrypt, DesCrypt, OldCrypt, SunMd5
from ninsho.stores.schemes.pbkdf2 import DovecotPbkdf2, Pbkdf2
from ninsho.stores.schemes.readable import CramMd5, DigestMd5, Plain, PlainTrunc
from ninsho.stores.schemes.scheme import Scheme
from ninsho.stores.schemes.scram import Scram
from ninsho.stores.schemes.scrypt import Scrypt
from ninsho.stores.schemes.unix_crypt import Bcrypt, ShaCrypt, SystemCrypt

# The costs are such that a hash takes 0.15 to 0.25 s of one processor, measured; yescrypt's are the system's (15 ms),
# SCRAM's what clients put up with (20 ms; of SHA-512 45, of SHA3-512 60).
_ACCEPTED: tuple[Scheme, ...] = (
    # RFC 9106 §4, the second recommended choice.
    Argon2("ARGON2ID", "id", memory=65_536, time=3),
    Argon2("ARGON2I", "i", memory=65_536, time=4),
    Scrypt("SCRYPT", ln=16),
    Bcrypt("BLF-CRYPT", cost=12),
    BcryptSha256("BCRYPT-SHA256", cost=12),
    ShaCrypt("SHA512-CRYPT", "6", digits=86, rounds=500_000),
    ShaCrypt("SHA256-CRYPT", "5", digits=43, rounds=500_000),
    SystemCrypt("CRYPT"),
    Pbkdf2("PBKDF2-SHA512", "sha512", rounds=300_000),
    Pbkdf2("PBKDF2-SHA256", "sha256", rounds=600_000),
    Pbkdf2("PBKDF2-SHA1", "sha1", rounds=600_000),
    DovecotPbkdf2("PBKDF2", rounds=600_000),
    Scram("SCRAM-SHA3-512", ScramSha3512Keys),
    Scram("SCRAM-SHA-512", ScramSha512Keys),
    Scram("SCRAM-SHA-256", ScramSha256Keys),
    Scram("SCRAM-SHA-1", ScramSha1Keys),
    SaltedDigest("SSHA512", "sha512"),
    SaltedDigest("SSHA256", "sha256"),
    SaltedDigest("SSHA", "sha1"),
    Digest("SHA512", "sha512"),
    Digest("SHA256", "sha256"),
    Digest("SHA", "sha1"),
    DigestMd5("DIGEST-MD5"),
    CramMd5("CRAM-MD5"),
    Plain("PLAIN"),
)

_MD5 = r"[./0-9A-Za-z]{22}"

# Accepted only where the configuration permits it: whoever gets to read one soon has the password.
_WEAK: tuple[Scheme, ...] = (
    SunMd5(
        "SUN-MD5",
        "$md5",
        rf"\$md5(?:,rounds=[1-9][0-9]{{0,9}})?\$[./0-9A-Za-z]{{0,32}}\${{1,2}}{_MD5}",
        "Solaris: MD5, some thousand times",
        weak=True,
    ),
    OldCrypt("MD5-CRYPT", "$1$", rf"\$1\$[!-#%-~]{{0,8}}\${_MD5}", "MD5, a thousand times", weak=True),
    Apr1Md5("APR1-MD5", "$apr1$", rf"\$apr1\$[!-#%-~]{{0,8}}\${_MD5}", "MD5, a thousand times", weak=True),
    BsdiCrypt("BSDI-CRYPT", "_", r"_[./0-9A-Za-z]{19}", "BSD: DES, some thousand times", weak=True),
    DesCrypt("DES-CRYPT", "", r"[./0-9A-Za-z]{13}", "DES, of 8 octets of a password", weak=True),
    SaltedDigest("SMD5", "md5", weak=True),
    DjangoDigest("DJANGO-SHA1", "sha1", weak=True),
    DjangoDigest("DJANGO-MD5", "md5", weak=True),
    Digest("LDAP-MD5", "md5", weak=True),
    HexDigest("PLAIN-MD5", "md5", weak=True),
    Md4Digest("PLAIN-MD4", "md4", weak=True),
    PlainTrunc("PLAIN-TRUNC", weak=True),
)

SCHEMES = {scheme.name: scheme for scheme in (*_ACCEPTED, *_WEAK)}

# Known, and never accepted, with the reason.
REFUSED = {
    "LANMAN": "each half of such a password is guessed in seconds",
    "NTLM": "whoever reads one can log in to Windows with it, and guesses billions of passwords a second",
    "OTP": "it is the state of a chain of one-time passwords, not a password",
    "RPA": "it is the key of a mechanism that nobody speaks",
    "SKEY": "it is the state of a chain of one-time passwords, not a password",
}

ALIASES = {
    "ARGON2": "ARGON2ID",
    "CLEAR": "PLAIN",
    "CLEARTEXT": "PLAIN",
    "HMAC-MD5": "CRAM-MD5",
    # Of a form which is not $1$, it is the alias of PLAIN-MD5.
    "MD5": "MD5-CRYPT",
    "SHA1": "SHA",
}

# What stands between the first two $ of a form that names its own scheme.
IDENTIFIERS = {
    "argon2id": "ARGON2ID",
    "argon2i": "ARGON2I",
    "scrypt": "SCRYPT",
    "2a": "BLF-CRYPT",
    "2b": "BLF-CRYPT",
    "2y": "BLF-CRYPT",
    "bcrypt-sha256": "BCRYPT-SHA256",
    "6": "SHA512-CRYPT",
    "5": "SHA256-CRYPT",
    "y": "CRYPT",
    "gy": "CRYPT",
    "sm3y": "CRYPT",
    "7": "CRYPT",
    "sm3": "CRYPT",
    "sha1": "CRYPT",
    "md5": "SUN-MD5",
    "1": "MD5-CRYPT",
    "apr1": "APR1-MD5",
    "3": "NTLM",
}

# The schemes whose forms name their own scheme: there, the label is not looked at, as crypt(3) does not look at it.
SELF_NAMED = frozenset(
    (
        *("ARGON2ID", "ARGON2I", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "CRYPT"),
        *("SUN-MD5", "MD5-CRYPT", "APR1-MD5", "BSDI-CRYPT", "DES-CRYPT"),
    )
)

# The schemes whose forms other frameworks write in their own ways.
TRANSLATED = frozenset(
    (
        *("SCRYPT", "BCRYPT-SHA256", "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512"),
        *("DJANGO-SHA1", "DJANGO-MD5"),
    )
)
