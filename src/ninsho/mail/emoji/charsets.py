"""Charsets in which a carrier's emoji can be written, for whoever builds a message."""

from dataclasses import dataclass

from ninsho.mail.charsets.charset import Charset, charset
from ninsho.mail.charsets.errors import Errors
from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.octets import decode, encode, has_emoji


@dataclass(frozen=True, slots=True)
class CarrierCharset(Charset):
    """A charset of mail with the emoji that handsets of *carrier* have; by its label alone nobody can tell."""

    carrier: Carrier = Carrier.PC

    def encode(self, text: str) -> bytes:
        """Return *text* in octets; raise ``UnicodeEncodeError``."""
        return encode(text, self.carrier, self.label)

    def decode(self, octets: bytes, errors: Errors = "strict") -> str:
        """Return the text of *octets*; raise ``UnicodeDecodeError`` if *errors* is strict."""
        return decode(octets, self.carrier, self.label, errors)


def carrier_charset(carrier: Carrier, name: str | Charset) -> Charset:
    """Return the charset called *name* with the emoji of *carrier*, or just it, where the two do not go together."""
    plain = charset(name)
    if plain.label not in ("shift_jis", "iso-2022-jp") or not has_emoji(carrier, plain):
        return plain
    # docomo's stand in ISO-2022-JP with eight bits.
    seven_bit = plain.seven_bit and carrier.emoji is Carrier.AU
    return CarrierCharset(plain.label, plain.codec, seven_bit, plain.stateful, carrier=carrier)
