"""A stored string taken apart: ``{SCHEME}``, ``{SCHEME.hex}``, or a bare form that names its own scheme."""

import binascii
import re
from functools import lru_cache
from typing import NamedTuple

from ninsho.errors import MalformedSecret
from ninsho.stores.schemes.foreign import translated
from ninsho.stores.schemes.scheme import Encoding, Scheme
from ninsho.stores.schemes.table import ALIASES, IDENTIFIERS, REFUSED, SCHEMES, SELF_NAMED, TRANSLATED

# Solaris writes the rounds behind a comma. PBKDF2 as Dovecot writes it begins with $1$ as well, but has one $ more
# than MD5-crypt.
_BARE = re.compile(rf"\$(?:{'|'.join(IDENTIFIERS.keys() - {'1'})})(?:,[^$\s]*)?\$[!-~]+|\$1\$[^$\s]*\$[^$\s]*")
_DES = re.compile(r"[./0-9A-Za-z]{13}")
_BSDI = r"_[./0-9A-Za-z]{19}"
_MD5 = r"[0-9a-fA-F]{32}|[+/0-9A-Za-z]{22}=="
_OPENLDAP = r"[0-9]+\$[./0-9A-Za-z]*\$[./0-9A-Za-z]+"
_SUFFIXES = {"B64": Encoding.BASE64, "BASE64": Encoding.BASE64, "HEX": Encoding.HEX}


class Label(NamedTuple):
    """What stands in the braces: a scheme's one name, and the encoding if it is given."""

    name: str
    encoding: Encoding | None = None

    @staticmethod
    # The same few labels stand before all forms of a site.
    @lru_cache(maxsize=64)
    def parse(text: str) -> "Label":
        """Read ``SCHEME`` or ``SCHEME.suffix`` in any case; raise ``MalformedSecret``, also for an unknown scheme."""
        name, dot, suffix = text.upper().partition(".")
        name = ALIASES.get(name, name)
        if name not in SCHEMES and name not in REFUSED:
            raise MalformedSecret(f"scheme {_quotable(name)} is not known")
        if dot and suffix not in _SUFFIXES:
            raise MalformedSecret(f"{{{name}}}: expected the suffix b64 or hex, got {_quotable(suffix)}")
        return Label(name, _SUFFIXES.get(suffix))

    def __str__(self) -> str:
        return f"{{{self.name}.{self.encoding.value}}}" if self.encoding else f"{{{self.name}}}"

    @property
    def scheme(self) -> Scheme:
        """The scheme, weak or not; raise ``MalformedSecret`` if it is never accepted."""
        try:
            return SCHEMES[self.name]
        except KeyError:
            raise MalformedSecret(f"scheme {self.name} is never accepted: {REFUSED[self.name]}") from None

    def accepted(self, permitted: frozenset[str]) -> Scheme:
        """Return the scheme; raise ``MalformedSecret`` if it is weak and not *permitted*."""
        scheme = self.scheme
        if scheme.weak and self.name not in permitted:
            raise MalformedSecret(f"scheme {self.name} is weak, and passwords.weak does not permit it")
        return scheme

    def decode(self, text: str) -> bytes:
        """Turn what stands behind the label into a form; raise ``MalformedSecret``."""
        scheme = self.scheme
        encoding = self.encoding or scheme.encoding
        if encoding is not Encoding.TEXT and not self.encoding and (size := scheme.size):
            # As Dovecot does: octets of a known number may be written in base64 or hex without saying which.
            encoding = Encoding.HEX if len(text) == 2 * size else Encoding.BASE64
        try:
            return _DECODERS[encoding](text)
        except ValueError:
            raise MalformedSecret(f"{self}: expected {_EXPECTED[encoding]}") from None

    def encode(self, form: bytes) -> str:
        """Write *form* with this label in front."""
        return f"{self}{_ENCODERS[self.encoding or self.scheme.encoding](form)}"


class Stored(NamedTuple):
    """A stored string: its label, and what stands behind it."""

    label: Label
    text: str

    @classmethod
    def parse(cls, stored: str, default: Label | None = None) -> "Stored":
        """Read *stored*, which is a *default* form where it has no label and names no scheme itself.

        A form that names its own scheme is taken at its word even where the default is PLAIN: else whoever stole it
        could log in with the form itself. Raises ``MalformedSecret``.
        """
        label_text, brace, text = stored.partition("}")
        if brace and label_text.startswith("{") and "{" not in label_text[1:]:
            label = Label.parse(label_text[1:])
        elif _BARE.fullmatch(stored):
            label, text = Label("CRYPT"), stored
        elif named := translated(stored):
            return cls(Label(named[0]), named[1])
        elif default:
            label, text = default, stored
        else:
            raise MalformedSecret("expected {SCHEME} in front of the stored form")
        reader = _READERS.get(label.name)
        return reader(label, text) if reader else cls(label, text)

    @property
    def form(self) -> bytes:
        """The octets that the scheme knows."""
        return self.label.decode(self.text)

    def __str__(self) -> str:
        return f"{self.label}{self.text}"


def _by_its_own_name(label: Label, text: str) -> Stored:
    text = _decoded(label, text)
    match text.split("$", 2):
        case ["", method, _] if name := IDENTIFIERS.get(method.partition(",")[0]):
            return Stored(Label(name), text)
        case _ if named := translated(text):
            return Stored(Label(named[0]), named[1])
        case _ if _DES.fullmatch(text):
            return Stored(Label("DES-CRYPT"), text)
        case _ if re.fullmatch(_BSDI, text):
            return Stored(Label("BSDI-CRYPT"), text)
        case _ if label.name == ALIASES["MD5"] and re.fullmatch(_MD5, text):
            return Stored(Label("PLAIN-MD5"), text)
        case _:
            raise MalformedSecret(f"{{{label.name}}}: expected a form such as $6$…, of a method that is known")


def _by_its_framework(label: Label, text: str) -> Stored:
    decoded = _decoded(label, text)
    if named := translated(decoded):
        return Stored(Label(named[0]), named[1])
    # What OpenLDAP calls {PBKDF2}.
    if label.name == "PBKDF2" and re.fullmatch(_OPENLDAP, decoded):
        return Stored(Label("PBKDF2-SHA1"), decoded)
    return Stored(label, text)


def _decoded(label: Label, text: str) -> str:
    return label.decode(text).decode("ascii", errors="replace") if label.encoding else text


def _quotable(name: str) -> str:
    """Return *name* if it may be one: what else stands in braces may be part of a password."""
    return name if re.fullmatch(r"[A-Z0-9_-]{1,24}", name) else "of that spelling"


_READERS = {**dict.fromkeys(SELF_NAMED, _by_its_own_name), **dict.fromkeys(TRANSLATED, _by_its_framework)}

_DECODERS = {
    Encoding.TEXT: str.encode,
    Encoding.BASE64: lambda text: binascii.a2b_base64(text, strict_mode=True),
    Encoding.HEX: binascii.a2b_hex,
}
_ENCODERS = {
    Encoding.TEXT: bytes.decode,
    Encoding.BASE64: lambda form: binascii.b2a_base64(form, newline=False).decode(),
    Encoding.HEX: bytes.hex,
}
_EXPECTED = {Encoding.TEXT: "UTF-8", Encoding.BASE64: "base64", Encoding.HEX: "hexadecimal digits"}
