"""The schemes that are accepted: a new one is a line here."""

from ninsho.stores.schemes.argon2 import Argon2
from ninsho.stores.schemes.digest import Digest, Pbkdf2, SaltedDigest
from ninsho.stores.schemes.readable import CramMd5, Plain
from ninsho.stores.schemes.scheme import Scheme
from ninsho.stores.schemes.unix_crypt import Bcrypt, MemoryHardCrypt, ShaCrypt

# The costs are such that a hash takes 0.15 to 0.25 s of one processor, measured; yescrypt's are the system's (15 ms).
_ACCEPTED: tuple[Scheme, ...] = (
    # RFC 9106 §4, the second recommended choice.
    Argon2("ARGON2ID", "id", memory=65_536, time=3),
    Argon2("ARGON2I", "i", memory=65_536, time=4),
    Bcrypt("BLF-CRYPT", cost=12),
    ShaCrypt("SHA512-CRYPT", "6", digits=86, rounds=500_000),
    ShaCrypt("SHA256-CRYPT", "5", digits=43, rounds=500_000),
    MemoryHardCrypt("CRYPT"),
    Pbkdf2("PBKDF2", rounds=600_000),
    SaltedDigest("SSHA512", "sha512"),
    SaltedDigest("SSHA256", "sha256"),
    SaltedDigest("SSHA", "sha1"),
    Digest("SHA512", "sha512"),
    Digest("SHA256", "sha256"),
    Digest("SHA", "sha1"),
    CramMd5("CRAM-MD5"),
    Plain("PLAIN"),
)

SCHEMES = {scheme.name: scheme for scheme in _ACCEPTED}

ALIASES = {
    "ARGON2": "ARGON2ID",
    "CLEAR": "PLAIN",
    "CLEARTEXT": "PLAIN",
    "HMAC-MD5": "CRAM-MD5",
    "SHA1": "SHA",
}

# Known, and too weak: whoever gets to read one soon has the password.
NOT_ACCEPTED = frozenset(
    ("APR1-MD5", "DES-CRYPT", "LDAP-MD5", "MD5", "MD5-CRYPT", "PLAIN-MD4", "PLAIN-MD5", "PLAIN-TRUNC", "SMD5"),
)

# What stands between the first two $ of a form that names its own scheme.
IDENTIFIERS = {
    "argon2id": "ARGON2ID",
    "argon2i": "ARGON2I",
    "2a": "BLF-CRYPT",
    "2b": "BLF-CRYPT",
    "2y": "BLF-CRYPT",
    "6": "SHA512-CRYPT",
    "5": "SHA256-CRYPT",
    "y": "CRYPT",
    "gy": "CRYPT",
    "7": "CRYPT",
    "1": "MD5-CRYPT",
    "apr1": "APR1-MD5",
}

# The schemes whose forms name their own scheme: there, the label is not looked at, as crypt(3) does not look at it.
SELF_NAMED = frozenset(("CRYPT", "ARGON2ID", "ARGON2I", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT"))
