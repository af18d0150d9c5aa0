"""Forms of passlib, Django and Werkzeug, each of which names its own scheme, told in the words of ours."""

import re
from binascii import a2b_base64, a2b_hex
from collections.abc import Callable
from typing import TypeAlias

from ninsho.errors import MalformedSecret
from ninsho.stores.schemes import pbkdf2, scrypt

Named: TypeAlias = tuple[str, str]  # a scheme's name, and what stands behind its label
Translation: TypeAlias = Callable[[re.Match[str]], Named]

_BASE64 = r"[+/0-9A-Za-z]+={0,2}"
_HEX = r"[0-9a-f]+"
_ROUNDS = r"(?P<rounds>[0-9]+)"
_SALT = r"(?P<salt>[^$]*)"


def _pbkdf2(parts: re.Match[str]) -> Named:
    form = pbkdf2.written(parts["rounds"], parts["salt"].encode(), _key(parts))
    return _pbkdf2_name(parts["hash"]), form


def _scrypt(parts: re.Match[str]) -> Named:
    ln = int(parts["n"]).bit_length() - 1
    # RFC 7914 §2: N is a power of 2.
    if 2**ln != int(parts["n"]):
        raise ValueError
    return "SCRYPT", scrypt.written(ln, parts["r"], parts["p"], parts["salt"].encode(), _key(parts))


def _key(parts: re.Match[str]) -> bytes:
    groups = parts.groupdict()
    return a2b_hex(groups["hex"]) if "hex" in groups else a2b_base64(groups["base64"], strict_mode=True)


def _pbkdf2_name(algorithm: str) -> str:
    return f"PBKDF2-{algorithm.upper()}"


# What a form looks like, and what becomes of it. Patterns are compiled where one is needed: together they take 6 ms.
_FORMS: tuple[tuple[str, Translation], ...] = (
    # passlib
    (
        r"\$pbkdf2(?:-(?P<hash>sha256|sha512))?\$(?P<rest>[0-9]+\$[./0-9A-Za-z]*\$[./0-9A-Za-z]+)",
        lambda parts: (_pbkdf2_name(parts["hash"] or "sha1"), parts["rest"]),
    ),
    # Django, then Werkzeug.
    (rf"pbkdf2_(?P<hash>sha1|sha256)\${_ROUNDS}\${_SALT}\$(?P<base64>{_BASE64})", _pbkdf2),
    (rf"pbkdf2:(?P<hash>sha1|sha256|sha512):{_ROUNDS}\${_SALT}\$(?P<hex>{_HEX})", _pbkdf2),
    (rf"scrypt\$(?P<n>[0-9]+)\${_SALT}\$(?P<r>[0-9]+)\$(?P<p>[0-9]+)\$(?P<base64>{_BASE64})", _scrypt),
    (rf"scrypt:(?P<n>[0-9]+):(?P<r>[0-9]+):(?P<p>[0-9]+)\${_SALT}\$(?P<hex>{_HEX})", _scrypt),
    # Django again: argon2 and bcrypt need but the first word taken off.
    (r"bcrypt_sha256\$\$2[aby]\$[^$]+\$[^$]+", lambda parts: ("BCRYPT-SHA256", parts[0])),
    (r"bcrypt\$(?P<form>\$2[aby]\$[^$]+\$[^$]+)", lambda parts: ("BLF-CRYPT", parts["form"])),
    (
        r"argon2(?P<form>\$(?P<variant>argon2i|argon2id)\$.+)",
        lambda parts: (parts["variant"].upper(), parts["form"]),
    ),
    (
        rf"(?P<hash>sha1|md5)\$(?P<rest>{_SALT}\${_HEX})",
        lambda parts: (f"DJANGO-{parts['hash'].upper()}", parts["rest"]),
    ),
)


def translated(text: str) -> Named | None:
    """Return the scheme's name and the form if *text* is another framework's; raise ``MalformedSecret`` if broken."""
    for pattern, translation in _FORMS:
        if parts := re.fullmatch(pattern, text):
            try:
                return translation(parts)
            except ValueError:
                # The error may quote the salt.
                raise MalformedSecret(
                    "expected base64 or hexadecimal digits, and a power of 2 for scrypt's N"
                ) from None
    return None
