"""A stored string taken apart: ``{SCHEME}``, ``{SCHEME.hex}``, or a bare form that names its own scheme."""

import binascii
import re
from functools import lru_cache
from typing import NamedTuple

from ninsho.errors import MalformedSecret
from ninsho.stores.schemes.scheme import Encoding, Scheme
from ninsho.stores.schemes.table import ALIASES, IDENTIFIERS, NOT_ACCEPTED, SCHEMES, SELF_NAMED

# PBKDF2 as Dovecot writes it begins with $1$ as well, but has one $ more than MD5-crypt.
_BARE = re.compile(rf"\$(?:{'|'.join(IDENTIFIERS.keys() - {'1'})})\$[!-~]+|\$1\$[^$\s]*\$[^$\s]*")
_DES = re.compile(r"[./0-9A-Za-z]{13}")
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
        if name not in SCHEMES and name not in NOT_ACCEPTED:
            raise MalformedSecret(f"scheme {_quotable(name)} is not known")
        if dot and suffix not in _SUFFIXES:
            raise MalformedSecret(f"{{{name}}}: expected the suffix b64 or hex, got {_quotable(suffix)}")
        return Label(name, _SUFFIXES.get(suffix))

    def __str__(self) -> str:
        return f"{{{self.name}.{self.encoding.value}}}" if self.encoding else f"{{{self.name}}}"

    @property
    def scheme(self) -> Scheme:
        """The scheme; raise ``MalformedSecret`` if it is not accepted."""
        try:
            return SCHEMES[self.name]
        except KeyError:
            raise MalformedSecret(f"scheme {self.name} is not accepted") from None

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
        elif default:
            label, text = default, stored
        else:
            raise MalformedSecret("expected {SCHEME} in front of the stored form")
        return _by_its_own_name(label, text) if label.name in SELF_NAMED else cls(label, text)

    @property
    def form(self) -> bytes:
        """The octets that the scheme knows."""
        return self.label.decode(self.text)

    def __str__(self) -> str:
        return f"{self.label}{self.text}"


def _by_its_own_name(label: Label, text: str) -> Stored:
    if label.encoding:
        text = label.decode(text).decode("ascii", errors="replace")
    match text.split("$", 2):
        case ["", identifier, _] if identifier in IDENTIFIERS:
            return Stored(Label(IDENTIFIERS[identifier]), text)
        case _ if _DES.fullmatch(text):
            return Stored(Label("DES-CRYPT"), text)
        case _:
            raise MalformedSecret(f"{{{label.name}}}: expected a form such as $6$…, of a method that is known")


def _quotable(name: str) -> str:
    """Return *name* if it may be one: what else stands in braces may be part of a password."""
    return name if re.fullmatch(r"[A-Z0-9_-]{1,24}", name) else "of that spelling"


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
