"""The weak forms of crypt(3): DES and its extensions, and the two that are of MD5; and Apache's."""

import re
from dataclasses import dataclass
from typing import ClassVar

from ninsho.stores.schemes.scheme import Scheme
from ninsho.stores.schemes.unix_crypt import crypt_matches, crypted

DES_LIMIT = 8  # octets of a password that DES looks at
SUN_ROUNDS_LIMIT = 1_000_000  # 1.4 s


@dataclass(frozen=True, slots=True)
class OldCrypt(Scheme):
    """A weak method, by its *prefix* and the *pattern* of its forms."""

    prefix: str
    pattern: str
    summary: str

    description: ClassVar[str] = "crypt(3) of long ago, {summary}"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again."""
        self.check(form)
        return crypt_matches(self, form, password)

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt."""
        return crypted(self, password, self.prefix)

    def check(self, form: bytes) -> None:
        """Compare with the pattern."""
        if not re.fullmatch(self.pattern.encode(), form):
            raise self.malformed(f"expected a form of {self.summary}")


class BsdiCrypt(OldCrypt):
    """DES of BSD, which looks at 7 bits of each octet."""

    __slots__ = ()

    def cuts(self, form: bytes, password: bytes) -> bool:  # noqa: ARG002 - the password tells
        """Tell whether bits were left out."""
        return not password.isascii()


class DesCrypt(OldCrypt):
    """DES, which looks at 7 bits of each of 8 octets."""

    __slots__ = ()

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt; a password that would be cut is refused."""
        if len(password) > DES_LIMIT or not password.isascii():
            raise ValueError(f"password: {self.name} looks at {DES_LIMIT} octets of ASCII, got others")
        return crypted(self, password, self.prefix)

    def cuts(self, form: bytes, password: bytes) -> bool:  # noqa: ARG002 - the password tells
        """Tell whether octets or bits were left out, or one of more octets would match as well."""
        return len(password) >= DES_LIMIT or not password.isascii()


class SunMd5(OldCrypt):
    """The MD5 of Solaris, which counts its rounds."""

    __slots__ = ()

    def check(self, form: bytes) -> None:
        """Read the rounds."""
        super().check(form)
        parts = re.match(rb"\$md5,rounds=([0-9]+)", form)
        if parts and int(parts[1]) > SUN_ROUNDS_LIMIT:
            raise self.malformed(f"expected at most {SUN_ROUNDS_LIMIT} rounds, got {int(parts[1])}")


class Apr1Md5(OldCrypt):
    """The MD5 of ``htpasswd -m``, which no crypt(3) has."""

    __slots__ = ()

    description: ClassVar[str] = "the MD5 of htpasswd"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again."""
        self.check(form)
        from passlib.hash import apr_md5_crypt  # noqa: PLC0415 - 30 ms for those whom it serves

        try:
            return bool(apr_md5_crypt.verify(password, form))
        except ValueError:
            raise self.malformed("libpass refuses the salt") from None

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt."""
        from passlib.hash import apr_md5_crypt  # noqa: PLC0415 - as above

        hashed: str = apr_md5_crypt.hash(password)
        return hashed.encode()
